"""Between the worker threads and the desk: closing waits for the calls under way, and none comes after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

from holdfast.db.errors import HoldfastError
from holdfast.reviewer.pipeline.desk import Desk

_PATIENCE_SECONDS = 10.0


class DeskClosed(HoldfastError):
    """The desk was closed before the call."""


class _Gate:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._inside = 0
        self._shut = False
        self._changed = threading.Condition()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._desk, name)
        return self._guarded(value) if callable(value) else value

    def close(self) -> None:
        with self._changed:
            self._shut = True
            self._changed.wait_for(lambda: self._inside == 0, _PATIENCE_SECONDS)
        self._desk.close()

    def _guarded(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._changed:
                if self._shut:
                    raise DeskClosed("the desk is closed")
                self._inside += 1
            try:
                return method(*args, **kwargs)
            finally:
                with self._changed:
                    self._inside -= 1
                    self._changed.notify_all()

        return call


def gated(desk: Desk) -> Desk:
    """The desk behind a gate that `close` shuts; later calls raise DeskClosed."""
    return cast(Desk, _Gate(desk))
