"""The quota of the next mix: exact arithmetic over counts of samples and tokens, nothing else.

Ratio = (synthetic + unknown + edited weight * human-edited) / human; a mix keeps it at or below the cap, by samples and
by tokens. Human-edited samples never count as human.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from holdfast.db.models import Provenance, Source, Status
from holdfast.db.samples import Tally

GONE = (Status.REJECTED, Status.SUPERSEDED, Status.GOLD)
"""Samples that no mix may hold."""


@dataclass(frozen=True, slots=True)
class Units:
    """An amount of data; fractions arise from the weight of edited samples."""

    samples: Fraction
    tokens: Fraction

    def __add__(self, other: Units) -> Units:
        return Units(self.samples + other.samples, self.tokens + other.tokens)

    def __sub__(self, other: Units) -> Units:
        return Units(self.samples - other.samples, self.tokens - other.tokens)

    def __mul__(self, factor: Fraction) -> Units:
        return Units(self.samples * factor, self.tokens * factor)


NOTHING = Units(Fraction(0), Fraction(0))


@dataclass(frozen=True, slots=True)
class SourceShare:
    """What a source of other than human data could give (`available`) and what people let pass (`accepted`)."""

    source: Source
    available: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What the next mix may hold beside all real data. A ratio is None where there is no real data to divide by."""

    real: Units
    cap: Fraction
    allowed: Units
    used: Units
    room: Units
    ratio: Fraction | None
    ratio_tokens: Fraction | None
    sources: tuple[SourceShare, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A set's ratio by samples and by tokens; None where there is derived but no human data."""

    samples: Fraction | None
    tokens: Fraction | None

    def over(self, cap: Fraction) -> bool:
        """Whether the set is beyond the cap by either measure; without human data anything derived is."""
        return any(value is None or value > cap for value in (self.samples, self.tokens))


def units(tally: Tally) -> Units:
    """A tally's amount."""
    return Units(Fraction(tally.samples), Fraction(tally.tokens))


def weight(provenance: Provenance, omega: Fraction) -> Fraction:
    """How much a sample counts against the ratio: 0 for human, `omega` for human-edited, 1 for all else."""
    if provenance is Provenance.HUMAN:
        return Fraction(0)
    return omega if provenance is Provenance.HUMAN_EDITED else Fraction(1)


def ratio(derived: Units, human: Units) -> Ratio:
    """The ratio of derived to human data, exact."""
    return Ratio(_divided(derived.samples, human.samples), _divided(derived.tokens, human.tokens))


def quota(tallies: Iterable[Tally], *, cap: Fraction, omega: Fraction) -> Quota:
    """The simple cap: all live human samples set the room, approved samples of other provenance use it."""
    live = [tally for tally in tallies if tally.status not in GONE]
    real, used = NOTHING, NOTHING
    for tally in live:
        if tally.source.provenance is Provenance.HUMAN:
            real += units(tally)
        elif tally.status is Status.APPROVED:
            used += units(tally) * weight(tally.source.provenance, omega)
    limit = real * cap
    allowed = Units(Fraction(int(limit.samples)), Fraction(int(limit.tokens)))
    now = ratio(used, real)
    return Quota(
        real=real,
        cap=cap,
        allowed=allowed,
        used=used,
        room=Units(max(allowed.samples - used.samples, Fraction(0)), max(allowed.tokens - used.tokens, Fraction(0))),
        ratio=now.samples,
        ratio_tokens=now.tokens,
        sources=_shares(live),
        warnings=tuple(_warnings(real, used, now, cap)),
    )


def _divided(derived: Fraction, human: Fraction) -> Fraction | None:
    if human == 0:
        return Fraction(0) if derived == 0 else None
    return derived / human


def _shares(live: list[Tally]) -> tuple[SourceShare, ...]:
    available: dict[Source, int] = {}
    accepted: dict[Source, int] = {}
    for tally in live:
        if tally.source.provenance is Provenance.HUMAN:
            continue
        available[tally.source] = available.get(tally.source, 0) + tally.samples
        if tally.status is Status.APPROVED:
            accepted[tally.source] = accepted.get(tally.source, 0) + tally.samples
    ordered = sorted(available, key=source_name)
    return tuple(SourceShare(source, available[source], accepted.get(source, 0)) for source in ordered)


def source_name(source: Source) -> str:
    """A source in words, such as `model-a, generation 1, maths, synthetic`."""
    generation = "generation unknown" if source.generation is None else f"generation {source.generation}"
    named = (source.model or "no model named", generation, source.domain, str(source.provenance))
    return ", ".join(part for part in named if part)


def _warnings(real: Units, used: Units, now: Ratio, cap: Fraction) -> list[str]:
    if real.samples == 0:
        return ["there is no human data: a mix may hold nothing else; ingest human samples first"]
    found = []
    if now.samples is None or now.samples > cap:
        found.append(f"approved samples use {float(used.samples):g} of {float(real.samples * cap):g} allowed")
    if now.tokens is None or now.tokens > cap:
        found.append(f"approved tokens use {float(used.tokens):g} of {float(real.tokens * cap):g} allowed")
    return found
