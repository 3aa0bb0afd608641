"""A case through the product: ingested into a project, its votes imported, verified; what the order then reads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from triage.cases import Case, Record

from holdfast.db.models import Sample, Status
from holdfast.db.orderings import state_of
from holdfast.db.ranking import Rankable, rankables
from holdfast.db.store import Store
from holdfast.reviewer.exchange.chunks import Chunks
from holdfast.reviewer.exchange.options import ReadOptions
from holdfast.reviewer.pipeline import verifying
from holdfast.reviewer.pipeline.fits import audit_chances
from holdfast.reviewer.pipeline.ingest import ingest
from holdfast.reviewer.pipeline.ordering import bring_up_to_date
from holdfast.reviewer.pipeline.ordering_places import placing_of
from holdfast.reviewer.pipeline.verify import verify
from holdfast.reviewer.pipeline.votes import import_votes
from holdfast.reviewer.policy.ordering import Placing
from holdfast.reviewer.project import Project
from holdfast.verifiers.answers import Answer
from holdfast.verifiers.oracles import programs

USER = "lead-1"
_PAGE = 500
_executed: dict[str, Answer | None] = {}


@dataclass(frozen=True)
class Verified:
    """The batch under review as the order reads it, with the truth beside it, and the project's first ordering.

    `rule`, `placing` and `audit_chances` (by source) are what the product made of the verdicts before any decision;
    `others` are the comparators' samples. What checks reject is left out: nobody is asked about it.
    """

    rankables: list[Rankable]
    bad: list[bool]
    group: list[str]
    others: list[Rankable]
    rule: dict[str, Any]
    placing: Placing
    audit_chances: dict[str, float]
    rejected: int


def verified(case: Case) -> Verified:
    """Ingest and verify a case in a temporary project."""
    with tempfile.TemporaryDirectory() as folder:
        root = Project.init(Path(folder) / "project", shared=False, user=USER).root
        (root / "holdfast.toml").write_text(case.settings)
        project = Project(root)
        with project.store() as store:
            _ingest(store, Path(folder), "review", [one for one in case.records if one["id"] in case.bad])
            comparators = [one for one in case.records if one["id"] not in case.bad]
            if comparators:
                _ingest(store, Path(folder), "comparators", comparators)
            if case.votes:
                file = _written(Path(folder) / "votes.jsonl", list(case.votes))
                with Chunks.of(file, gz=False) as chunks:
                    report = import_votes(store, [("votes", chunks)], actor=USER, progress=lambda _: None)
                if report.refused:
                    raise SystemExit(f"{case.name}: votes refused: {report.refused[0]}")
            with _each_program_once():
                verify(project, store, actor=USER)
            return _read(project, store, case)


def _ingest(store: Store, folder: Path, batch: str, records: list[Record]) -> None:
    maps = (("external_id", "id"),)
    file = _written(folder / f"{batch}.jsonl", records)
    report = ingest(store, [str(file)], batch=batch, actor=USER, options=ReadOptions(maps=maps))
    if report.quarantined:
        raise SystemExit(f"{batch}: {report.quarantined} records were not read")


def _written(path: Path, records: list[Record]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return path


@contextmanager
def _each_program_once() -> Iterator[None]:
    """Verify in this process, and run each text's program once for all seeds: what it computes is the same."""
    run: Callable[[Sample], Answer | None] = programs.executed_answer
    limits = verifying.INLINE_SAMPLES, verifying.INLINE_CORPUS

    def remembered(sample: Sample) -> Answer | None:
        if sample.response not in _executed:
            _executed[sample.response] = run(sample)
        return _executed[sample.response]

    programs.executed_answer = remembered  # type: ignore[assignment]
    verifying.INLINE_SAMPLES = verifying.INLINE_CORPUS = 1 << 30
    try:
        yield
    finally:
        programs.executed_answer = run  # type: ignore[assignment]
        verifying.INLINE_SAMPLES, verifying.INLINE_CORPUS = limits


def _read(project: Project, store: Store, case: Case) -> Verified:
    ordered = bring_up_to_date(project, store, actor=USER)
    assert ordered is not None
    state = state_of(store, ordered.ordering.version)
    rows = store.read().execute("SELECT sample_id, external_id FROM occurrences ORDER BY id").fetchall()
    external: dict[int, str] = {}
    for sample_id, external_id in rows:
        external.setdefault(sample_id, external_id)
    ids = list(external)
    found = [one for at in range(0, len(ids), _PAGE) for one in rankables(store, ids[at : at + _PAGE])]
    mine = [one for one in found if external[one.sample_id] in case.bad]
    waiting = [one for one in mine if one.status is not Status.REJECTED]
    names = [external[one.sample_id] for one in waiting]
    return Verified(
        rankables=waiting,
        bad=[case.bad[name] for name in names],
        group=[case.group[name] for name in names],
        others=[one for one in found if external[one.sample_id] not in case.bad],
        rule=state["estimator"]["rule"],
        placing=placing_of(state),
        audit_chances=audit_chances(store, project.config.review),
        rejected=len(mine) - len(waiting),
    )
