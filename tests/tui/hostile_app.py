"""A bare app that puts the texts of a JSON file where text can stand, for test_hostile_text.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Header, Input, Static, TextArea

from holdfast.reviewer.sanitise import sanitise
from holdfast.reviewer.tui.line_filter import SafeApp


class HostileApp(SafeApp[None]):
    """Every text in a label and an input; all in an editor, titles and a notification; `enter` makes it fail."""

    CSS = "Static, TextArea { height: auto; } Input { height: 1; border: none; } Toast { max-width: 100; }"

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self.texts = texts

    def compose(self) -> ComposeResult:
        yield Header()
        for text in self.texts:
            yield Static(Content(text))
            yield Input(value=text)
        yield TextArea("\n".join(self.texts))

    def on_mount(self) -> None:
        together = "".join(self.texts)
        self.title = self.sub_title = together
        self.screen.styles.border = ("solid", "red")
        self.screen.border_title = Content(together.replace("\n", " "))
        self.notify(together, title=f"ALL SHOWN {together}", markup=False, timeout=60)

    def on_input_submitted(self) -> None:
        raise RuntimeError("".join(self.texts))


if __name__ == "__main__":
    found: list[str] = json.loads(Path(sys.argv[2]).read_text())
    HostileApp([sanitise(text).text for text in found] if sys.argv[1] == "sanitised" else found).run()
