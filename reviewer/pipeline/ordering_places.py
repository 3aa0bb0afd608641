"""The numbers of an ordering that place samples: looks by source, whose turn it is, near-duplicates, drawn places."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from holdfast.db.models import Provenance
from holdfast.db.ranking import Rankable, rankables
from holdfast.db.reviewed import Reviewed, Waiting, decided_ties, waiting_flagged
from holdfast.db.samples import tallies
from holdfast.db.store import Store
from holdfast.reviewer.config import QuotaConfig
from holdfast.reviewer.pipeline.neighbourhoods import neighbourhood
from holdfast.reviewer.pipeline.quota import quota
from holdfast.reviewer.policy.calibration import IDENTITY
from holdfast.reviewer.policy.estimator import Estimator
from holdfast.reviewer.policy.ordering import Clusters, Placing
from holdfast.reviewer.project import Project
from holdfast.verifiers.consistency.near_duplicate_state import Neighbourhood

LOOKS = 50
"""So many looks are divided evenly among sources before anything has been learned."""
LEAST_SHARE = 0.1
"""What fits into the mix counts for no less, so that worth is not drowned by the bonus of unknown sources."""

_PAGE = 500
_DRAWN, _QUANTILES = 1_000, 256
_CANDIDATES = 20_000


def pages(store: Store, sample_ids: Sequence[int]) -> Iterator[list[Rankable]]:
    """Samples as the order sees them, a page at a time."""
    for start in range(0, len(sample_ids), _PAGE):
        yield rankables(store, list(sample_ids[start : start + _PAGE]))


def places(
    project: Project, store: Store, estimator: Estimator, decisions: Sequence[Reviewed], *, cold: bool
) -> dict[str, Any]:
    """The numbers that place samples, as JSON; `cold` says that decisions have taught nothing yet."""
    waiting = waiting_flagged(store)
    looks = Counter(one.source for one in decisions)
    drawn = sorted(estimate for estimate, _ in _estimates(store, estimator, waiting.sample_ids[:_DRAWN]))
    rounds, turns = _turns(store, estimator, waiting, looks) if cold else (0, {})
    step = len(drawn) / _QUANTILES
    ordering = project.config.ordering
    return {
        "cost": ordering.cost_of_bad,
        "exploration": ordering.exploration,
        "share": _share(store, project.config.quota),
        "drawn": [drawn[int((at + 0.5) * step)] for at in range(_QUANTILES)] if step > 1 else drawn,
        "looks": dict(looks),
        "rounds": rounds,
        "turns": turns,
        "clusters": _clusters(neighbourhood(project, store), waiting, decided_ties(store)),
    }


def placing_of(state: Mapping[str, Any]) -> Placing:
    """What the state of an ordering says of places."""
    kept = state["placing"]
    clusters = Clusters(*(_unpacked(kept["clusters"][name], kind) for name, kind in (("keys", "q"), ("sizes", "I"))))
    return Placing(
        cost=kept["cost"],
        exploration=kept["exploration"],
        share=kept["share"],
        drawn=kept["drawn"],
        looks=kept["looks"],
        turns=kept["turns"],
        rounds=kept["rounds"],
        clusters=clusters,
        curve=tuple(map(tuple, state["estimator"]["learned"].get("curve", IDENTITY))),
    )


def _share(store: Store, policy: QuotaConfig) -> float:
    """The part of what no human wrote that fits into the mix; without real data to divide by, 1."""
    allowed = quota(store, policy).allowed.samples
    gone = ("rejected", "superseded")
    available = sum(
        one.samples
        for one in tallies(store)
        if one.source.provenance is not Provenance.HUMAN and one.status not in gone
    )
    if not allowed or allowed >= available:
        return 1.0
    return max(LEAST_SHARE, round(float(allowed / available), 6))


def _estimates(store: Store, estimator: Estimator, sample_ids: Sequence[int]) -> Iterator[tuple[float, Rankable]]:
    for page in pages(store, sample_ids):
        for estimate, one in zip(estimator.estimate_many(page), page, strict=True):
            yield estimate.p_bad, one


def _turns(
    store: Store, estimator: Estimator, waiting: Waiting, looks: Mapping[str, int]
) -> tuple[int, dict[str, int]]:
    """How many rounds there are, and, by uid, the round in which a sample has its source's turn.

    The samples are the likeliest bad ones of each source; of a source with many, of those that their uids' hashes draw.
    """
    sizes = Counter(waiting.sources)
    if len(sizes) < 2:
        return 0, {}
    largest = sorted(sizes, key=lambda source: (-sizes[source], source))[:LOOKS]
    rounds, most = LOOKS // len(largest), _CANDIDATES // len(largest)
    chosen: dict[int, array[int]] = {source: array("q") for source in largest}
    for sample_id, source in zip(waiting.sample_ids, waiting.sources, strict=True):
        if source in chosen and len(chosen[source]) < most:
            chosen[source].append(sample_id)
    turns: dict[str, int] = {}
    for candidates in chosen.values():
        found = sorted((-p_bad, one.uid, one.source) for p_bad, one in _estimates(store, estimator, candidates))
        taken = looks.get(found[0][2], 0)
        turns |= {uid: turn for turn, (_, uid, _) in enumerate(found, start=taken) if turn < rounds}
    return rounds, turns


def _clusters(known: Neighbourhood | None, waiting: Waiting, decided: array[int]) -> dict[str, str]:
    """Of the near-duplicates that wait, who stands for how many: one in each cluster of which nobody decided any.

    That is the one the cluster is known by, where it waits, else the first by uid.
    """
    keys, sizes = array("q"), array("I")
    if known is not None and known.members:
        import numpy as np

        ties = np.asarray(known.uids, dtype=np.uint64) >> np.uint64(4)
        members = ties[np.asarray(known.members)].astype(np.int64)
        clusters = np.asarray(known.representatives)
        waits = np.isin(members, np.asarray(waiting.ties))
        over = np.unique(clusters[np.isin(members, np.asarray(decided))])
        queued, of = members[waits], clusters[waits]
        found, first, place, counts = np.unique(of, return_index=True, return_inverse=True, return_counts=True)
        heads = queued[first]
        own = ties[found].astype(np.int64)
        heads = np.where(np.isin(own, queued), own, heads)
        alone = (counts == 1) & ~np.isin(found, over)
        stands = (queued == heads[place]) & ~np.isin(of, over)
        kept = ~alone[place]
        keys = array("q", queued[kept].tolist())
        sizes = array("I", np.where(stands, counts[place], 0)[kept].tolist())
    return {"keys": _packed(keys), "sizes": _packed(sizes)}


def _packed(values: array[int]) -> str:
    return b64encode(_little_endian(values).tobytes()).decode()


def _unpacked(text: str, kind: str) -> array[int]:
    values = array(kind)
    values.frombytes(b64decode(text))
    return _little_endian(values)


def _little_endian(values: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return values
    swapped = array(values.typecode, values)
    swapped.byteswap()
    return swapped
