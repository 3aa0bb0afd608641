"""Where several people, or one person twice, decided the same sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.db.models import Choice
from holdfast.db.store import Store

CHOICES = (Choice.ACCEPT, Choice.EDIT, Choice.REJECT)
"""What counts as an opinion: skips and escalations say nothing."""

Table = Counter[tuple[str, str]]
"""How often two opinions met."""

_SAID = f"""d.undone_seq IS NULL AND d.verdict IN ({", ".join(f"'{one}'" for one in CHOICES)}) AND d.at < :until
    AND NOT EXISTS (SELECT 1 FROM gold g WHERE g.sample_id = d.sample_id)"""

# SQLite takes bare columns from the row that has the minimum.
_OPINIONS = f"""opinions AS MATERIALIZED (SELECT d.sample_id, d.reviewer, d.verdict, min(d.seq) FROM decisions d
    WHERE d.kind IN ('first', 'second') AND {_SAID} GROUP BY d.sample_id, d.reviewer)"""


@dataclass(frozen=True, slots=True)
class Opinions:
    """Opinions of different people, and each person's own of one sample at two times.

    `units` counts samples by how many people said each of CHOICES; `pairs` and `repeated` are tables by pair of
    reviewers and by reviewer.
    """

    units: Mapping[tuple[int, ...], int]
    pairs: Mapping[tuple[str, str], Table]
    repeated: Mapping[str, Table]


def opinions(store: Store, *, until: str) -> Opinions:
    """First decisions and second opinions on samples that two people or more have decided, and re-reviews.

    Gold samples, adjudications, what was undone and what was said from `until` on are left out.
    """
    values = {"until": until}
    sums = ", ".join(f"sum(verdict = '{one}')" for one in CHOICES)
    units: Counter[tuple[int, ...]] = Counter()
    for row in store.read().execute(
        f"WITH {_OPINIONS} SELECT {sums} FROM opinions GROUP BY sample_id HAVING count(*) > 1", values
    ):
        units[tuple(row)] += 1
    pairs: dict[tuple[str, str], Table] = {}
    for first, second, *said, count in store.read().execute(
        f"""WITH {_OPINIONS} SELECT x.reviewer, y.reviewer, x.verdict, y.verdict, count(*)
        FROM opinions x JOIN opinions y ON y.sample_id = x.sample_id AND y.reviewer > x.reviewer GROUP BY 1, 2, 3, 4
        ORDER BY 1, 2, 3, 4""",
        values,
    ):
        pairs.setdefault((first, second), Counter())[said[0], said[1]] += count
    repeated: dict[str, Table] = {}
    for reviewer, *said, count in store.read().execute(
        f"""WITH {_OPINIONS} SELECT d.reviewer, x.verdict, d.verdict, count(*) FROM decisions d
        JOIN opinions x ON x.sample_id = d.sample_id AND x.reviewer = d.reviewer
        WHERE d.kind = 'rereview' AND {_SAID} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        values,
    ):
        repeated.setdefault(reviewer, Counter())[said[0], said[1]] += count
    return Opinions(units, pairs, repeated)
