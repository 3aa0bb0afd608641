"""Fixtures that every part's tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from holdfast.db.models import Message, Provenance, Sample
from holdfast.db.store import Store

# Machines that run the tests are shared: how long one example takes says nothing about the code.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")

PERSONAL = ("HOLDFAST_", "TEXTUAL", "XDG_")
"""Prefixes of environment variables in which a developer's own choices stand."""


class Clock:
    """A clock that stands still until it is stepped."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def step(self, seconds: float = 1.0) -> datetime:
        """Move on, and say what time it is then."""
        self.instant += timedelta(seconds=seconds)
        return self.instant


@pytest.fixture(autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the home folder or the settings of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    for name in os.environ:
        if name.startswith(PERSONAL) or name in {"EDITOR", "VISUAL", "NO_COLOR"}:
            monkeypatch.delenv(name)


@pytest.fixture
def clock() -> Clock:
    """The clock of `store`."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """An empty store in a file of its own, at the time that `clock` shows."""
    with Store.create(tmp_path / "holdfast.db", now=clock) as store:
        yield store


@pytest.fixture
def sample() -> Callable[..., Sample]:
    """Make a sample from a prompt and a response; any field of Sample can be given by name."""

    def make(prompt: str = "What is 2 + 2?", response: str = "4", **fields: Any) -> Sample:
        messages = (Message(role="user", content=prompt), Message(role="assistant", content=response))
        defaults = {"messages": messages, "provenance": Provenance.SYNTHETIC, "model": "model-a", "generation": 1}
        return Sample(**{**defaults, **fields})

    return make
