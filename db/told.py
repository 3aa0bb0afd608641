"""Counts as an annotator may know them: what could tell the streams apart is counted as if it were flagged work."""

from __future__ import annotations

from collections import Counter

from holdfast.db.models import Provenance, Source, Status
from holdfast.db.personal import REST
from holdfast.db.samples import Tally, tallies
from holdfast.db.store import Store, text_of

_AS_SAID = """CASE (SELECT d.verdict FROM decisions d WHERE d.kind = 'gold' AND d.reviewer = :reviewer
        AND d.sample_id = g.sample_id AND d.undone_seq IS NULL AND d.verdict <> 'skip' AND d.at >= :rested
        ORDER BY d.seq DESC LIMIT 1)
    WHEN 'accept' THEN 'approved' WHEN 'reject' THEN 'rejected' WHEN 'edit' THEN 'superseded'
    WHEN 'escalate' THEN 'escalated' ELSE 'flagged' END"""

_MOVED = f"""SELECT sample_id, 'gold' AS was, {_AS_SAID} AS told FROM gold g
    UNION ALL SELECT r.sample_id, t.status, 'flagged' FROM rereviews r JOIN states t ON t.sample_id = r.sample_id
        WHERE r.reviewer = :reviewer AND r.due_at <= :now
    UNION ALL SELECT x.sample_id, t.status, 'flagged' FROM overlaps x JOIN states t ON t.sample_id = x.sample_id
        WHERE NOT EXISTS (SELECT 1 FROM json_each(x.people) WHERE value = :reviewer)
    UNION ALL SELECT sample_id, 'passed', 'flagged' FROM states WHERE audit AND status = 'passed'
    UNION ALL SELECT DISTINCT d.revision_id, t.status, 'approved' FROM decisions d
        JOIN states t ON t.sample_id = d.revision_id
        WHERE d.kind = 'gold' AND d.reviewer = :reviewer AND d.undone_seq IS NULL AND t.status = 'superseded'"""


def tallies_for(store: Store, reviewer: str) -> list[Tally]:
    """The counts by source and status as an annotator may know them, ordered as `samples.tallies` orders them.

    Gold counts as its last answer by the reviewer has it, as flagged without one; so does whatever else the reviewer
    may be given as if nobody had decided it, and what the audit alone drew. What the reviewer made of gold by an edit
    counts as approved.
    """
    instant = store.now()
    with store.snapshot() as connection:
        found = tallies(store)
        moves = connection.execute(
            f"""SELECT k.provenance, k.model, k.family, k.generation, k.domain, m.was, m.told, count(*), sum(s.tokens)
            FROM ({_MOVED}) m JOIN samples s ON s.id = m.sample_id JOIN sources k ON k.id = s.source_id
            GROUP BY k.id, m.was, m.told""",
            {"reviewer": reviewer, "now": text_of(instant), "rested": text_of(instant - REST)},
        ).fetchall()
    samples: Counter[tuple[Source, Status]] = Counter()
    tokens: Counter[tuple[Source, Status]] = Counter()
    for tally in found:
        samples[tally.source, tally.status] += tally.samples
        tokens[tally.source, tally.status] += tally.tokens
    for row in moves:
        source = Source(Provenance(row[0]), *tuple(row)[1:5])
        for status, sign in ((Status(row[5]), -1), (Status(row[6]), 1)):
            samples[source, status] += sign * row[7]
            tokens[source, status] += sign * row[8]
    return [
        Tally(source, status, count, tokens[source, status]) for (source, status), count in samples.items() if count
    ]
