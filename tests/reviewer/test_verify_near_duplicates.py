"""Samples that were judged before others like them came: they are looked at again, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from verify_desk import Desk, fill

from holdfast.db.models import Provenance

TEXT = "A kettle is best descaled with equal parts of vinegar and water, left for an hour and rinsed twice, answer"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A project with six verified synthetic samples, none like another."""
    made = Desk(tmp_path / "project")
    made.configure("enabled = ['near_duplicate']\nfiles = ['checks.py:counted']")
    fill(made, range(6))
    fill(made, range(10, 11), messages=turns(10))
    made.verify()
    made.ran()
    return made


def turns(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"question {number}"}, {"role": "assistant", "content": f"{TEXT} {number}"}]


def codes(desk: Desk, response: str) -> tuple[str, ...]:
    """The finding codes of the near-duplicate check on the sample with this response."""
    _, _, verdicts = desk.outcomes()[response]
    return next(codes for name, _, _, codes in verdicts if name == "near_duplicate")


def test_a_human_sample_that_comes_later_exposes_what_was_learned_by_heart(desk: Desk) -> None:
    assert codes(desk, f"{TEXT} 10") == ()
    fill(desk, range(20, 21), messages=turns(20), provenance=Provenance.HUMAN, model=None)
    report = desk.verify()
    assert (report.verified, report.rejudged) == (1, 1)
    assert desk.ran() == [f"{TEXT} 20"]
    assert codes(desk, f"{TEXT} 10") == ("memorised",)
    assert codes(desk, f"{TEXT} 20") == ()
    assert desk.verify().rejudged == 0
    assert desk.is_sound()


def test_a_new_sample_unlike_the_others_moves_none(desk: Desk) -> None:
    fill(desk, range(7, 8))
    report = desk.verify()
    assert (report.verified, report.rejudged) == (1, 0)


def test_other_verifiers_run_alone_leave_the_second_look_to_the_whole_stack(desk: Desk) -> None:
    fill(desk, range(20, 21), messages=turns(20), provenance=Provenance.HUMAN, model=None)
    desk.verify("near_duplicate")
    desk.configure("enabled = ['near_duplicate']\nfiles = ['checks.py:counted']\n[verifiers.counted]\nbad = 99")
    desk.verify("counted")
    desk.verify()
    assert codes(desk, f"{TEXT} 10") == ("memorised",)
    assert desk.is_sound()
