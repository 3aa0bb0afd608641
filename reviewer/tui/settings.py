"""What the screen can be told from outside; the command line fills it from `holdfast.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """The screen's settings; `keys` maps a binding's id to the key (or comma-separated keys) that replace its own."""

    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str = "holdfast-dark"
    claims_ahead: int = 3
    heartbeat_seconds: float = 30.0
    idle_minutes: float = 20.0
    settle_ms: int = 150
    draft_seconds: float = 2.0
    retry_seconds: float = 1.0
    slow_seconds: float = 1.0
    preview_seconds: float = 0.4
