"""The words of the status line, the message line and the key bar. Pure: values in, documents out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rich.cells import cell_len

from holdfast.db.models import Choice
from holdfast.reviewer.pipeline.desk import ClaimedItem, Progress, QuotaEffect
from holdfast.reviewer.tui.bindings import Key, display
from holdfast.reviewer.tui.docs import Builder, Doc
from holdfast.reviewer.tui.panels import decimal

Tone = Literal["good", "warn", "block", "info"]
_SIGNS: dict[Tone, str] = {"good": "✓", "warn": "▲", "block": "✖", "info": "•"}
DONE = {
    Choice.ACCEPT: "accepted",
    Choice.EDIT: "edited",
    Choice.REJECT: "rejected",
    Choice.SKIP: "skipped",
    Choice.ESCALATE: "escalated",
}
_GAP = " · "


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the status line; the greatest `rank` is left out first where the line is narrow."""

    rank: int
    text: str
    kind: str = ""


def status(
    progress: Progress | None,
    item: ClaimedItem | None,
    *,
    seat: str,
    where: str,
    late: bool,
    now: datetime,
    width: int,
) -> Doc:
    """The status line: queue, my day, lease, the quota effect of accepting, alarms, pace, whose desk this is."""
    parts = [_Part(1, f"/{where}", "key")] if where else []
    if progress is not None:
        parts += _standing(progress)
    if item is not None:
        parts.append(_Part(5, "lease lost", "block-sign") if late else _Part(5, f"lease {lease(item.expires_at, now)}"))
        if progress is not None and progress.quota is not None:
            effect = progress.quota.accepting(item.quota_weight)
            parts.append(_Part(2, f"accepting: {_in_words(effect)}", "warn-sign" if effect.over else ""))
    parts.append(_Part(7, seat, "dim"))
    return _fit(parts, width)


def _in_words(effect: QuotaEffect) -> str:
    over = "  ▲ over the cap" if effect.over else ""
    return f"ratio {decimal(effect.before)} → {decimal(effect.after)} of {decimal(effect.cap)}{over}"


def lease(expires_at: datetime, now: datetime) -> str:
    """What is left of a lease: whole minutes, at the end minutes and seconds."""
    seconds = max(int((expires_at - now).total_seconds()), 0)
    return f"{seconds // 60} min" if seconds >= 120 else f"{seconds // 60}:{seconds % 60:02}"


def pace(progress: Progress) -> str:
    """How fast I am and how long the queue takes at that pace."""
    if not progress.per_minute:
        return ""
    if not progress.left:
        return f"{progress.per_minute:.1f}/min"
    minutes = round(progress.left / progress.per_minute)
    left = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{max(minutes, 1)} min"
    return f"{progress.per_minute:.1f}/min, {left} to go"


def message(text: str, tone: Tone) -> Doc:
    """One line that says what happened, with a sign."""
    if not text:
        return Doc()
    kind = tone if tone == "good" else f"{tone}-sign"
    return Builder().add(f"{_SIGNS[tone]} ", kind).add(text.replace("\n", " ")).build()


def keys(
    listed: Iterable[Key], width: int, refused: Callable[[str], bool], *, typing: bool = False
) -> tuple[Doc, dict[int, str]]:
    """The key bar, dim where a key is refused now, and which action each number in its regions calls.

    Where the line is narrow, the last but help and quit are left out. While `typing`, letters are no commands.
    """
    shown = [key for key in listed if key.footer]
    names = {key.id: display(_command(key, typing)) for key in shown}
    sizes = {key.id: cell_len(f"{names[key.id]} {key.footer}  ") for key in shown}
    while len(shown) > 2 and sum(sizes[key.id] for key in shown) > width:
        del shown[-3]
    builder = Builder()
    targets: dict[int, str] = {}
    for number, key in enumerate(shown, 1):
        targets[number] = key.id
        dim = refused(key.id) or (typing and len(_command(key, typing)) == 1)
        builder.add(names[key.id], "dim" if dim else "key", number=number)
        builder.add(f" {key.footer}", "dim" if dim else "plain", number=number).add("  ")
    return builder.build(), targets


def _command(key: Key, typing: bool) -> str:
    """The key to name: while letters are typed one that is no letter, if there is one."""
    return next((name for name in key.keys if len(name) > 1), key.keys[0]) if typing else key.keys[0]


def _standing(progress: Progress) -> list[_Part]:
    day = f"{progress.decided_today}/{progress.goal}" if progress.goal else str(progress.decided_today)
    parts = [_Part(0, f"{progress.left:,} left", "strong"), _Part(3, f"today {day}")]
    if progress.alarm:
        parts.append(_Part(1, f"▲ {progress.alarm}", "warn-sign"))
    if spoken := pace(progress):
        parts.append(_Part(6, spoken))
    return parts


def _fit(parts: list[_Part], width: int) -> Doc:
    while sum(cell_len(part.text) + len(_GAP) for part in parts) - len(_GAP) > width and len(parts) > 1:
        parts.remove(max(parts, key=lambda part: part.rank))
    builder = Builder()
    for index, part in enumerate(parts):
        builder.add(_GAP if index else "", "dim").add(part.text, *((part.kind,) if part.kind else ()))
    return builder.build()
