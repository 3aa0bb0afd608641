"""What the desk shows and keeps when something is not as it should be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from driving import Review
from fake_desk import START, FakeDesk, choices, make_item

from holdfast.db.errors import HoldfastError, Refused, StoreBusy, StoreFull, StoreReadOnly
from holdfast.db.models import Choice
from holdfast.reviewer.pipeline.desk import Draft
from holdfast.reviewer.tui import messages

pytestmark = pytest.mark.asyncio


def queue(count: int = 6) -> FakeDesk:
    return FakeDesk([make_item(n, response=f"answer number {n}") for n in range(1, count + 1)])


async def test_an_empty_queue_says_what_to_do_next(review: Review) -> None:
    async with review(FakeDesk()) as at:
        assert "Nothing is due" in at.text("#notice")
        assert "$ holdfast export OUT.jsonl --approved" in at.text("#notice")
        at.desk.queue.append(make_item(1, response="fresh"))
        at.screen.beat()
        await at.settle()
        assert "fresh" in at.text("#response")


async def test_a_locked_store_is_tried_again_and_shown(review: Review) -> None:
    desk = queue()
    desk.fail["claim"] = [StoreBusy("locked")] * 3
    async with review(desk) as at:
        waits = [message for message in at.messages if isinstance(message, messages.Waiting)]
        assert waits
        assert "answer number 1" in at.text("#response")
        assert not at.screen.has_class("-banner")
        desk.fail["decide"] = [StoreBusy("locked")] * 3
        await at.press("a")
        assert choices(desk) == [Choice.ACCEPT]


async def test_the_banner_says_that_the_store_is_locked(review: Review) -> None:
    async with review(queue()) as at:
        at.screen.post_message(messages.Waiting("an answer", 12))
        await at.settle()
        assert "locked the store" in at.text("#banner")
        assert "12 s" in at.text("#banner")
        at.screen.post_message(messages.WaitOver())
        await at.settle()
        assert not at.screen.has_class("-banner")


@pytest.mark.parametrize("error", [StoreFull("no room on /data"), HoldfastError("went wrong")])
async def test_an_answer_that_is_not_stored_brings_its_sample_back(review: Review, error: HoldfastError) -> None:
    desk = queue()
    desk.fail["decide"] = [error]
    async with review(desk) as at:
        await at.press("n", "h", "m", "enter", "a")
        assert "answer number 1" in at.text("#response")
        assert f"is back: {error}" in at.text("#banner")
        await at.press("a")
        ((item, answer),) = desk.decided
        assert (item.sample_id, answer.note) == (1, "hm")
        assert not at.screen.has_class("-banner")
        assert "answer number 2" in at.text("#response")


async def test_several_answers_that_fail_all_come_back(review: Review) -> None:
    desk = queue()
    desk.hold.clear()
    desk.fail["decide"] = [StoreFull("full"), StoreFull("full")]
    async with review(desk) as at:
        await at.pilot.press("a")
        await at.pilot.pause()
        await at.pilot.press("a")
        await at.pilot.pause()
        assert "answer number 3" in at.text("#response")
        desk.hold.set()
        await at.settle()
        await at.press("a", "a", "a")
        assert sorted(item.sample_id for item, _ in desk.decided) == [1, 2, 3]


async def test_the_next_sample_is_there_before_the_answer_is_stored(review: Review) -> None:
    desk = queue()
    desk.hold.clear()
    async with review(desk) as at:
        await at.pilot.press("a")
        await at.pilot.pause()
        assert desk.decided == []
        assert "answer number 2" in at.text("#response")
        desk.hold.set()
        await at.settle()
        assert len(desk.decided) == 1


async def test_a_slow_store_is_mentioned_until_it_has_answered(review: Review) -> None:
    desk = queue()
    desk.hold.clear()
    async with review(desk, slow_seconds=0.01) as at:
        await at.pilot.press("a")
        await at.until(lambda: "longer than usual" in at.text("#banner"))
        desk.hold.set()
        await at.settle()
        assert not at.screen.has_class("-banner")


async def test_an_undo_after_an_answer_that_failed_takes_nothing_else_back(review: Review) -> None:
    desk = queue()
    async with review(desk) as at:
        await at.press("a")
        desk.hold.clear()
        desk.fail["decide"] = [StoreFull("full")]
        await at.pilot.press("a", "u")
        desk.hold.set()
        await at.settle()
        assert [item.sample_id for item, _ in desk.decided] == [1]
        assert "answer number 2" in at.text("#response")


async def test_a_store_that_cannot_be_written_turns_decisions_off_and_says_why(review: Review) -> None:
    desk = queue()
    async with review(desk) as at:
        for method in ("decide", "claim"):
            desk.fail[method] = [StoreReadOnly("holdfast.db belongs to lead-1")]
        await at.press("a")
        assert "belongs to lead-1" in at.text("#banner")
        await at.press("a")
        assert desk.decided == []
        assert "cannot be written" in at.text("#message")
        at.screen.beat()
        await at.settle()
        await at.press("a")
        assert len(desk.decided) == 1


async def test_a_store_that_cannot_be_written_from_the_start(review: Review) -> None:
    desk = queue()
    desk.fail["claim"] = [StoreReadOnly("holdfast.db belongs to lead-1")]
    async with review(desk) as at:
        assert "belongs to lead-1" in at.text("#notice")
        assert "Ask the project's lead" in at.text("#notice")


async def test_a_lost_lease_is_announced_and_the_decision_still_stored(review: Review) -> None:
    desk = queue()
    async with review(desk) as at:
        desk.lost = {"token-1", "token-2"}
        at.screen.beat()
        await at.settle()
        assert "lease is lost" in at.text("#banner")
        assert "lease lost" in at.text("#status")
        await at.press("a")
        assert [item.sample_id for item, _ in desk.decided] == [1]
        assert "second opinion" in at.text("#message")
        assert "answer number 3" in at.text("#response")
        assert not at.screen.has_class("-banner")


async def test_leases_are_renewed_for_all_that_is_held(review: Review) -> None:
    async with review(queue(), claims_ahead=2) as at:
        at.screen.beat()
        await at.settle()
        assert at.desk.beats == [frozenset({"token-1", "token-2", "token-3"})]


async def test_a_heartbeat_that_fails_is_mentioned(review: Review) -> None:
    async with review(queue()) as at:
        at.desk.fail["heartbeat"] = [StoreBusy("locked")]
        at.screen.beat()
        await at.settle()
        assert "could not be renewed" in at.text("#message")


async def test_nobody_there_gives_the_claims_back_until_a_key_is_pressed(review: Review) -> None:
    desk = queue()
    async with review(desk, idle_minutes=0.0, claims_ahead=1) as at:
        await at.press("e")
        at.screen.beat()
        await at.settle()
        assert desk.released == {"token-1", "token-2"}
        assert at.app.screen is at.screen
        assert "You were away" in at.text("#notice")
        await at.press("a")
        assert desk.decided == []
        assert "answer number 3" in at.text("#response")


async def test_leaving_gives_the_desk_back(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("q")
        assert at.desk.closed == 1
        assert not at.app.is_running


async def test_leaving_waits_for_answers_on_their_way(review: Review) -> None:
    desk = queue()
    desk.hold.clear()
    async with review(desk) as at:
        await at.pilot.press("a", "q")
        await at.pilot.pause()
        assert "Saving before leaving" in at.text("#notice")
        assert desk.closed == 0
        desk.hold.set()
        await at.settle()
        assert len(desk.decided) == 1
        assert desk.closed == 1


async def test_leaving_twice_asks_before_anything_is_lost(review: Review) -> None:
    desk = queue()
    desk.hold.clear()
    async with review(desk) as at:
        await at.pilot.press("a", "q", "q")
        await at.pilot.pause()
        assert "1 of your answers" in at.shown()
        await at.pilot.press("n")
        await at.pilot.pause()
        assert desk.closed == 0
        desk.hold.set()
        await at.settle()
        assert len(desk.decided) == 1


async def test_an_answer_that_fails_while_leaving_keeps_the_desk_open(review: Review) -> None:
    desk = queue()
    desk.hold.clear()
    desk.fail["decide"] = [StoreFull("full")]
    async with review(desk) as at:
        await at.pilot.press("a", "q")
        await at.pilot.pause()
        desk.hold.set()
        await at.settle()
        assert desk.closed == 0
        assert "answer number 1" in at.text("#response")


async def test_a_kept_edit_and_note_are_offered_again(review: Review) -> None:
    note = Draft("note", "look at the unit", START)
    edit = Draft("edit", "half an ans", START, 1)
    async with review(FakeDesk([make_item(1, drafts=(edit, note))])) as at:
        assert "is kept" in at.text("#message")
        await at.press("n")
        assert "look at the unit" in at.shown()
        await at.press("escape", "e")
        assert "half an ans" in at.shown()


async def test_a_sample_that_a_dead_session_left_comes_back_with_a_new_lease(review: Review) -> None:
    desk = queue(2)
    desk.queue[0] = replace(desk.queue[0], token="again", drafts=(Draft("note", "hm", START),))
    async with review(desk) as at:
        await at.press("a")
        assert desk.decided[0][0].token == "again"


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (60, 16), (200, 50), (40, 12)])
async def test_every_size_shows_the_sample_and_the_way_out(review: Review, size: tuple[int, int]) -> None:
    async with review(queue(), size=size) as at:
        assert "answer" in at.shown()
        assert "quit" in at.shown()


async def test_narrow_terminals_stack_the_panes(review: Review) -> None:
    async with review(queue(), size=(80, 24)) as at:
        response, side = at.screen.response.region, at.screen.side.region
        assert side.y >= response.bottom
        await at.pilot.resize_terminal(120, 30)
        await at.settle()
        assert at.screen.side.region.x >= at.screen.response.region.right


async def test_refused_claims_by_name_say_why(review: Review) -> None:
    async with review(queue()) as at:
        at.screen.claim_this("f" * 64)
        await at.settle()
        assert "another reviewer holds" in at.text("#message")


async def test_a_filter_that_is_refused_leaves_the_desk_usable(review: Review) -> None:
    desk = queue()
    async with review(desk) as at:
        desk.fail["claim"] = [Refused("no field `colour`")]
        at.screen.restart("colour:red")
        await at.settle()
        assert "no field" in at.text("#notice")
        at.screen.restart("")
        await at.settle()
        assert "answer number" in at.text("#response")
