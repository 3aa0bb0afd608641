"""The command palette: the list of keys by name, and nothing that has no key or setting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandPalette, DiscoveryHit, Hit, Provider

from holdfast.reviewer.tui.bindings import Key, keys_of
from holdfast.reviewer.tui.themes import THEMES

if TYPE_CHECKING:
    from holdfast.reviewer.tui.screens.triage import TriageScreen


class KeyCommands(Provider):
    """Offers what can be done now; what cannot says why."""

    desk: TriageScreen

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Everything, in the order of the list."""
        for key in keys_of("triage", self.desk.keys):
            yield DiscoveryHit(
                f"{key.label}  ({key.all_shown})", partial(self.desk.action_press, key.id), help=self._help(key)
            )
        for theme in THEMES:
            yield DiscoveryHit(f"colours: {theme.name}", partial(setattr, self.app, "theme", theme.name))

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """What matches, best first."""
        matcher = self.matcher(query)
        for key in keys_of("triage", self.desk.keys):
            score = matcher.match(f"{key.label} {key.tooltip}")
            if score > 0:
                shown = matcher.highlight(f"{key.label}  ({key.all_shown})")
                yield Hit(score, shown, partial(self.desk.action_press, key.id), help=self._help(key))
        for theme in THEMES:
            score = matcher.match(name := f"colours: {theme.name}")
            if score > 0:
                yield Hit(score, matcher.highlight(name), partial(setattr, self.app, "theme", theme.name))

    def _help(self, key: Key) -> str:
        reason = self.desk.refusal(key.id)
        return key.tooltip if reason is None else f"{key.tooltip} (not now: {reason})"


def open_palette(screen: TriageScreen) -> None:
    """Open the palette over the desk."""
    provider = type("DeskCommands", (KeyCommands,), {"desk": screen})
    screen.app.push_screen(CommandPalette(providers=[provider], placeholder="Find a command …"))
