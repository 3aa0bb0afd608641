"""Who may do what: users and their roles, a projection of `user.added` events."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from holdfast.db import events, personal
from holdfast.db.errors import NotPermitted, UsageError
from holdfast.db.models import Role
from holdfast.db.store import Store, text_of

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What names of users, batches and mixes are made of."""


@dataclass(frozen=True, slots=True)
class User:
    """A person, or a script that acts for one."""

    name: str
    role: Role
    added_at: str


def check_name(name: str, kind: str) -> str:
    """The name itself; UsageError where it has other characters than letters, digits, dot, dash and underscore."""
    if NAME.fullmatch(name) is None:
        raise UsageError(f"{kind} {name[:80]!r}: a name has 1 to 64 letters, digits, dots, dashes or underscores")
    return name


def role_of(store: Store, name: str) -> Role | None:
    """A user's role; None for a name the store has not met."""
    return _role(store.read(), name)


def add_user(store: Store, *, name: str, role: Role, actor: str) -> None:
    """Add a user or change a role; the first user of a store needs no lead, later ones do (NotPermitted)."""
    check_name(name, "user")
    with store.write() as connection:
        first = connection.execute("SELECT 1 FROM users").fetchone() is None
        if not first and _role(connection, actor) is not Role.LEAD:
            raise NotPermitted(f"{actor} is not a lead: only leads add users")
        _insert(connection, name=name, role=role, actor=actor, at=text_of(store.now()))
        if role is Role.LEAD:
            personal.release_gold(connection, name)


def ensure_user(connection: sqlite3.Connection, name: str, *, at: str) -> Role:
    """The user's role, inside a write transaction; an unknown name becomes an annotator."""
    role = _role(connection, name)
    if role is None:
        check_name(name, "user")
        role = Role.ANNOTATOR
        _insert(connection, name=name, role=role, actor=name, at=at)
    return role


def users(store: Store) -> list[User]:
    """All users by name."""
    rows = store.read().execute("SELECT name, role, added_at FROM users ORDER BY name")
    return [User(row["name"], Role(row["role"]), row["added_at"]) for row in rows]


def _role(connection: sqlite3.Connection, name: str) -> Role | None:
    row = connection.execute("SELECT role FROM users WHERE name = ?", (name,)).fetchone()
    return None if row is None else Role(row[0])


def _insert(connection: sqlite3.Connection, *, name: str, role: Role, actor: str, at: str) -> None:
    events.append(connection, at=at, actor=actor, type="user.added", payload={"name": name, "role": role.value})
    connection.execute(
        "INSERT INTO users VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET role = excluded.role",
        (name, role.value, at),
    )
