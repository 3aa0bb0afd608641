"""The command palette: the list of keys by name, and nothing that has no key or setting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandPalette, DiscoveryHit, Hit, Provider
from textual.content import Content
from textual.fuzzy import FuzzySearch

from holdfast.reviewer.tui.bindings import keys_of
from holdfast.reviewer.tui.themes import THEMES

if TYPE_CHECKING:
    from holdfast.reviewer.tui.screens.triage import TriageScreen


class KeyCommands(Provider):
    """Offers what can be done now; what cannot says why."""

    desk: TriageScreen

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Everything, in the order of the list."""
        for name, run in self._commands():
            yield DiscoveryHit(Content(name), command=run, text=name)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """What matches, best first."""
        fuzzy = FuzzySearch()
        for name, run in self._commands():
            score, offsets = fuzzy.match(query, name)
            if score > 0:
                shown = Content(name)
                for offset in offsets:
                    shown = shown.stylize("bold underline", offset, offset + 1)
                yield Hit(score=score, match_display=shown, command=run, text=name)

    def _commands(self) -> Iterator[tuple[str, Callable[[], None]]]:
        for key in keys_of("triage", self.desk.keys):
            reason = self.desk.refusal(key.id)
            what = key.tooltip if reason is None else f"not now: {reason}"
            yield f"{key.label:<16} {key.all_shown:<11} {what}", partial(self.desk.action_press, key.id)
        for theme in THEMES:
            yield f"colours: {theme.name}", partial(setattr, self.app, "theme", theme.name)


def open_palette(screen: TriageScreen) -> None:
    """Open the palette over the desk."""
    provider = type("DeskCommands", (KeyCommands,), {"desk": screen})
    screen.app.push_screen(CommandPalette(providers=[provider], placeholder="Find a command …"))
