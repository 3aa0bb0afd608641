"""What the audit is read from: decided and undecided samples, counted by all that rates are asked for.

Only originals of closed ingests count: an edited sample stands under the decision to edit it, its revision is not
counted again, and gold samples are no data. The decision that counts is the latest adjudication, else the first one;
a sample that was escalated or skipped is undecided. Of decisions and their undoing, what the first `log_size` events
of the history say counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from holdfast.db.models import Choice, Provenance, Source
from holdfast.db.store import Store
from holdfast.db.verdicts import specs_of

UNVERIFIED, UNFLAGGED, FLAGGED, FAILED = "unverified", "unflagged", "flagged", "failed"
"""Kinds of samples by what verifiers said of them; a failed one is rejected without a look unless the audit drew it."""

STANDS = "{0}.seq <= :log_size AND ({0}.undone_seq IS NULL OR {0}.undone_seq > :log_size)"
"""True of decisions that stood when the log had so many events; {0} is a table of decisions."""

_COUNTING = f"""effective AS MATERIALIZED (SELECT d.sample_id, nullif(d.verdict, 'escalate') AS verdict, d.at
    FROM (SELECT coalesce(max(iif(x.kind = 'adjudication', x.seq, NULL)), min(x.seq)) AS seq FROM decisions x
        WHERE {STANDS.format("x")} AND x.verdict <> 'skip' AND x.kind IN ('first', 'adjudication')
        GROUP BY x.sample_id) e JOIN decisions d ON d.seq = e.seq)"""

_KIND = f"""CASE WHEN v.outcome IS NULL THEN '{UNVERIFIED}' WHEN v.outcome = 'pass' THEN '{UNFLAGGED}'
    WHEN v.outcome = 'fail' AND s.provenance <> 'human' THEN '{FAILED}' ELSE '{FLAGGED}' END"""

# The status of most samples says as much as their verdict, which is spared.
_KIND_BY_STATUS = f"""CASE WHEN st.verdict_id IS NULL OR st.status = 'pending' THEN '{UNVERIFIED}'
    WHEN st.status = 'passed' THEN '{UNFLAGGED}' WHEN st.status = 'flagged' AND NOT st.audit THEN '{FLAGGED}'
    ELSE (SELECT {_KIND} FROM verdicts v WHERE v.id = st.verdict_id) END"""

_ORIGINALS = """samples s JOIN ingests i ON i.id = s.ingest_id AND i.closed_at IS NOT NULL
    LEFT JOIN states st ON st.sample_id = s.id"""
_DATA = "st.status IS NOT 'gold'"


@dataclass(frozen=True, slots=True)
class Cell:
    """How many samples share a source, their (first) ingest into a batch, a kind, the draw and the decision on them."""

    source: Source
    batch: str
    ingest: int
    kind: str
    drawn: bool
    choice: Choice | None
    count: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """A cell of those samples that a label applies to: a verifier, a reviewer or a week."""

    label: str
    cell: Cell


def log_size_at(store: Store, instant: str) -> int:
    """How many events there were before an instant; the time it takes depends on how many came since."""
    row = store.read().execute("SELECT seq FROM events WHERE at < ? ORDER BY seq DESC LIMIT 1", (instant,)).fetchone()
    return 0 if row is None else int(row[0])


def cells(store: Store, *, log_size: int) -> list[Cell]:
    """All samples, counted; memory and size of the answer depend on the number of sources and ingests alone."""
    grouped = f"s.source_id, i.id, {_KIND_BY_STATUS} AS found, coalesce(st.audit, 0) AS drawn"
    by = "s.source_id, i.id, found, drawn"
    rows = _with_choices(
        store,
        f"SELECT {grouped}, NULL, count(*) FROM {_ORIGINALS} WHERE {_DATA} GROUP BY {by}",
        f"""WITH {_COUNTING} SELECT {grouped}, e.verdict, count(*) FROM effective e CROSS JOIN {_ORIGINALS}
        WHERE s.id = e.sample_id AND e.verdict IS NOT NULL AND {_DATA} GROUP BY {by}, e.verdict""",
        log_size,
    )
    named = _Names(store)
    return sorted((named.cell(*row) for row in rows), key=_place)


def by_verifier(store: Store, *, log_size: int) -> Iterator[Labelled]:
    """The samples that each verifier flags or fails, by its current verdict; a check that broke has flagged nothing."""
    grouped = f"r.stack_id, f.verifier, s.source_id, i.id, {_KIND} AS found, st.audit"
    by = "r.stack_id, f.verifier, s.source_id, i.id, found, st.audit"
    # Cross joins keep the order: from findings, or from decisions, to what belongs to them.
    rest = """CROSS JOIN samples s JOIN ingests i ON i.id = s.ingest_id AND i.closed_at IS NOT NULL
        JOIN runs r ON r.id = v.run_id"""
    where = f"""s.id = st.sample_id AND f.severity <> 'info' AND {_DATA} AND st.status <> 'pending'
        AND (f.code <> 'verifier-error' OR json_extract(v.outcomes, '$[' || f.verifier || ']') <> 'e')"""
    rows = _with_choices(
        store,
        f"""SELECT {grouped}, NULL, count(DISTINCT s.id)
        FROM findings f CROSS JOIN verdicts v CROSS JOIN states st {rest}
        WHERE v.id = f.verdict_id AND st.sample_id = v.sample_id AND st.verdict_id = v.id AND {where} GROUP BY {by}""",
        f"""WITH {_COUNTING} SELECT {grouped}, e.verdict, count(DISTINCT s.id)
        FROM effective e CROSS JOIN states st CROSS JOIN verdicts v CROSS JOIN findings f {rest}
        WHERE st.sample_id = e.sample_id AND v.id = st.verdict_id AND f.verdict_id = v.id AND e.verdict IS NOT NULL
        AND {where} GROUP BY {by}, e.verdict""",
        log_size,
    )
    named = _Names(store)
    specs = {row[0]: specs_of(row[1]) for row in store.read().execute("SELECT id, spec FROM stacks")}
    for stack, position, *values in rows:
        yield Labelled(specs[stack][position].name, named.cell(*values))


def by_reviewer(store: Store, *, log_size: int) -> Iterator[Labelled]:
    """What each reviewer was the first to decide, whether or not a lead overruled it later."""
    rows = store.read().execute(
        f"""SELECT d.reviewer, s.source_id, i.id, {_KIND} AS found, st.audit, d.verdict, count(*)
        FROM (SELECT x.sample_id, x.reviewer, x.verdict FROM decisions x
            WHERE {STANDS.format("x")} AND x.kind = 'first' AND x.verdict IN ('accept', 'edit', 'reject')) d
        CROSS JOIN {_ORIGINALS} LEFT JOIN verdicts v ON v.id = st.verdict_id WHERE s.id = d.sample_id AND {_DATA}
        GROUP BY d.reviewer, s.source_id, i.id, found, st.audit, d.verdict""",
        {"log_size": log_size},
    )
    named = _Names(store)
    for reviewer, *rest in rows:
        yield Labelled(reviewer, named.cell(*rest))


def by_week(store: Store, *, log_size: int) -> Iterator[Labelled]:
    """What was decided in each week (UTC); the label is its Monday."""
    rows = store.read().execute(
        f"""WITH {_COUNTING} SELECT date(e.at, '-6 days', 'weekday 1') AS monday, s.source_id, i.id,
        {_KIND} AS found, st.audit, e.verdict, count(*)
        FROM effective e CROSS JOIN {_ORIGINALS} LEFT JOIN verdicts v ON v.id = st.verdict_id
        WHERE s.id = e.sample_id AND e.verdict IS NOT NULL AND {_DATA}
        GROUP BY monday, s.source_id, i.id, found, st.audit, e.verdict""",
        {"log_size": log_size},
    )
    named = _Names(store)
    for monday, *rest in rows:
        yield Labelled(monday, named.cell(*rest))


def _with_choices(store: Store, everything: str, decided: str, log_size: int) -> Iterator[tuple[Any, ...]]:
    """Counts by group and decision: those of the decided, and of what is left of everything.

    One statement with an outer join would search all decisions for each sample.
    """
    left: Counter[tuple[Any, ...]] = Counter()
    for *group, _, count in store.read().execute(everything):
        left[tuple(group)] += count
    for *group, choice, count in store.read().execute(decided, {"log_size": log_size}):
        left[tuple(group)] -= count
        yield (*group, choice, count)
    yield from ((*group, None, count) for group, count in left.items() if count)


def _place(cell: Cell) -> tuple[object, ...]:
    return (repr(cell.source), cell.ingest, cell.kind, cell.drawn, cell.choice or "")


class _Names:
    """Sources, and the batches of ingests, by their row ids."""

    def __init__(self, store: Store) -> None:
        connection = store.read()
        self._batches = dict(
            connection.execute("SELECT i.id, b.name FROM ingests i JOIN batches b ON b.id = i.batch_id").fetchall()
        )
        self._sources = {
            row[0]: Source(Provenance(row[1]), row[2], row[3], row[4], row[5])
            for row in connection.execute("SELECT id, provenance, model, family, generation, domain FROM sources")
        }

    def cell(self, source: int, ingest: int, kind: str, drawn: int, verdict: str | None, count: int) -> Cell:
        """A row of one of the queries."""
        choice = None if verdict is None else Choice(verdict)
        return Cell(self._sources[source], self._batches[ingest], ingest, kind, bool(drawn), choice, count)
