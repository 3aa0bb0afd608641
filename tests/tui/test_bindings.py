"""The one list of keys."""

from __future__ import annotations

import pytest
from fake_desk import FakeDesk

from holdfast.db.errors import UsageError
from holdfast.reviewer.tui.app import HoldfastApp
from holdfast.reviewer.tui.bindings import DECISIONS, KEYS, WRITES, bindings_markdown, keys_of, remapped
from holdfast.reviewer.tui.guards import State, why_not
from holdfast.reviewer.tui.screens.edit import EditScreen
from holdfast.reviewer.tui.screens.triage import TriageScreen
from holdfast.reviewer.tui.settings import Settings


def test_every_key_of_the_design_is_there() -> None:
    keys = {name for key in keys_of("triage") for name in key.keys}
    expected = set("aeExsfnuUhHjk[]gGwt/:?q1234") | {"space", "tab"}
    assert expected <= keys


def test_every_key_has_its_action() -> None:
    for key in KEYS:
        screen = TriageScreen if key.where == "triage" else EditScreen
        assert callable(getattr(screen, f"do_{key.id}")), key.id


def test_ids_and_keys_are_unique_on_their_screen() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    for where in ("triage", "edit"):
        names = [name for key in keys_of(where) for name in key.keys]
        assert len(set(names)) == len(names)


def test_decisions_are_single_letters_without_modifiers() -> None:
    for key in KEYS:
        if key.id in DECISIONS:
            assert all(len(name) == 1 and name.isalpha() for name in key.keys)


def test_the_documentation_table_lists_every_key() -> None:
    table = bindings_markdown()
    assert len(table.splitlines()) == len(KEYS) + 2
    assert all(f"`{key.id}`" in table for key in KEYS)


def test_remapping() -> None:
    assert {key.id: key.keys for key in remapped({"accept": "y, f5"})}["accept"] == ("y", "f5")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"acept": "y"}, "unknown action 'acept'"),
        ({"accept": "e"}, "both 'accept' and 'edit'"),
        ({"accept": "["}, "both"),
        ({"accept": "ctrl+z"}, "cannot call 'accept'"),
        ({"reject": "enter"}, "cannot call 'reject'"),
        ({"skip": " , "}, "no key"),
    ],
)
def test_keys_that_cannot_be_are_refused_before_the_screen_opens(changes: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("[", r"\[")):
        HoldfastApp(FakeDesk(), Settings(keys=changes))


def test_an_unknown_theme_is_refused_before_the_screen_opens() -> None:
    with pytest.raises(UsageError, match="'mauve' is unknown"):
        HoldfastApp(FakeDesk(), Settings(theme="mauve"))


@pytest.mark.parametrize("action", sorted(DECISIONS))
def test_decisions_say_why_they_are_off(action: str) -> None:
    ready = State(sample=True, settled=True, places=1)
    assert why_not(action, ready) is None
    assert "no sample" in str(why_not(action, State()))
    assert "only just changed" in str(why_not(action, State(sample=True)))
    assert "cannot be written" in str(why_not(action, State(sample=True, settled=True, read_only=True)))


def test_reading_needs_no_store() -> None:
    read_only = State(sample=True, settled=True, places=1, read_only=True)
    for key in keys_of("triage"):
        assert (why_not(key.id, read_only) is None) == (key.id not in WRITES)
