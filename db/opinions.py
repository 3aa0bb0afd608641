"""Where several people, or one person twice, decided the same sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import itemgetter

from holdfast.db.audit import STANDS
from holdfast.db.models import Choice
from holdfast.db.store import Store

CHOICES = (Choice.ACCEPT, Choice.EDIT, Choice.REJECT)
"""What counts as an opinion: skips and escalations say nothing."""

Table = Counter[tuple[str, str]]
"""How often two opinions met."""

_SAID = f"""{STANDS} AND {{0}}.verdict IN ({", ".join(f"'{one}'" for one in CHOICES)})
    AND NOT EXISTS (SELECT 1 FROM gold g WHERE g.sample_id = {{0}}.sample_id)"""


@dataclass(frozen=True, slots=True)
class Opinions:
    """Opinions of different people, and each person's own of one sample at two times.

    `units` counts samples by how many people said each of CHOICES; `pairs` and `repeated` are tables by pair of
    reviewers and by reviewer.
    """

    units: Mapping[tuple[int, ...], int]
    pairs: Mapping[tuple[str, str], Table]
    repeated: Mapping[str, Table]


def opinions(store: Store, *, log_size: int) -> Opinions:
    """First decisions and second opinions on samples that two people or more have decided, and re-reviews.

    Gold samples, adjudications, what was undone and what the log says after `log_size` events are left out.
    """
    values = {"log_size": log_size}
    units: Counter[tuple[int, ...]] = Counter()
    pairs: dict[tuple[str, str], Table] = {}
    # SQLite takes bare columns from the row that has the minimum.
    found = store.read().execute(
        f"""SELECT d.sample_id, d.reviewer, d.verdict, min(d.seq) FROM decisions d WHERE d.kind IN ('first', 'second')
        AND d.sample_id IN (SELECT sample_id FROM decisions WHERE kind = 'second') AND {_SAID.format("d")}
        GROUP BY d.sample_id, d.reviewer ORDER BY d.sample_id, d.reviewer""",
        values,
    )
    for _, rows in groupby(found, key=itemgetter(0)):
        said = [(row[1], row[2]) for row in rows]
        if len(said) > 1:
            units[tuple(sum(choice == one for _, choice in said) for one in CHOICES)] += 1
        for (first, choice), (second, other) in combinations(said, 2):
            pairs.setdefault((first, second), Counter())[choice, other] += 1
    return Opinions(units, pairs, _repeated(store, values))


def _repeated(store: Store, values: dict[str, int]) -> dict[str, Table]:
    """Each re-review with the reviewer's first opinion of the sample."""
    repeated: dict[str, Table] = {}
    for reviewer, before, after, count in store.read().execute(
        f"""SELECT d.reviewer, (SELECT o.verdict FROM decisions o WHERE o.sample_id = d.sample_id
            AND o.reviewer = d.reviewer AND o.kind IN ('first', 'second') AND {_SAID.format("o")}
            ORDER BY o.seq LIMIT 1) AS before, d.verdict, count(*) FROM decisions d
        WHERE d.kind = 'rereview' AND {_SAID.format("d")} GROUP BY 1, 2, 3
        HAVING before IS NOT NULL ORDER BY 1, 2, 3""",
        values,
    ):
        repeated.setdefault(reviewer, Counter())[before, after] += count
    return repeated
