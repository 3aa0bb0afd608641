"""Why a key does nothing just now, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.reviewer.tui.bindings import DECISIONS, WRITES

_NEED_SAMPLE = DECISIONS | {
    *("note", "view", "why", "history", "next_finding", "previous_finding"),
    *("pane_findings", "pane_votes", "pane_lineage", "pane_duplicates"),
}


@dataclass(frozen=True, slots=True)
class State:
    """What a key's use depends on."""

    sample: bool = False
    settled: bool = False
    places: int = 0
    read_only: bool = False
    closing: bool = False
    can_suspend: bool = True


def why_not(action: str, state: State) -> str | None:
    """Why an action cannot be done now; None if it can."""
    if state.closing and action not in {"quit", "help"}:
        return "the desk is closing; your answers are being saved"
    if action in _NEED_SAMPLE and not state.sample:
        return "no sample is on screen"
    if action in WRITES and state.read_only:
        return "the store cannot be written by you: decisions are off"
    if action in {"next_finding", "previous_finding"} and not state.places:
        return "no finding has a place in this text"
    if action == "edit_external" and not state.can_suspend:
        return "another program cannot take over this terminal; use e"
    if action in DECISIONS and not state.settled:
        return "the sample had only just changed; press again"
    return None
