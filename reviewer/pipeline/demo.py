"""A project of the demo's samples: ingested, verified, partly reviewed, so that every screen has something to show."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from holdfast.db.errors import UsageError
from holdfast.db.models import Choice, Role
from holdfast.db.samples import load, resolve
from holdfast.db.store import Store
from holdfast.db.users import add_user
from holdfast.reviewer.config import FILE_NAME
from holdfast.reviewer.demo import BATCHES, DECISIONS, VOTES, data_file
from holdfast.reviewer.exchange.chunks import Chunks
from holdfast.reviewer.pipeline.decide import Ask, Judge, decide
from holdfast.reviewer.pipeline.ingest import ingest
from holdfast.reviewer.pipeline.judging import judge_of
from holdfast.reviewer.pipeline.verify import verify
from holdfast.reviewer.pipeline.votes import import_votes
from holdfast.reviewer.project import Project

LEAD, ANNOTATOR = "lead-1", "annotator-1"
AUDIT_PER_SOURCE = 4
"""Few, so that what was flagged is not lost among what was drawn."""


def make_demo(folder: Path, *, user: str) -> Project:
    """Make the demo in an empty or new folder, with `user` as its lead; a project that is there is opened as it is.

    It appears whole or not at all. UsageError where the folder holds other things.
    """
    target = folder.absolute()
    if (target / FILE_NAME).is_file():
        return Project(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target}: holds other things; name an empty or a new folder with --dir")
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as making:
        made = Project.init(Path(making) / target.name, shared=False, user=user)
        _settle(made.root / FILE_NAME)
        _fill(Project(made.root), user)
        os.replace(Path(making) / target.name, target)
    return Project(target)


def _settle(settings: Path) -> None:
    key = "audit_min_per_source"
    lines = settings.read_text(encoding="utf-8").splitlines()
    lines = [f"{key} = {AUDIT_PER_SOURCE}" if line.startswith(f"#{key} = ") else line for line in lines]
    settings.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _fill(project: Project, user: str) -> None:
    with project.store() as store:
        for name, role in ((LEAD, Role.LEAD), (ANNOTATOR, Role.ANNOTATOR)):
            if name != user:
                add_user(store, name=name, role=role, actor=user)
        for batch in BATCHES:
            with data_file(batch.file) as path:
                ingest(store, [str(path)], batch=batch.name, actor=user)
        with data_file(VOTES) as path, Chunks.of(path) as chunks:
            import_votes(store, [(VOTES, chunks)], actor=user, progress=lambda _: None)
        verify(project, store, actor=user, workers=1)
        _decide(store, judge_of(project, store))


def _decide(store: Store, judge: Judge) -> None:
    with data_file(DECISIONS) as path:
        lines = path.read_bytes().splitlines()
    for line in lines:
        row = orjson.loads(line)
        decide(store, _ask(store, row), reviewer=row["by"], judge=judge)


def _ask(store: Store, row: dict[str, Any]) -> Ask:
    sample_id = resolve(store, row["ref"])
    response = row.get("response")
    return Ask(
        sample_id=sample_id,
        choice=Choice(row["verdict"]),
        reason=row.get("reason"),
        note=row.get("note"),
        messages=None if response is None else load(store, sample_id).sample.with_response(response),
        second_opinion=row.get("second_opinion", False),
    )
