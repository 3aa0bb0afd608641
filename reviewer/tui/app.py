"""The review desk as an application: one screen to decide on, others opened over it when asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from holdfast.db.errors import UsageError
from holdfast.reviewer.pipeline.desk import Desk
from holdfast.reviewer.tui.bindings import remapped
from holdfast.reviewer.tui.line_filter import SafeApp
from holdfast.reviewer.tui.screens.triage import TriageScreen
from holdfast.reviewer.tui.settings import Settings
from holdfast.reviewer.tui.themes import THEMES, variables_for


def _utc_now() -> datetime:
    return datetime.now(UTC)


class HoldfastApp(SafeApp[None], inherit_bindings=False):
    """Runs a desk; UsageError if the settings name keys that cannot be."""

    CSS_PATH = Path(__file__).with_name("holdfast.tcss")
    TITLE = "Holdfast"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "say_how_to_quit", show=False, system=True)]

    def __init__(self, desk: Desk, settings: Settings | None = None, *, now: Callable[[], datetime] = _utc_now) -> None:
        settings = settings or Settings()
        keys = remapped(settings.keys)
        super().__init__()
        self.input_time = monotonic()
        for theme in THEMES:
            self.register_theme(theme)
        if settings.theme not in self.available_themes:
            names = ", ".join(theme.name for theme in THEMES)
            raise UsageError(f"theme in holdfast.toml: {settings.theme!r} is unknown; {names} are there")
        self.theme = settings.theme
        self.set_keymap({action: keys for action, keys in settings.keys.items()})
        self.triage = TriageScreen(desk, settings, keys, now, lambda: self.input_time)

    def get_default_screen(self) -> TriageScreen:
        """The triage screen is there from the first frame."""
        return self.triage

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The stylesheet's own variables."""
        return variables_for(self.current_theme.dark)

    async def on_event(self, event: events.Event) -> None:
        """Note when the last key or click was made; the one that ends a pause does nothing else."""
        if isinstance(event, events.InputEvent) and not event.is_forwarded and not isinstance(event, events.MouseMove):
            self.input_time = event.time
            if isinstance(event, events.Key | events.MouseDown) and self.triage.wake():
                return
        await super().on_event(event)

    def action_say_how_to_quit(self) -> None:
        """Ctrl+C leaves nothing half done: it only says how to leave."""
        self.triage.say(f"{self.triage.key('quit')} leaves the desk and gives the claims back")
