"""What an ordering is made from."""

from __future__ import annotations

import pytest

from holdfast.db.reviewed import Reviewed
from holdfast.reviewer.pipeline import ordering_state


def test_a_choice_of_decisions_stands_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering_state, "NEWEST", 50)
    monkeypatch.setattr(ordering_state, "OLDER", 20)
    known = [Reviewed(seq, "model-a", seq % 10 == 0, seq) for seq in range(1, 301)]
    kept = ordering_state.chosen(known)
    assert [one for one, _ in kept] == sorted((one for one, _ in kept), key=lambda one: one.seq)
    assert {one.seq for one in known if one.bad or one.seq > 250} <= {one.seq for one, _ in kept}
    assert len(kept) < 120
    for bad in (True, False):
        assert sum(weight for one, weight in kept if one.bad is bad) == pytest.approx(
            sum(one.bad is bad for one in known)
        )
