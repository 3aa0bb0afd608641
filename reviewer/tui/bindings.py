"""The one list of keys: footer, help screen, command palette, documentation and the screen itself read it.

Imports no Textual, so that the documentation and the command line can use it cheaply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from holdfast.db.errors import UsageError

Group = Literal["Decide", "Read", "Look closer", "Desk", "Edit"]
GROUPS: tuple[Group, ...] = ("Decide", "Read", "Look closer", "Desk", "Edit")
DECISIONS = frozenset({"accept", "edit", "edit_external", "reject", "skip", "escalate"})
"""Ids that need a sample that has been on screen for a moment."""
WRITES = DECISIONS | {"note", "undo", "redo"}
"""Ids that need a store that can be written."""

_NEVER = frozenset({"ctrl+c", "ctrl+z", "ctrl+s", "ctrl+q", "ctrl+enter", "shift+enter", "ctrl+space"})
_NEVER_FOR_DECISIONS = frozenset({"enter", "backspace", "delete"})
_NAMES = {
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "down": "↓",
    "up": "↑",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "ctrl+p": "^p",
    "shift+tab": "⇧tab",
    "escape": "esc",
}
_TEXTUAL = {"[": "left_square_bracket", "]": "right_square_bracket", "/": "slash", ":": "colon", "?": "question_mark"}


@dataclass(frozen=True, slots=True)
class Key:
    """One action and the keys that call it; `footer` is what the key bar calls it, where the bar shows it."""

    id: str
    keys: tuple[str, ...]
    label: str
    tooltip: str
    group: Group
    footer: str = ""
    where: Literal["triage", "edit"] = "triage"

    @property
    def shown(self) -> str:
        """The first key as people write it."""
        return display(self.keys[0])

    @property
    def all_shown(self) -> str:
        """Every key as people write it."""
        return " ".join(display(key) for key in self.keys)


KEYS: tuple[Key, ...] = (
    Key("accept", ("a",), "accept", "Accept the sample as it is", "Decide", "accept"),
    Key("edit", ("e",), "edit", "Edit beside the original; the checks run again as you type", "Decide", "edit"),
    Key("edit_external", ("E",), "edit in $EDITOR", "Edit the response in your own editor", "Decide"),
    Key("reject", ("x",), "reject", "Reject: a second key, 1 to 9, gives the reason", "Decide", "reject"),
    Key("skip", ("s",), "skip", "Put the sample back; it does not return to you for an hour", "Decide", "skip"),
    Key("escalate", ("f",), "escalate", "Hand the sample to a lead", "Decide", "escalate"),
    Key("undo", ("u",), "undo", "Take back your last decision, as often as you like", "Decide", "undo"),
    Key("redo", ("U",), "redo", "Make the decision again that you took back", "Decide"),
    Key("note", ("n",), "note", "Write a note that goes with your decision", "Decide", "note"),
    Key("next_finding", ("]",), "next finding", "Jump to the next finding's place in the text", "Read", "finding"),
    Key("previous_finding", ("[",), "previous finding", "Jump to the previous finding's place in the text", "Read"),
    Key("down", ("j", "down"), "down", "Scroll down one line", "Read"),
    Key("up", ("k", "up"), "up", "Scroll up one line", "Read"),
    Key("page_down", ("space", "pagedown"), "page down", "Scroll down one page", "Read"),
    Key("page_up", ("pageup",), "page up", "Scroll up one page", "Read"),
    Key("top", ("g", "home"), "top", "Scroll to the beginning", "Read"),
    Key("bottom", ("G", "end"), "bottom", "Scroll to the end", "Read"),
    Key("next_pane", ("tab",), "next pane", "Move between prompt, response and side pane", "Read"),
    Key("previous_pane", ("shift+tab",), "previous pane", "Move between the panes, backwards", "Read"),
    Key("view", ("t",), "change view", "Show the text plain, as rendered Markdown, or escaped", "Read", "view"),
    Key("pane_findings", ("1",), "findings", "Show the findings in the side pane", "Look closer"),
    Key("pane_votes", ("2",), "votes", "Show the judges' votes in the side pane", "Look closer"),
    Key("pane_lineage", ("3",), "lineage", "Show where the sample comes from in the side pane", "Look closer"),
    Key("pane_duplicates", ("4",), "duplicates", "Show near-duplicates in the side pane", "Look closer"),
    Key("why", ("w",), "why", "Show why this sample is next", "Look closer", "why"),
    Key("history", ("h",), "history", "Show what happened to this sample", "Look closer"),
    Key("my_decisions", ("H",), "my decisions", "Show your last decisions", "Look closer"),
    Key("filter", ("/",), "filter", "Review only what matches: gen:2, verifier:code, a word", "Desk", "filter"),
    Key("palette", (":", "ctrl+p"), "commands", "Find a command by name", "Desk"),
    Key("help", ("?",), "help", "Show every key and the guideline", "Desk", "help"),
    Key("quit", ("q",), "quit", "Give the claims back and leave", "Desk", "quit"),
    Key("edit_leave_text", ("escape",), "to the commands", "Leave the text, so that letters are commands", "Edit",
        "commands", "edit"),
    Key("edit_save", ("a", "f2"), "save", "Check the edit again and store it (f2 also from within the text)", "Edit",
        "save", "edit"),
    Key("edit_text", ("e",), "to the text", "Go on typing", "Edit", "type", "edit"),
    Key("edit_turn", ("tab",), "next turn", "Edit the prompt or another turn", "Edit", "turn", "edit"),
    Key("edit_original", ("d",), "start over", "Drop the changes and the draft, after a question", "Edit",
        "start over", "edit"),
    Key("edit_leave", ("q",), "leave", "Leave without deciding; the draft is kept", "Edit", "leave", "edit"),
)  # fmt: skip


def keys_of(where: str, keys: Iterable[Key] = KEYS) -> tuple[Key, ...]:
    """The keys of one screen."""
    return tuple(key for key in keys if key.where == where)


def display(key: str) -> str:
    """A key's name as people write it."""
    return _NAMES.get(key, key)


def remapped(changes: Mapping[str, str], keys: Iterable[Key] = KEYS) -> tuple[Key, ...]:
    """The list with the keys of `[keys]` in the configuration; raises UsageError for an unknown id or unusable key."""
    keys = tuple(keys)
    known = {key.id for key in keys}
    for unknown in sorted(set(changes) - known):
        names = ", ".join(sorted(known))
        raise UsageError(f"[keys] in holdfast.toml names the unknown action {unknown!r}; known: {names}")
    result = tuple(replace(key, keys=_parse(key.id, changes[key.id])) if key.id in changes else key for key in keys)
    owners: dict[tuple[str, str], str] = {}
    for key in result:
        for name in key.keys:
            if (other := owners.setdefault((key.where, _plain(name)), key.id)) != key.id:
                raise UsageError(f"[keys] in holdfast.toml gives the key {name!r} to both {other!r} and {key.id!r}")
    return result


def _parse(action: str, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names:
        raise UsageError(f"[keys] in holdfast.toml gives {action!r} no key")
    for name in names:
        if name in _NEVER or (action in DECISIONS and name in _NEVER_FOR_DECISIONS):
            raise UsageError(f"[keys] in holdfast.toml: {name!r} cannot call {action!r}; terminals or habits claim it")
    return names


def _plain(name: str) -> str:
    return _TEXTUAL.get(name, name)


def bindings_markdown(keys: Iterable[Key] = KEYS) -> str:
    """The keys as a Markdown table for the documentation."""
    lines = ["| key | action | what it does | id in `[keys]` |", "|---|---|---|---|"]
    for key in keys:
        shown = " ".join(f"`{display(name)}`" for name in key.keys)
        lines.append(f"| {shown} | {key.label} | {key.tooltip} | `{key.id}` |")
    return "\n".join(lines) + "\n"
