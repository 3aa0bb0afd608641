"""Approving without a look: what is approved, what takes it back, and what a kill in between leaves."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from filling import ingest, make_sample

from holdfast.db import approvals, decisions, events, exports, orderings, samples
from holdfast.db.check import check
from holdfast.db.decisions import Submission
from holdfast.db.gold import set_gold
from holdfast.db.models import Choice, Status
from holdfast.db.replay import repair
from holdfast.reviewer import trust
from holdfast.reviewer.config import QuotaConfig, ReviewConfig
from holdfast.reviewer.pipeline.approving import approve, due, stand
from holdfast.reviewer.pipeline.documents import show
from holdfast.reviewer.pipeline.export import export_approved
from holdfast.reviewer.pipeline.ordering import bring_up_to_date
from holdfast.reviewer.pipeline.verify import verify
from holdfast.reviewer.project import Project

CHECKS = """
from holdfast.verifiers import Context, Sample, Threshold, Verdict, above, verifier

@verifier(layer="format", version="1")
def tens(sample: Sample, ctx: Context, *, flag_at: Threshold = above(99)) -> Verdict:
    return Verdict.score(int(sample.response.split()[-1]) % 10)
"""
SETTINGS = """
[review]
audit_share = 0.3
audit_min_per_source = 1
auto_approve = "{mode}"
auto_approve_risk = {risk}
[verifiers]
enabled = []
files = ["checks.py:tens"]
[verifiers.tens]
flag_at = {{ above = {above} }}
"""
SAMPLES = 120


class Desk:
    """A project whose one check flags nothing at first, with an audit that draws three samples in ten."""

    def __init__(self, root: Path) -> None:
        self.project = Project.init(root, shared=False, user="lead-1")
        (root / "checks.py").write_text(CHECKS)
        trust.trust(root / "checks.py")
        self.configure()
        self.store = self.project.store()
        self.add(range(SAMPLES), "b0")

    def configure(self, mode: str = "guaranteed", risk: float = 0.2, above: float = 99) -> None:
        """Write the settings; the project is read anew."""
        (self.project.root / "holdfast.toml").write_text(SETTINGS.format(mode=mode, risk=risk, above=above))
        self.project = Project(self.project.root)

    def add(self, numbers: range, batch: str, **fields: object) -> None:
        """Ingest samples by number and verify them."""
        ingest(self.store, [make_sample(number, **fields) for number in numbers], batch=batch, signature=batch)
        verify(self.project, self.store, actor="lead-1")

    def update(self) -> None:
        """Bring order and approvals up to date."""
        bring_up_to_date(self.project, self.store, actor="lead-1", now=True)

    def drawn(self, batch: str = "b0") -> list[int]:
        """Row ids of what the audit drew and nobody has decided."""
        return [one.id for one in samples.each(self.store, status=Status.PASSED, batch=batch) if one.audit]

    def look(self, choice: Choice = Choice.ACCEPT, *, batch: str = "b0", count: int | None = None) -> list[int]:
        """Decide what the audit drew, or some of it."""
        chosen = self.drawn(batch)[:count]
        for sample_id in chosen:
            decisions.decide(self.store, Submission(sample_id, "annotator-1", choice))
        return chosen

    def statuses(self, **chosen: Any) -> Counter[str]:
        """How many samples have each status; every projection has to be sound."""
        assert list(check(self.store)) == []
        return Counter(one.status.value for one in samples.each(self.store, **chosen))

    def approved(self) -> list[int]:
        """Row ids of what is approved without a look."""
        return approvals.granted(self.store)

    def stand(self) -> dict[str, Any]:
        """What `holdfast audit` says of it."""
        return stand(self.store, self.project.config.review)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def test_it_is_off_by_default_and_then_nothing_is_approved(desk: Desk) -> None:
    assert ReviewConfig().auto_approve == "off"
    desk.configure(mode="off")
    desk.look()
    desk.update()
    assert desk.approved() == []
    assert (desk.stand()["holds"], desk.stand()["why"]) == (False, "off in holdfast.toml")


def test_samples_that_no_check_flags_are_approved_once_enough_were_audited(desk: Desk) -> None:
    drawn = desk.drawn()
    desk.update()
    assert desk.approved() == []
    assert desk.stand()["why"].startswith("needs 14 audited samples without a bad one; there are 0")
    desk.look()
    desk.update()
    assert desk.statuses() == {"approved": SAMPLES}
    assert sorted(desk.approved() + drawn) == list(range(1, SAMPLES + 1))
    found = desk.stand()
    assert (found["holds"], found["audited"], found["bad"]) == (True, len(drawn), 0)
    assert found["approved"] == SAMPLES - len(drawn)
    assert found["bound"] <= found["risk"] == 0.2
    assert found["why"].startswith(f"0 of {len(drawn)} audited samples that no check flagged were bad")


def test_too_many_bad_ones_prove_nothing(desk: Desk) -> None:
    desk.look(Choice.REJECT, count=12)
    desk.look()
    desk.update()
    assert desk.approved() == []
    assert desk.stand()["bad"] >= 10
    assert "beyond the risk of 20.0%" in desk.stand()["why"]


def test_what_was_escalated_or_skipped_counts_as_bad(desk: Desk) -> None:
    desk.look(Choice.ESCALATE, count=2)
    skipped = desk.drawn()[0]
    decisions.decide(desk.store, Submission(skipped, "annotator-1", Choice.SKIP))
    for sample_id in desk.drawn():
        if sample_id != skipped:
            decisions.decide(desk.store, Submission(sample_id, "annotator-1", Choice.ACCEPT))
    desk.update()
    assert desk.stand()["bad"] == 3


def test_a_bad_sample_stays_evidence_when_it_becomes_gold(desk: Desk) -> None:
    bad = desk.look(Choice.REJECT, count=12)
    good = desk.look()
    for sample_id in (*bad, good[0]):
        verdict = Choice.ACCEPT if sample_id == good[0] else Choice.REJECT
        set_gold(desk.store, sample_id, actor="lead-1", verdict=verdict)
    desk.update()
    assert desk.approved() == []
    assert desk.stand()["bad"] >= 10
    assert desk.stand()["audited"] < 12 + len(good)


def test_a_decision_that_is_undone_takes_everything_back(desk: Desk) -> None:
    desk.look(count=14)
    desk.update()
    assert len(desk.approved()) > 0
    assert not due(desk.project.config.review, desk.store)
    decisions.undo(desk.store, reviewer="annotator-1")
    assert due(desk.project.config.review, desk.store)
    bring_up_to_date(desk.project, desk.store, actor="lead-1")
    assert desk.approved() == []
    assert desk.statuses() == {"passed": SAMPLES - 13, "approved": 13}
    assert [event.payload["why"] for event in events.each(desk.store) if event.type == "approval.revoked"] == [
        "the audit no longer supports it"
    ]


def test_turned_off_it_takes_everything_back(desk: Desk) -> None:
    drawn = desk.look()
    desk.update()
    desk.configure(mode="off")
    assert due(desk.project.config.review, desk.store)
    desk.update()
    assert desk.statuses() == {"passed": SAMPLES - len(drawn), "approved": len(drawn)}


def test_what_was_decided_loses_its_approval_too(desk: Desk) -> None:
    desk.look()
    desk.update()
    sample_id = desk.approved()[0]
    decisions.decide(desk.store, Submission(sample_id, "annotator-2", Choice.REJECT))
    desk.configure(mode="off")
    desk.update()
    assert not due(desk.project.config.review, desk.store)
    decisions.undo(desk.store, reviewer="annotator-2")
    assert samples.load(desk.store, sample_id).status is Status.PASSED
    assert list(check(desk.store)) == []


def test_a_smaller_risk_takes_back_what_it_does_not_allow(desk: Desk) -> None:
    desk.look()
    desk.update()
    desk.configure(risk=0.01)
    assert desk.stand()["holds"] is False
    assert desk.stand()["why"].startswith("not tested yet with these settings")
    desk.update()
    assert desk.approved() == []


def test_a_batch_that_nobody_looked_into_is_not_approved(desk: Desk) -> None:
    desk.look()
    desk.update()
    before = desk.approved()
    desk.add(range(200, 320), "b1")
    desk.update()
    assert desk.approved() == before
    desk.look(batch="b1")
    desk.update()
    assert desk.statuses() == {"approved": 2 * SAMPLES}


def test_what_a_check_flags_later_is_approved_no_longer(desk: Desk) -> None:
    desk.look()
    desk.update()
    desk.configure(above=7.5)
    verify(desk.project, desk.store, actor="lead-1")
    flagged = [one.id for one in samples.each(desk.store, status=Status.FLAGGED)]
    assert flagged
    assert not set(flagged) & set(desk.approved())
    assert desk.statuses()["flagged"] == len(flagged)


def test_what_a_person_wrote_edited_or_decided_is_left_alone(desk: Desk) -> None:
    desk.add(range(400, 420), "people", provenance="human", model=None)
    decided = next(one.id for one in samples.each(desk.store, status=Status.PASSED, batch="b0") if not one.audit)
    decisions.decide(desk.store, Submission(decided, "lead-1", Choice.REJECT))
    desk.look()
    desk.update()
    assert decided not in desk.approved()
    assert "approved" not in [one.status for one in samples.each(desk.store, batch="people") if not one.audit]


def test_a_persons_decision_on_an_approved_sample_wins_and_its_undoing_restores_it(desk: Desk) -> None:
    desk.look()
    desk.update()
    sample_id = desk.approved()[0]
    receipt = decisions.decide(desk.store, Submission(sample_id, "annotator-2", Choice.REJECT, second_opinion=True))
    assert (receipt.status, receipt.second_opinion) == (Status.REJECTED, False)
    assert sample_id not in desk.approved()
    decisions.undo(desk.store, reviewer="annotator-2")
    assert samples.load(desk.store, sample_id).status is Status.APPROVED
    assert list(check(desk.store)) == []


def test_whoever_reads_an_approved_sample_learns_that_nobody_looked(desk: Desk, tmp_path: Path) -> None:
    drawn = desk.look()
    desk.update()
    shown = show(desk.store, desk.approved()[0], "lead-1")
    proof = shown["approved_by"]["guarantee"]
    assert (shown["status"], shown["decision"]) == ("approved", None)
    assert (proof["audited"], proof["bad"], proof["risk"]) == (len(drawn), 0, 0.2)
    assert "approved_by" not in show(desk.store, drawn[0], "lead-1")
    policy = QuotaConfig()
    out = tmp_path / "out.jsonl"
    manifest = export_approved(desk.store, out, policy=policy, actor="lead-1")
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert manifest["samples"] == len(lines) == SAMPLES
    assert sum("approved_by" in line for line in lines) == SAMPLES - len(drawn)
    assert not exports.exports(desk.store)[0].stale
    desk.configure(mode="off")
    desk.update()
    assert exports.exports(desk.store)[0].stale
    assert list(check(desk.store)) == []


def test_an_ordering_that_learned_from_all_of_the_audit_proves_nothing(desk: Desk) -> None:
    desk.look()
    desk.update()
    newest = orderings.newest_ordering(desk.store)
    assert newest is not None
    state = orderings.state_of(desk.store, newest.version)
    for held_out, holds in ((False, False), (True, True)):
        report = {**newest.report, "learned": True, "basis": {**newest.report["basis"], "held_out": held_out}}
        orderings.save_ordering(
            desk.store, log_size=1, report=orjson.dumps(report), state=orjson.dumps(state), actor="lead-1"
        )
        ordering = orderings.newest_ordering(desk.store)
        assert ordering is not None
        approve(desk.project.config.review, desk.store, ordering, actor="lead-1")
        assert desk.stand()["holds"] is holds
        assert bool(desk.approved()) is holds
    assert desk.stand()["audited"] < SAMPLES * 0.3 * 0.8


def test_the_check_finds_an_approval_that_the_log_does_not_cover(desk: Desk) -> None:
    desk.look()
    desk.update()
    sample_id = desk.approved()[0]
    with desk.store.write() as connection:
        connection.execute("DROP TRIGGER approvals_no_delete")
        connection.execute("DELETE FROM approvals WHERE sample_id = ?", (sample_id,))
    assert {problem.kind for problem in check(desk.store)} == {"approval", "projection"}
    repair(desk.store, lambda _: None)
    assert {problem.kind for problem in check(desk.store)} == {"approval"}
    assert samples.load(desk.store, sample_id).status is Status.PASSED


def test_repair_restores_what_approvals_make_of_statuses(desk: Desk) -> None:
    desk.look()
    desk.update()
    before = desk.statuses()
    with desk.store.write() as connection:
        connection.execute("UPDATE states SET status = 'passed'")
    repair(desk.store, lambda _: None)
    assert desk.statuses() == before


@pytest.mark.parametrize("mode", ["guaranteed", "off"])
def test_killed_in_the_middle_it_goes_on_where_it_stopped(
    desk: Desk, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "AT_A_TIME", 10)
    drawn = desk.look()
    if mode == "off":
        desk.update()
        desk.configure(mode="off")
    desk.store.close()
    child = os.fork()
    if child == 0:
        _die_after(3, desk.project)
    os.waitpid(child, 0)
    begun = desk.statuses()
    assert 0 < begun["passed"] < SAMPLES - len(drawn)
    desk.update()
    assert desk.statuses()["approved"] == (SAMPLES if mode == "guaranteed" else len(drawn))


def _die_after(transactions: int, project: Project) -> None:
    """Bring approvals up to date in this process, which is killed after some transactions of it."""
    try:
        with project.store() as store:

            def progress(what: str, done: int, _: int) -> None:
                if what in ("approving", "taking approvals back") and done >= 10 * transactions:
                    os.kill(os.getpid(), signal.SIGKILL)

            bring_up_to_date(project, store, actor="lead-1", now=True, progress=progress)
    finally:
        os._exit(1)


def test_what_joins_a_batch_later_is_not_approved_for_what_was_there_before(desk: Desk) -> None:
    desk.look()
    desk.update()
    before = desk.approved()
    ingest(desk.store, [make_sample(number) for number in range(200, 320)], batch="b0", signature="more", first=200)
    verify(desk.project, desk.store, actor="lead-1")
    desk.update()
    assert desk.approved() == before
    desk.look()
    desk.update()
    assert desk.statuses() == {"approved": 2 * SAMPLES}
