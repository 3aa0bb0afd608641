"""Verify: what runs, what is kept, what survives, and what becomes of a sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from filling import ingest, make_sample
from verify_desk import CHECKS, Desk, fill

from holdfast.db import queue
from holdfast.db.errors import NotFound, Refused, UsageError
from holdfast.db.models import Outcome, Sample, Status, Stream
from holdfast.db.samples import each, load
from holdfast.db.store import Store
from holdfast.reviewer import trust
from holdfast.reviewer.pipeline.verify import entry_of


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A project with six synthetic samples, `answer 0` to `answer 5`."""
    made = Desk(tmp_path / "project")
    fill(made, range(6))
    return made


def test_what_has_a_current_verdict_is_left_alone(desk: Desk) -> None:
    report = desk.verify()
    assert (report.verified, report.passed) == (6, 6)
    assert report.by_verifier["counted"] == {Outcome.PASS: 6}
    assert len(desk.ran()) == 6
    assert desk.verify().verified == 0
    assert desk.ran() == []
    fill(desk, range(6, 8))
    assert desk.verify().verified == 2
    assert desk.ran() == ["answer 6", "answer 7"]
    assert desk.is_sound()


def test_a_batch_can_be_verified_alone(desk: Desk) -> None:
    fill(desk, range(6, 8))
    assert desk.verify(batch="b6").verified == 2
    assert desk.ran() == ["answer 6", "answer 7"]
    assert desk.verify().verified == 6
    with pytest.raises(NotFound, match="no batch is called 'b66'; did you mean 'b6'"):
        desk.verify(batch="b66")


def test_an_empty_store_has_nothing_to_verify(tmp_path: Path) -> None:
    assert Desk(tmp_path / "project").verify().verified == 0


def test_new_options_and_new_versions_make_verdicts_stale(desk: Desk) -> None:
    desk.verify()
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nbad = 4")
    report = desk.verify()
    assert (report.verified, report.flagged) == (6, 1)
    assert desk.outcomes()["answer 4"][0] == "flagged"
    desk.ran()
    desk.checks.write_text(CHECKS.replace('version="1"', 'version="2"', 1))
    trust.trust(desk.checks)
    assert desk.verify().verified == 6
    assert len(desk.ran()) == 6
    assert desk.is_sound()


def test_new_limits_derive_outcomes_from_stored_scores(desk: Desk) -> None:
    desk.verify()
    desk.ran()
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nflag_at = 2.5\nfail_at = 4.5")
    report = desk.verify()
    assert (report.verified, report.rederived) == (0, 6)
    assert desk.ran() == []
    statuses = {response: said[0] for response, said in desk.outcomes().items()}
    assert statuses == {
        "answer 0": "passed", "answer 1": "passed", "answer 2": "passed",
        "answer 3": "flagged", "answer 4": "flagged", "answer 5": "rejected",
    }  # fmt: skip
    with desk.project.store() as store:
        waiting = {store_uid.sample_id for store_uid in queue.listing(store, limit=10)}
        assert waiting == {4, 5}
    desk.configure("enabled = []\nfiles = ['checks.py:counted']")
    assert desk.verify().rederived == 6
    assert {said[0] for said in desk.outcomes().values()} == {"passed"}
    assert desk.verify().rederived == 0
    assert desk.is_sound()


def test_where_a_stop_disappears_only_the_later_checks_samples_run(desk: Desk) -> None:
    files = "enabled = []\nfiles = ['checks.py:counted', 'checks.py:late']"
    desk.configure(f"{files}\n[verifiers.counted]\nfail_at = 3.5")
    assert desk.verify().rejected == 2
    desk.ran()
    desk.configure(files)
    report = desk.verify()
    assert (report.rederived, report.verified) == (4, 2)
    assert set(desk.ran()) == {"answer 4", "answer 5"}
    fresh = [(name, outcome) for name, outcome, *_ in desk.outcomes()["answer 5"][2]]
    assert fresh == [("counted", "pass"), ("late", "pass")]


def test_a_verifier_that_is_disabled_takes_its_flags_along(desk: Desk) -> None:
    files = "enabled = []\nfiles = ['checks.py:counted', 'checks.py:late']\n[verifiers.counted]\nflag_at = 3.5"
    desk.configure(files)
    assert desk.verify().flagged == 2
    desk.ran()
    desk.configure("enabled = []\nfiles = ['checks.py:late']")
    assert desk.verify().rederived == 6
    assert desk.ran() == []
    assert {said[0] for said in desk.outcomes().values()} == {"passed"}


def test_one_verifier_alone_keeps_what_the_others_said(desk: Desk) -> None:
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nflag_at = 3.5")
    desk.verify()
    desk.ran()
    report = desk.verify(f"{desk.checks}:late")
    assert report.by_verifier == {"late": {Outcome.PASS: 6}}
    assert len(desk.ran()) == 6
    status, _, verdicts = desk.outcomes()["answer 5"]
    assert status == "flagged"
    assert [verdict[:2] for verdict in verdicts] == [("counted", "flag"), ("late", "pass")]
    assert desk.verify(f"{desk.checks}:late").verified == 0


def test_a_fail_rejects_a_synthetic_sample_but_never_a_human_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "project")
    with desk.project.store() as store:
        ingest(store, [make_sample(1), make_sample(1, provenance="human", model=None), make_sample(2)])
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nfail_at = {below = 1.5}")
    report = desk.verify()
    assert (report.rejected, report.flagged, report.passed) == (1, 1, 1)
    with desk.project.store() as store:
        assert [stored.status for stored in each(store)] == [Status.REJECTED, Status.FLAGGED, Status.PASSED]


def test_the_audit_draw_saves_a_failing_sample_for_a_person(desk: Desk) -> None:
    limits = "enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nfail_at = 2.5"
    desk.configure(limits, "audit_share = 0.01\naudit_min_per_source = 25")
    report = desk.verify()
    assert (report.rejected, report.flagged, report.passed) == (0, 3, 3)
    with desk.project.store() as store:
        rows = {row.sample_id: row.entry for row in queue.listing(store, limit=10)}
        assert len(rows) == 6
        assert {entry.stream for entry in rows.values()} == {Stream.AUDIT}
        for entry in rows.values():
            assert sum(value for _, value in entry.why) == pytest.approx(entry.priority)
        assert entry_of(store)(1) == rows[1]


def test_a_file_of_the_configuration_runs_only_when_it_is_trusted(desk: Desk) -> None:
    desk.checks.write_text(CHECKS + "\nLOG.write_text('ran')\n")
    with pytest.raises(Refused, match="holdfast trust"):
        desk.verify()
    assert desk.ran() == []
    trust.trust(desk.checks)
    assert desk.verify().verified == 6


def test_a_file_named_on_the_command_line_needs_no_trust(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(CHECKS + "# changed\n")
    assert desk.verify(f"{other}:late").verified == 6


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("enabled = []", "nothing to verify with"),
        ("enabled = ['repetitoin']", "did you mean 'repetition'"),
        ("[verifiers.repetitoin]\nflag_at = 1", "did you mean 'repetition'"),
        ("[verifiers.repetition]\nflag = 1", "did you mean 'flag_at'"),
        ("enabled = []\nfiles = ['checks.py']", "say which verifier of the file is meant"),
    ],
)
def test_a_wrong_configuration_is_named(desk: Desk, settings: str, words: str) -> None:
    desk.configure(settings)
    with pytest.raises(UsageError, match=words):
        desk.verify()


def test_decided_samples_keep_their_decision_when_they_are_judged_again(
    desk: Desk, decide: Callable[[Store, int], None]
) -> None:
    desk.verify()
    with desk.project.store() as store:
        decide(store, 6)
        assert load(store, 6).status is Status.APPROVED
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nfail_at = 4.5")
    desk.verify()
    with desk.project.store() as store:
        assert load(store, 6).status is Status.APPROVED


@pytest.fixture
def decide() -> Callable[[Store, int], None]:
    """Accept a sample by row id."""
    from holdfast.db import decisions
    from holdfast.db.models import Choice

    def accept(store: Store, sample_id: int) -> None:
        decisions.decide(store, decisions.Submission(sample_id=sample_id, reviewer="lead-1", choice=Choice.ACCEPT))

    return accept


def test_an_edited_text_is_judged_with_what_the_last_run_learned(tmp_path: Path) -> None:
    from holdfast.reviewer.pipeline.judging import judge_of

    desk = Desk(tmp_path / "project")
    fill(desk, range(30))
    desk.configure("enabled = ['required_fields']\nfiles = ['checks.py:corpus']")
    desk.verify()
    with desk.project.store() as store:
        sample: Sample = make_sample(99)
        specs, verdicts = judge_of(desk.project, store)(sample)
    assert [spec.name for spec in specs] == ["required_fields", "corpus"]
    assert [one and one.value for one in verdicts.verdicts] == [None, 30]
