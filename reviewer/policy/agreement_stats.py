"""How far people agree on nominal categories. Pure.

Several people's opinions are given as `units`: by how many people put an item into each category, the number of such
items; items with fewer than two opinions say nothing. Two people's are given as a table: by pair of categories, the
number of items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

Units = Mapping[tuple[int, ...], int]
Table = Mapping[tuple[str, str], int]


def items(units: Units) -> int:
    """How many items have two opinions or more."""
    return sum(_shared(units).values())


def raw_agreement(units: Units) -> float | None:
    """The share of agreeing pairs of opinions, averaged over items; None without items."""
    shared = _shared(units)
    if not shared:
        return None
    agreeing = sum(
        count * sum(n * (n - 1) for n in unit) / (sum(unit) * (sum(unit) - 1)) for unit, count in shared.items()
    )
    return agreeing / items(units)


def krippendorff_alpha(units: Units) -> float | None:
    """Krippendorff's alpha for nominal data, from the coincidence matrix; missing opinions allowed (Krippendorff 2011).

    None without items, and where one category alone was used: chance agreement is perfect then.
    """
    shared = _shared(units)
    width = max((len(unit) for unit in shared), default=0)
    totals = [sum(unit[k] * count for unit, count in shared.items()) for k in range(width)]
    values = sum(totals)
    expected = sum(n * (values - n) for n in totals)
    if not expected:
        return None
    observed = sum(count * sum(n * (sum(unit) - n) for n in unit) / (sum(unit) - 1) for unit, count in shared.items())
    return 1 - (values - 1) * observed / expected


def gwet_ac1(units: Units) -> float | None:
    """Gwet's AC1 (2008): agreement beyond chance that holds where one category prevails; None without items."""
    shared = _shared(units)
    agreed = raw_agreement(shared)
    if agreed is None:
        return None
    width = max(len(unit) for unit in shared)
    n = items(shared)
    shares = [sum(count * unit[k] / sum(unit) for unit, count in shared.items()) / n for k in range(width)]
    used = sum(1 for share in shares if share)
    chance = sum(share * (1 - share) for share in shares) / (used - 1) if used > 1 else 0.0
    return (agreed - chance) / (1 - chance)


def cohen_kappa(table: Table) -> float | None:
    """Cohen's kappa of two people (1960), or of one person at two times; None where chance agreement is perfect."""
    n = sum(table.values())
    if not n:
        return None
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (one, other), count in table.items():
        first[one] += count
        second[other] += count
    agreed = sum(count for (one, other), count in table.items() if one == other) / n
    chance = sum(first[category] * second[category] for category in first) / (n * n)
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def mean_kappa(tables: Iterable[Table]) -> float | None:
    """Cohen's kappa averaged over pairs of people, weighted by their items; None where no pair has one."""
    found = [(kappa, sum(table.values())) for table in tables if (kappa := cohen_kappa(table)) is not None]
    weight = sum(n for _, n in found)
    return sum(kappa * n for kappa, n in found) / weight if weight else None


def _shared(units: Units) -> dict[tuple[int, ...], int]:
    return {unit: count for unit, count in units.items() if count and sum(unit) > 1}
