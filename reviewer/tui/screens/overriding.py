"""Why a blocking finding does not stop a sample: asked for whenever one is accepted over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from holdfast.reviewer.tui.screens.dialogs import LineScreen, PickScreen

OVERRIDES = (
    ("wrong-finding", "the finding is wrong"),
    ("harmless", "true, but harmless here"),
    ("known-exception", "an exception agreed with a lead"),
    ("other", "another reason (write it)"),
)


def ask_override(app: App[Any], answered: Callable[[str | None], None]) -> None:
    """Ask for the reason: a code of OVERRIDES, or words of one's own; None if the reviewer goes back."""

    def picked(code: str | None) -> None:
        if code == "other":
            app.push_screen(LineScreen("Why does the finding not count?", needed=True), answered)
        else:
            answered(code)

    app.push_screen(PickScreen("A blocking finding stands. Why does it not count?", OVERRIDES), picked)
