"""The desk behind the triage screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filling import ingest, judge, make_sample

from holdfast.db.check import check
from holdfast.db.errors import Refused, UsageError
from holdfast.db.models import Choice, Message, Outcome, Provenance, Severity, Status
from holdfast.db.queue import claim_sample
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.desk import Answer, ClaimedItem, Desk, Draft
from holdfast.reviewer.pipeline.review import ReviewDesk
from holdfast.reviewer.project import Project

ACCEPT = Answer(Choice.ACCEPT)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Six flagged samples, the last one with a blocking finding, and a human one that passed."""
    project = Project.init(tmp_path / "project", shared=False, user="lead-1")
    with project.store() as store:
        ingest(store, [*(make_sample(number) for number in range(6)), make_sample(6, provenance="human", model=None)])
        outcomes = {**dict.fromkeys(range(1, 6), Outcome.FLAG), 6: Outcome.FAIL, 7: Outcome.PASS}
        judge(store, outcomes, audit=[6])
    return project


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    with project.store() as store:
        yield store
        assert list(check(store)) == []


@pytest.fixture
def desk(project: Project, store: Store) -> Iterator[Desk]:
    desk = ReviewDesk.open(project, reviewer="annotator-1")
    yield desk
    desk.close()


def claimed(desk: Desk, **options: str) -> ClaimedItem:
    item = desk.claim(**options)
    assert item is not None
    return item


def edited(item: ClaimedItem, text: str) -> tuple[Message, ...]:
    return (*item.messages[:-1], Message(role="assistant", content=text))


def test_the_quota_effect_follows_the_decisions(desk: Desk) -> None:
    first, second = claimed(desk), claimed(desk)
    for item, expected in ((first, (0, 1, False)), (second, (1, 2, True))):
        stand = desk.progress().quota
        assert stand is not None
        effect = stand.accepting(item.quota_weight)
        assert (effect.before, effect.after, effect.over) == expected
        desk.decide(item, ACCEPT)


def test_an_item_shows_all_that_the_screen_needs(desk: Desk) -> None:
    item = claimed(desk)
    assert (item.external_id, item.response, item.status) == ("0", "answer 0", Status.FLAGGED)
    assert (item.findings[0].code, item.findings[0].severity) == ("odd", Severity.WARN)
    assert item.stream == "review"
    assert sum(term.value for term in item.why) == pytest.approx(item.priority)
    assert item.lineage == "this"
    assert item.guideline_version == desk.guideline().version


def test_decisions_undo_and_redo(desk: Desk) -> None:
    item = claimed(desk)
    receipt = desk.decide(item, Answer(Choice.REJECT, reason="factual", note="no", dwell_seconds=2.5))
    assert (receipt.choice, receipt.status, receipt.late) == (Choice.REJECT, Status.REJECTED, False)
    undone = desk.undo()
    assert undone is not None
    assert undone.item is not None
    assert (undone.item.uid, undone.choice) == (item.uid, Choice.REJECT)
    redone = desk.redo()
    assert redone is not None
    assert redone.uid == item.uid
    assert desk.redo() is None
    assert desk.my_decisions(10)[0].name == "b/0"
    assert [event.what for event in desk.history(item.uid)] == ["rejected"]


def test_undo_of_a_sample_that_another_holds_is_refused(desk: Desk, store: Store) -> None:
    assert desk.undo() is None
    item = claimed(desk)
    desk.decide(item, ACCEPT)
    claim_sample(store, item.sample_id, reviewer="annotator-2")
    with pytest.raises(Refused, match="annotator-2 holds"):
        desk.undo()


def test_an_edit_is_judged_first_and_becomes_a_revision(desk: Desk) -> None:
    item = claimed(desk)
    preview = desk.preview_edit(item, edited(item, "answer 00"))
    assert preview.edit_share == pytest.approx(1 / 9)
    assert preview.provenance_after is Provenance.HUMAN_EDITED
    receipt = desk.decide(item, Answer(Choice.EDIT, messages=edited(item, "answer 00\n")))
    assert receipt.revision_uid is not None
    revision = claimed(desk, uid=receipt.revision_uid)
    assert (revision.response, revision.provenance) == ("answer 00", Provenance.HUMAN_EDITED)
    assert revision.edit_share == pytest.approx(1 / 9)
    assert [step.here for step in revision.lineage_steps] == [False, True]
    assert revision.lineage.endswith("→ this")


def test_an_edit_of_another_turn_is_an_edit(desk: Desk) -> None:
    item = claimed(desk)
    messages = (Message(role="user", content="another question"), *item.messages[1:])
    receipt = desk.decide(item, Answer(Choice.EDIT, messages=messages))
    assert receipt.revision_uid is not None
    assert claimed(desk, uid=receipt.revision_uid).edit_share == 0


def test_an_edit_that_changes_nothing_is_an_accept(desk: Desk) -> None:
    item = claimed(desk)
    receipt = desk.decide(item, Answer(Choice.EDIT, messages=edited(item, f"{item.response}\n")))
    assert (receipt.choice, receipt.revision_uid, receipt.status) == (Choice.ACCEPT, None, Status.APPROVED)


def test_an_edit_needs_text(desk: Desk) -> None:
    with pytest.raises(UsageError, match="new response"):
        desk.decide(claimed(desk), Answer(Choice.EDIT))


def test_a_lost_lease_is_a_late_second_opinion(desk: Desk) -> None:
    item = claimed(desk)
    assert set(desk.heartbeat([item.token, "gone"])) == {item.token}
    desk.release([item.token])
    assert desk.heartbeat([item.token]) == {}
    receipt = desk.decide(item, ACCEPT)
    assert (receipt.late, receipt.second_opinion) == (True, True)


def test_one_sample_can_be_asked_for_unless_another_holds_it(desk: Desk, store: Store) -> None:
    first = claimed(desk)
    assert claimed(desk, uid=first.uid).uid == first.uid
    second = claimed(desk)
    desk.release([second.token])
    claim_sample(store, second.sample_id, reviewer="annotator-2")
    with pytest.raises(Refused, match="annotator-2 holds"):
        desk.claim(uid=second.uid)


def test_a_decided_sample_that_is_claimed_and_given_back_does_not_wait_again(desk: Desk) -> None:
    item = claimed(desk)
    desk.decide(item, ACCEPT)
    desk.release([claimed(desk, uid=item.uid).token])
    assert desk.progress().left == 5
    assert item.uid not in {hit.uid for hit in desk.search("", 10)}


def test_a_filter_narrows_claims_progress_and_search(desk: Desk) -> None:
    assert claimed(desk, where="id:3").external_id == "3"
    assert desk.claim(where="id:3") is None
    assert desk.progress(where="code:odd").left == 5
    assert [hit.name for hit in desk.search('"answer 4"', 10)] == ["b/4"]
    assert [hit.findings for hit in desk.search("severity:block", 10)] == [1]
    with pytest.raises(UsageError, match="no such field"):
        desk.search("modle:x", 10)


@pytest.mark.parametrize("word", ["50%", "a_b", "back\\slash", "QUOTE", "caf\u00e9", "line"])
def test_words_of_a_filter_are_taken_as_they_stand(project: Project, store: Store, desk: Desk, word: str) -> None:
    odd = make_sample(50, messages=(Message(role="assistant", content='50% a_b back\\slash "quote" caf\u00e9\nline'),))
    ingest(store, [odd], batch="odd", signature="odd")
    judge(store, {8: Outcome.FLAG})
    found = [hit.name for hit in desk.search(word, 10)]
    assert found == ["odd/0"]


def test_drafts_come_back_with_the_sample_and_go_with_the_decision(desk: Desk) -> None:
    item = claimed(desk)
    saved = Draft("edit", "half a\x00 sentence", datetime(2026, 1, 5, tzinfo=UTC), 1, ((0, "other"),))
    desk.save_draft(item, saved)
    desk.save_draft(item, Draft("note", "hm", datetime(2026, 1, 5, tzinfo=UTC)))
    assert claimed(desk, uid=item.uid).drafts[0] == saved
    desk.drop_draft(item, "edit")
    again = claimed(desk, uid=item.uid)
    assert [draft.kind for draft in again.drafts] == ["note"]
    desk.decide(again, ACCEPT)
    undone = desk.undo()
    assert undone is not None
    assert undone.item is not None
    assert undone.item.drafts == ()


def test_progress_says_what_is_left_and_what_to_do_then(desk: Desk) -> None:
    assert desk.progress().left == 6
    assert desk.progress().next_steps == ()
    while (item := desk.claim()) is not None:
        desk.decide(item, ACCEPT)
    progress = desk.progress()
    assert (progress.left, progress.decided_today) == (0, 6)
    assert "holdfast export OUT.jsonl --approved" in progress.next_steps


def test_closing_gives_claims_back(desk: Desk, project: Project) -> None:
    item = claimed(desk)
    desk.close()
    desk.close()
    other = ReviewDesk.open(project, reviewer="annotator-2")
    try:
        assert claimed(other).uid == item.uid
    finally:
        other.close()


def test_the_projects_words_for_reasons_change_the_guidelines_version(project: Project, desk: Desk) -> None:
    assert [reason.code for reason in desk.reasons()][:2] == ["factual", "off-prompt"]
    before = desk.guideline()
    assert "Accept" in before.text
    (project.root / "holdfast.toml").write_text('[reasons]\nfactual = "wrong"\n', encoding="utf-8")
    other = ReviewDesk.open(Project(project.root), reviewer="annotator-2")
    try:
        assert other.reasons()[0].label == "wrong"
        assert other.guideline().version != before.version
    finally:
        other.close()


def test_an_annotator_sees_others_decisions_after_the_own_one(desk: Desk, project: Project) -> None:
    item = claimed(desk)
    desk.release([item.token])
    other = ReviewDesk.open(project, reviewer="annotator-2")
    try:
        other.decide(claimed(other), ACCEPT)
    finally:
        other.close()
    (hidden,) = desk.history(item.uid)
    assert (hidden.actor, hidden.what) == ("hidden", "decided")
    desk.decide(item, ACCEPT)
    assert [event.what for event in desk.history(item.uid)] == ["accepted", "accepted"]
