"""Near-duplicate clusters: as a list, and as the neighbours of one sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from holdfast.db.briefs import Brief, briefs
from holdfast.db.samples import Stored, load_many
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.blindness import is_gone, shown_statuses
from holdfast.reviewer.pipeline.desk import Neighbour
from holdfast.reviewer.pipeline.neighbourhoods import VERIFIER, neighbourhood
from holdfast.reviewer.pipeline.stacks import chosen_stack
from holdfast.reviewer.project import Project
from holdfast.verifiers.consistency.near_duplicate import compared_text
from holdfast.verifiers.consistency.near_duplicate_state import Neighbourhood, Place
from holdfast.verifiers.consistency.shingles import Unit, jaccard

SHOWN_NEIGHBOURS = 5
"""So many neighbours are shown with a sample."""

_PAGE = 500


def clusters(store: Store, known: Neighbourhood, user: str, *, batch: str | None = None) -> Iterator[dict[str, Any]]:
    """The clusters as `dups --json` prints them, the largest first; with a batch those that it has a part in.

    Superseded samples are left out; where the representative is one, the next member stands for it.
    """
    for group in _pages(_groups(known)):
        found = _found(store, [place for places in group for place in places], batch)
        statuses = shown_statuses(store, {one.id: one.status for one in found.values()}, user)
        for places in group:
            live = [
                (place, found[place.uid])
                for place in places
                if place.uid in found and not is_gone(found[place.uid].status, statuses[found[place.uid].id])
            ]
            if len(live) > 1 and any(brief.wanted for _, brief in live):
                yield _document(live, statuses)


def neighbours(store: Store, known: Neighbourhood, stored: Stored, user: str, *, unit: Unit) -> tuple[Neighbour, ...]:
    """The members of a sample's cluster that are likest to it, likest first."""
    place = known.place(stored.uid)
    if place is None:
        return ()
    others = {uid: None for uid in (place.target, place.representative) if uid != place.uid}
    mates = (mate.uid for mate in known.cluster(place.representative, limit=SHOWN_NEIGHBOURS + 1))
    others |= dict.fromkeys(uid for uid in mates if uid != place.uid)
    found = briefs(store, list(others)[:SHOWN_NEIGHBOURS])
    statuses = shown_statuses(store, {one.id: one.status for one in found.values()}, user)
    live = [brief for brief in found.values() if not is_gone(brief.status, statuses[brief.id])]
    text = compared_text(stored.sample)
    made = [
        Neighbour(
            uid=other.uid,
            label=f"{other.batch}/{other.external_id}",
            provenance=other.sample.provenance,
            status=statuses[other.id],
            similarity=jaccard(text, compared_text(other.sample), unit),
            response=other.sample.response,
        )
        for other in load_many(store, [brief.id for brief in live])
    ]
    return tuple(sorted(made, key=lambda one: (-one.similarity, one.uid)))


def neighbours_of(project: Project, store: Store) -> Callable[[Stored, str], tuple[Neighbour, ...]]:
    """A function from a sample and its reader to its neighbours, as the run before its first call knew them."""
    loaded: list[tuple[Unit, Neighbourhood | None]] = []

    def find(stored: Stored, user: str) -> tuple[Neighbour, ...]:
        if not loaded:
            unit: Unit = chosen_stack(project, [VERIFIER]).members[0].settings.options["unit"]
            loaded.append((unit, neighbourhood(project, store)))
        ((unit, known),) = loaded[:1]
        return () if known is None else neighbours(store, known, stored, user, unit=unit)

    return find


def _groups(known: Neighbourhood) -> Iterator[list[Place]]:
    """The members of each cluster, its representative first; the largest cluster first."""
    for rows in known.clusters():
        places = [known.row(row) for row in rows]
        places.sort(key=lambda one: (one.uid != one.representative, -one.similarity, one.uid))
        yield places


def _pages(groups: Iterator[list[Place]]) -> Iterator[list[list[Place]]]:
    """Clusters, several at a time, so that small ones share a query."""
    page: list[list[Place]] = []
    size = 0
    for places in groups:
        page.append(places)
        size += len(places)
        if size >= _PAGE:
            yield page
            page, size = [], 0
    if page:
        yield page


def _found(store: Store, places: Sequence[Place], batch: str | None) -> dict[str, Brief]:
    found: dict[str, Brief] = {}
    waiting = iter(place.uid for place in places)
    while page := list(islice(waiting, _PAGE)):
        found |= briefs(store, page, batch=batch)
    return found


def _document(live: Sequence[tuple[Place, Brief]], statuses: dict[int, str]) -> dict[str, Any]:
    uids = {place.uid: brief.uid for place, brief in live}
    (_, first), *rest = live
    return {
        "representative": _brief(first, statuses),
        "members": [
            {
                **_brief(brief, statuses),
                "similarity": place.similarity,
                "like": uids.get(place.target, place.target),
                "exact": place.exact,
            }
            for place, brief in rest
        ],
    }


def _brief(brief: Brief, statuses: dict[int, str]) -> dict[str, Any]:
    return {
        "uid": brief.uid,
        "external_id": brief.external_id,
        "batch": brief.batch,
        "provenance": brief.provenance,
        "status": statuses[brief.id],
    }
