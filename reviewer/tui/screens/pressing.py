"""One way for every key, click and command of a screen: refused with a reason, or done."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import Screen, ScreenResultType

from holdfast.reviewer.tui.bars import Tone
from holdfast.reviewer.tui.bindings import Key
from holdfast.reviewer.tui.widgets.bar import KeyBar


def textual_bindings(keys: tuple[Key, ...]) -> list[BindingType]:
    """The list of keys as Textual wants it."""
    return [
        Binding(",".join(key.keys), f"press('{key.id}')", key.label, show=False, tooltip=key.tooltip, id=key.id)
        for key in keys
    ]


class PressScreen(Screen[ScreenResultType], inherit_bindings=False):
    """The action of a key with the id `x` is the method `do_x`."""

    def refusal(self, action: str) -> str | None:
        """Why an action cannot be done now; None if it can."""
        return None

    def say(self, text: str, tone: Tone = "info") -> None:
        """Tell the reviewer what happened."""
        raise NotImplementedError

    def action_press(self, action: str) -> None:
        """Do what a key stands for, or say why not."""
        reason = self.refusal(action)
        if reason is not None:
            self.say(reason, "warn")
            return
        do: Callable[[], None] = getattr(self, f"do_{action}")
        do()

    @on(KeyBar.Pressed)
    def _on_key_bar_pressed(self, message: KeyBar.Pressed) -> None:
        self.action_press(message.action)
