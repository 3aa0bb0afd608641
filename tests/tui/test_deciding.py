"""What each deciding key does, and when it does nothing."""

from __future__ import annotations

import pytest
from driving import Review
from fake_desk import FakeDesk, choices, finding, full_item, make_item

from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Severity
from holdfast.reviewer.tui import messages

pytestmark = pytest.mark.asyncio

BLOCKED = make_item(1, findings=(finding("never reduces", Severity.BLOCK, "oracle_fact", "it halves it"),))


def queue(count: int = 6) -> FakeDesk:
    return FakeDesk([make_item(n, response=f"answer number {n}") for n in range(1, count + 1)])


@pytest.mark.parametrize(("key", "choice"), [("a", Choice.ACCEPT), ("s", Choice.SKIP), ("f", Choice.ESCALATE)])
async def test_one_key_decides_and_shows_the_next(review: Review, key: str, choice: Choice) -> None:
    async with review(queue()) as at:
        await at.press(key)
        assert [(item.sample_id, answer.choice) for item, answer in at.desk.decided] == [(1, choice)]
        assert "answer number 2" in at.text("#response")
        assert {messages.Claimed, messages.Saved} <= {type(message) for message in at.messages}


async def test_reject_takes_a_reason_as_its_second_key(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("x", "4")
        ((_, answer),) = at.desk.decided
        assert (answer.choice, answer.reason) == (Choice.REJECT, "format")


async def test_a_reject_for_another_reason_asks_for_a_note(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("x", "9")
        assert at.desk.decided == []
        await at.press("t", "o", "o", "enter")
        ((_, answer),) = at.desk.decided
        assert (answer.reason, answer.note) == ("other", "too")


@pytest.mark.parametrize("key", ["escape", "enter", "backspace", "space", "0"])
async def test_the_reasons_can_be_left_and_nothing_else_decides(review: Review, key: str) -> None:
    async with review(queue()) as at:
        await at.press("x", key)
        assert at.desk.decided == []
        assert "answer number 1" in at.text("#response") if at.app.screen is at.screen else True


@pytest.mark.parametrize("key", ["enter", "backspace", "delete", "ctrl+z", "ctrl+s", "ctrl+q", "ctrl+c"])
async def test_keys_of_habit_decide_nothing(review: Review, key: str) -> None:
    async with review(queue()) as at:
        await at.press(key)
        assert at.desk.decided == []
        assert at.app.is_running
        assert "answer number 1" in at.text("#response")


async def test_accepting_over_a_blocking_finding_needs_a_reason(review: Review) -> None:
    async with review(FakeDesk([BLOCKED, make_item(2)])) as at:
        await at.press("a")
        assert at.desk.decided == []
        await at.press("2")
        ((_, answer),) = at.desk.decided
        assert (answer.choice, answer.override) == (Choice.ACCEPT, "harmless")


async def test_accepting_over_a_blocking_finding_can_be_reconsidered(review: Review) -> None:
    async with review(FakeDesk([BLOCKED])) as at:
        await at.press("a", "escape")
        assert at.desk.decided == []


async def test_an_override_in_words(review: Review) -> None:
    async with review(FakeDesk([BLOCKED])) as at:
        await at.press("a", "4", "enter", "o", "k", "enter")
        assert at.desk.decided[0][1].override == "ok"


async def test_keys_before_the_sample_has_settled_are_ignored_and_say_so(review: Review) -> None:
    async with review(queue(), settle_ms=3_600_000) as at:
        await at.press("a", "x", "s", "f")
        assert at.desk.decided == []
        assert "only just changed" in at.text("#message")


async def test_type_ahead_is_flushed_when_the_sample_changes(review: Review) -> None:
    async with review(queue()) as at:
        at.screen.do_accept()
        at.screen.action_press("accept")
        await at.settle()
        assert len(at.desk.decided) == 1


async def test_keys_that_need_a_sample_say_why_they_do_nothing(review: Review) -> None:
    async with review(FakeDesk()) as at:
        await at.press("a")
        assert "no sample is on screen" in at.text("#message")


async def test_undo_brings_the_sample_back_and_redo_decides_it_again(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("a", "a", "u")
        assert "answer number 2" in at.text("#response")
        await at.press("u")
        assert "answer number 1" in at.text("#response")
        assert at.desk.decided == []
        await at.press("U")
        assert "answer number 2" in at.text("#response")
        assert choices(at.desk) == [Choice.ACCEPT]


async def test_undo_right_after_a_decision_takes_that_one_back(review: Review) -> None:
    async with review(queue()) as at:
        await at.pilot.press("a", "u")
        await at.settle()
        assert at.desk.decided == []
        assert "answer number 1" in at.text("#response")


async def test_undo_without_a_decision_says_so(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("u")
        assert "nothing to take back" in at.text("#message")
        await at.press("U")
        assert "nothing to make again" in at.text("#message")


async def test_a_refused_undo_says_why(review: Review) -> None:
    desk = queue()
    desk.fail["undo"] = [Refused("the lead has signed this batch off")]
    async with review(desk) as at:
        await at.press("u")
        assert "signed this batch off" in at.text("#message")


async def test_a_note_goes_with_the_decision_and_is_kept_meanwhile(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("n", "h", "m", "enter")
        assert "✎ note" in at.text("#response").splitlines()[0]
        await at.press("a")
        assert at.desk.decided[0][1].note == "hm"
        await at.press("a")
        assert at.desk.decided[1][1].note is None


async def test_an_unfinished_note_is_offered_again_but_not_stored_with_a_decision(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("n", "h", "m", "escape")
        kept = (make_item(1).uid, "note")
        await at.until(lambda: kept in at.desk.drafts and at.desk.drafts[kept].text == "hm")
        await at.press("n", "!", "enter", "a")
        assert at.desk.decided[0][1].note == "hm!"


async def test_the_decision_says_what_was_shown(review: Review) -> None:
    async with review(FakeDesk([full_item(1)])) as at:
        await at.press("t", "t", "a")
        answer = at.desk.decided[0][1]
        assert answer.view == "raw"
        assert answer.votes_seen
        assert answer.dwell_seconds is not None
        assert answer.dwell_seconds >= 0


async def test_nothing_is_claimed_twice_and_the_queue_is_read_to_its_end(review: Review) -> None:
    async with review(queue(9)) as at:
        await at.press(*"aaaaaaaaa")
        assert [item.sample_id for item, _ in at.desk.decided] == list(range(1, 10))
        assert "Nothing is due" in at.text("#notice")


async def test_a_dialog_decides_only_for_the_sample_it_was_opened_on(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("x")
        at.screen.session.bring_back(make_item(99))
        await at.press("1")
        assert at.desk.decided == []
        assert "no longer on screen" in at.text("#message")


async def test_a_click_on_the_key_bar_is_a_key(review: Review) -> None:
    async with review(queue()) as at:
        at.app.input_time += 1
        column = at.text("#keys").index("skip")
        await at.pilot.click("#keys", offset=(column, 0))
        await at.settle()
        assert choices(at.desk) == [Choice.SKIP]


async def test_the_quota_effect_follows_a_decision_at_once(review: Review) -> None:
    async with review(FakeDesk([make_item(n, quota_weight=50.0) for n in range(1, 6)])) as at:
        assert "ratio .391 → .491 of" in at.text("#status")
        await at.press("a")
        assert "ratio .491 → .591 of" in at.text("#status")
        await at.press("s")
        assert "ratio .491 → .591 of" in at.text("#status")
        await at.press("u", "u")
        assert "ratio .391 → .491 of" in at.text("#status")


async def test_two_keys_can_change_places(review: Review) -> None:
    async with review(queue(), keys={"accept": "s", "skip": "a"}) as at:
        await at.press("s", "a")
        assert choices(at.desk) == [Choice.ACCEPT, Choice.SKIP]


async def test_keys_can_be_remapped(review: Review) -> None:
    async with review(queue(), keys={"accept": "y,f5"}) as at:
        await at.press("a")
        assert at.desk.decided == []
        await at.press("y", "f5")
        assert choices(at.desk) == [Choice.ACCEPT, Choice.ACCEPT]
        assert "y accept" in at.text("#keys")
