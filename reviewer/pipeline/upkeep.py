"""Checking the store against itself and against manifests written earlier, and rebuilding what can be rebuilt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from holdfast.db.check import Problem, Progress, check
from holdfast.db.events import Head
from holdfast.db.exports import exports
from holdfast.db.replay import repair
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.verify import entry_of
from holdfast.reviewer.project import Project


def problems_of(store: Store, project: Project, progress: Progress | None = None) -> list[Problem]:
    """Everything that is not as it was written; manifests in the project's folder vouch for the log."""
    return list(check(store, heads=_heads(store, project), progress=progress))


def repair_projections(store: Store) -> None:
    """Rebuild users, statuses, counts, queue and full text from the log and the verdicts."""
    repair(store, entry_of(store))


def _heads(store: Store, project: Project) -> Iterator[tuple[str, Head]]:
    """The log heads of all manifests that can be found, each with the manifest's path."""
    beside = (Path(f"{export.path}.manifest.json") for export in exports(store))
    for path in sorted({*project.root.rglob("*.manifest.json"), *(path for path in beside if path.is_file())}):
        head = _head_in(path)
        if head is not None:
            yield str(path), head


def _head_in(path: Path) -> Head | None:
    """The head that a manifest names; None where the file is another kind of manifest."""
    try:
        manifest = orjson.loads(path.read_bytes())
        return Head(int(manifest["log_head"]["size"]), str(manifest["log_head"]["root"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
