"""Acceptance rates of parts of a project, from counts of its samples. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import frexp

from holdfast.db.audit import UNVERIFIED, Cell
from holdfast.db.models import Choice, Source
from holdfast.reviewer.policy.acceptance import jeffreys
from holdfast.reviewer.policy.stratified import Stratum, interval, rate, weighted

STRICT = (Choice.ACCEPT,)
USABLE = (Choice.ACCEPT, Choice.EDIT)

Draw = tuple[Source, int]
"""A source's samples of one ingest: those that the audit drew at one share."""

_SILENT = "nothing audited"
_APART = 10
"""From so many samples drawn by the audit on, a source's samples of one ingest are taken by themselves."""


@dataclass(frozen=True, slots=True)
class Rates:
    """`n` samples, `reviewed` of them decided, `audited` of those drawn by the audit; None where nothing is known.

    Strict: accepted unchanged, with a 95 % interval; usable: accepted or edited.
    """

    n: int
    reviewed: int
    audited: int
    strict: float | None
    low: float
    high: float
    usable: float | None


def estimated(cells: Sequence[Cell]) -> Rates:
    """Rates of all samples counted, looked at or not, from the audit's draws from them."""
    return _estimated(cells, strata(cells, good=STRICT), strata(cells, good=USABLE))


def estimated_of_few(cells: Sequence[Cell], weights: Mapping[Draw, float]) -> Rates:
    """The same for what a verifier flags; `weights` are those of `audited_weights`."""
    strict, usable = (strata_of_few(cells, weights, good=good) for good in (STRICT, USABLE))
    return _estimated(cells, strict, usable)


def _estimated(cells: Sequence[Cell], strict: list[Stratum], usable: list[Stratum]) -> Rates:
    return _rates(cells, rate(strict), interval(strict), rate(usable))


def observed(cells: Sequence[Cell], weights: Mapping[Draw, float]) -> Rates:
    """Rates among decisions, as of one person or one week: from those on samples that the audit drew.

    Each counts for as many samples as it was drawn from, so that rates of different people and weeks are about the same
    thing; the interval is Jeffreys' at the effective number of them.
    """
    drawn = [cell for cell in cells if cell.drawn and cell.choice is not None]
    strict, trials = weighted(_groups(drawn, weights, STRICT))
    if not trials:
        return _rates(cells, None, (0.0, 1.0), None)
    return _rates(cells, strict, jeffreys(strict * trials, trials), weighted(_groups(drawn, weights, USABLE))[0])


def _rates(cells: Sequence[Cell], strict: float | None, bounds: tuple[float, float], usable: float | None) -> Rates:
    """An interval holds its estimate: a prior keeps it from the very ends."""
    n, reviewed = _count(cells), _count(cell for cell in cells if cell.choice is not None)
    audited = _count(cell for cell in cells if cell.choice is not None and cell.drawn)
    low, high = bounds if strict is None else (min(bounds[0], strict), max(bounds[1], strict))
    return Rates(n, reviewed, audited, strict, low, high, usable)


def drawn_weights(cells: Iterable[Cell]) -> dict[Draw, float]:
    """For how many samples one that the audit drew stands, by source and ingest."""
    return _weights((cell, cell.drawn) for cell in cells)


def audited_weights(cells: Iterable[Cell]) -> dict[Draw, float]:
    """For how many samples one that the audit drew and people decided stands, by source and ingest."""
    return _weights((cell, cell.drawn and cell.choice is not None) for cell in cells)


def _weights(cells: Iterable[tuple[Cell, bool]]) -> dict[Draw, float]:
    size: Counter[Draw] = Counter()
    part: Counter[Draw] = Counter()
    for cell, counts in cells:
        size[cell.source, cell.ingest] += cell.count
        part[cell.source, cell.ingest] += cell.count * counts
    return {draw: size[draw] / count for draw, count in part.items() if count}


def strata(cells: Sequence[Cell], *, good: Collection[Choice]) -> list[Stratum]:
    """One stratum for each source, ingest and kind; small ingests (`_APART`) of one audited share (within 2) together.

    One that no audited sample speaks for joins the largest of its source and kind, if one of them has any: but not
    where people have looked at nothing that the audit drew of an ingest, which may be unlike those before it.
    """
    weights, drawn = audited_weights(cells), Counter[Draw]()
    for cell in cells:
        drawn[cell.source, cell.ingest] += cell.count * cell.drawn

    def place(draw: Draw) -> tuple[Hashable, Hashable]:
        if drawn[draw] < _APART:
            return draw[0], _octave(weights.get(draw))
        return (draw[0] if draw in weights else draw), draw

    return _strata(((cell, *place((cell.source, cell.ingest))) for cell in cells), good)


def strata_of_few(cells: Iterable[Cell], weights: Mapping[Draw, float], *, good: Collection[Choice]) -> list[Stratum]:
    """One stratum for each kind and audited share (within a factor of two): for samples spread over many sources.

    By source most strata of what one verifier flags would hold no audited sample.
    """
    return _strata(((cell, None, _octave(weights.get((cell.source, cell.ingest)))) for cell in cells), good)


def _strata(cells: Iterable[tuple[Cell, Hashable, Hashable]], good: Collection[Choice]) -> list[Stratum]:
    """Strata by group, part and kind; silent ones join the largest of their group and kind, or else each other."""
    found: dict[tuple[Hashable, str], dict[Hashable, Stratum]] = {}
    for cell, group, part in cells:
        parts = found.setdefault((group, cell.kind), {})
        parts[part] = _with(parts.get(part, Stratum(cell.kind, 0)), cell, cell.choice in good)
    return [one for parts in found.values() for one in _joined(list(parts.values()))]


def _octave(weight: float | None) -> int | None:
    return None if weight is None else frexp(weight)[1]


def caught(flagged: Sequence[Cell], everything: Sequence[Cell]) -> float | None:
    """The share of bad samples that a verifier flagged, among verified ones; None where nothing is known of some.

    What it did not flag is estimated from the audit, as everything here is.
    """
    counts = {_key(cell): cell for cell in everything if cell.kind != UNVERIFIED}
    for cell in flagged:
        whole = counts[_key(cell)]
        counts[_key(cell)] = replace(whole, count=whole.count - cell.count)
    rest = [cell for cell in counts.values() if cell.count]
    weights = audited_weights(everything)
    found, missed = (_bad(cells, strata_of_few(cells, weights, good=STRICT)) for cells in (flagged, rest))
    return None if found is None or missed is None or not found + missed else found / (found + missed)


def _bad(cells: Sequence[Cell], strict: list[Stratum]) -> float | None:
    share = rate(strict) if cells else 1.0
    return None if share is None else (1 - share) * _count(cells)


def _with(before: Stratum, cell: Cell, is_good: bool) -> Stratum:
    size, count = before.size + cell.count, cell.count
    if cell.choice is None:
        return replace(before, size=size)
    if cell.drawn:
        return replace(before, size=size, audited=before.audited + count, good=before.good + count * is_good)
    return replace(before, size=size, known=before.known + count, known_good=before.known_good + count * is_good)


def _joined(parts: Sequence[Stratum]) -> list[Stratum]:
    shown = [one for one in parts if one.audited]
    silent = [one for one in parts if not one.audited]
    if not shown:
        # Nothing is known of any of them, whatever their kind: they are one unknown and not several.
        return [replace(one, kind=_SILENT) for one in silent]
    largest = max(shown, key=lambda one: one.size)
    joined = replace(
        largest,
        size=largest.size + sum(one.size for one in silent),
        known=largest.known + sum(one.known for one in silent),
        known_good=largest.known_good + sum(one.known_good for one in silent),
    )
    return [joined, *(one for one in shown if one is not largest)]


def _groups(
    cells: Iterable[Cell], weights: Mapping[Draw, float], good: Collection[Choice]
) -> list[tuple[float, int, int]]:
    return [(weights[cell.source, cell.ingest], cell.count, cell.count if cell.choice in good else 0) for cell in cells]


def _key(cell: Cell) -> tuple[object, ...]:
    return (cell.source, cell.ingest, cell.kind, cell.drawn, cell.choice)


def _count(cells: Iterable[Cell]) -> int:
    return sum(cell.count for cell in cells)
