"""The jails of this machine. Without any, tests that run code fail under CI and are skipped elsewhere."""

from __future__ import annotations

import os
from functools import cache

import pytest

from holdfast.verifiers import sandbox
from holdfast.verifiers.jail import walls


def need_a_jail() -> None:
    """End the test where no jail holds."""
    found = sandbox.available()
    if isinstance(found, sandbox.Unavailable):
        give_up(found.remedy)


def jail_named(name: str) -> walls.Jail:
    """The jail of that name; ends the test where it does not hold."""
    jail = _holding(name)
    if jail is None:
        need_a_jail()
        pytest.skip(f"{name} does not hold here, another jail does")
    return jail


def give_up(why: str) -> None:
    """Fail under CI, where a jail has to be, and skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@cache
def _holding(name: str) -> walls.Jail | None:
    return next((jail for jail in walls.candidates() if jail.name == name and sandbox.holds(jail)), None)
