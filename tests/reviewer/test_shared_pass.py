"""Learners that share one reading of the corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.reviewer.pipeline.shared_pass import fed_together
from holdfast.reviewer.pipeline.workers import even_shares


class Counted:
    """Numbers that count how often they are read."""

    def __init__(self, size: int, breaks_at: int | None = None) -> None:
        self.size, self.breaks_at, self.readings = size, breaks_at, 0

    def __iter__(self) -> Iterator[int]:
        self.readings += 1
        for number in range(self.size):
            if number == self.breaks_at:
                raise OSError("the disk is gone")
            yield number


def total(items: Iterable[int]) -> int:
    return sum(items)


def length(items: Iterable[int]) -> int:
    return len(list(items))


def first(items: Iterable[int]) -> int:
    return next(iter(items))


def twice(items: Iterable[int]) -> int:
    return sum(items) + sum(items)


def never(items: Iterable[int]) -> int:
    return -1


def fails(items: Iterable[int]) -> int:
    raise ValueError(f"cannot make anything of {next(iter(items))}")


@pytest.mark.parametrize("size", [0, 1, 500, 12_345])
def test_every_learner_sees_every_item_though_they_are_read_once(size: int) -> None:
    items = Counted(size)
    assert fed_together(items, [total, length, total]) == [sum(range(size)), size, sum(range(size))]
    assert items.readings == 1


def test_learners_may_stop_early_look_twice_or_not_at_all() -> None:
    items = Counted(9_000)
    assert fed_together(items, [first, twice, never, total]) == [0, 2 * sum(range(9_000)), -1, sum(range(9_000))]
    assert items.readings == 2


def test_an_error_of_one_learner_is_raised_after_the_others_are_done() -> None:
    with pytest.raises(ValueError, match="cannot make anything of 0"):
        fed_together(Counted(9_000), [total, fails])


def test_an_error_of_the_corpus_is_raised() -> None:
    with pytest.raises(OSError, match="the disk is gone"):
        fed_together(Counted(9_000, breaks_at=7_000), [total, length])


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0.1, 20), max_size=12), st.integers(1, 4))
def test_shares_are_even_and_hold_every_name_once(costs: dict[str, float], shares: int) -> None:
    divided = even_shares(costs, shares)
    assert sorted(name for share in divided for name in share) == sorted(costs)
    totals = [sum(costs[name] for name in share) for share in divided]
    assert max(totals) - min(totals) <= max(costs.values(), default=0)
