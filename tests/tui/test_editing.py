"""The edit screen: exact text, live checks, a reason where one is needed, drafts that are not lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from driving import Driver, Review
from fake_desk import START, FakeDesk, finding, make_item
from textual import events

from holdfast.db.errors import HoldfastError
from holdfast.db.models import Choice, Message, Provenance, Severity
from holdfast.reviewer.pipeline.desk import ClaimedItem, Draft, EditPreview
from holdfast.reviewer.tui.screens.edit import EditScreen

pytestmark = pytest.mark.asyncio

HOSTILE = "one\r\ntwo\rthree\x0bfour\x0cfive\x85six\u2028seven\u2029eight\x1b[31m\u202enine\t\u200b\n\n"


def queue(response: str = "The answer is fourty two.") -> FakeDesk:
    return FakeDesk([make_item(1, response=response), make_item(2, response="the next one")])


def texts(at: Driver) -> list[str]:
    """The turns of the first edit that was stored."""
    answer = at.desk.decided[0][1]
    assert answer.messages is not None
    return [message.content for message in answer.messages]


def still_blocking(item: ClaimedItem, messages: tuple[Message, ...]) -> EditPreview:
    return EditPreview(
        (finding("a", Severity.BLOCK, "oracle_fact", "still wrong", inside="a"),), 0.2, Provenance.HUMAN_EDITED
    )


async def test_an_edit_is_stored_as_it_was_typed(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("e", "ctrl+end", "!", "f2")
        ((item, answer),) = at.desk.decided
        assert answer.choice is Choice.EDIT
        assert answer.messages == (item.messages[0], Message(role="assistant", content="The answer is fourty two.!"))
        assert "the next one" in at.text("#response")


async def test_letters_are_typed_until_escape_makes_them_commands(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("e", "a", "x", "q")
        assert isinstance(at.app.screen, EditScreen)
        assert at.edit.editor.text.startswith("axqThe")
        await at.press("escape", "a")
        assert texts(at)[1].startswith("axqThe")


async def test_the_outcome_shows_words_share_and_tag(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("e", "ctrl+end", "backspace", "o")
        await at.until(lambda: "{+" in at.text("#outcome"))
        shown = at.text("#outcome")
        assert "3 % changed → human-edited" in shown
        assert "fourty two[-.-]{+o+}" in shown or "[-two.-]{+twoo+}" in shown


async def test_a_finding_that_still_blocks_needs_a_reason(review: Review) -> None:
    desk = queue()
    desk.preview = still_blocking
    async with review(desk) as at:
        await at.press("e", "!", "f2")
        assert desk.decided == []
        await at.press("1")
        assert desk.decided[0][1].override == "wrong-finding"


async def test_an_edit_that_changes_nothing_is_not_stored_as_one(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("e", "f2")
        assert at.desk.decided == []
        assert "nothing is changed" in at.text("#edit-message")


async def test_leaving_keeps_the_draft_and_offers_it_again(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("e", "!", "escape", "q")
        assert at.desk.decided == []
        assert at.desk.drafts[(make_item(1).uid, "edit")].text.startswith("!The")
        await at.press("e")
        assert at.edit.editor.text.startswith("!The")


async def test_drafts_are_kept_while_typing(review: Review) -> None:
    async with review(queue()) as at:
        await at.pilot.press("e")
        await at.settle()
        await at.pilot.press("!")
        await at.until(lambda: (make_item(1).uid, "edit") in at.desk.drafts)


async def test_starting_over_drops_changes_and_draft_after_a_question(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("e", "!", "escape", "d", "n")
        assert at.edit.editor.text.startswith("!")
        await at.press("d", "y", "q")
        assert (make_item(1).uid, "edit") not in at.desk.drafts


async def test_tab_edits_the_other_turns_too(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("e", "!", "tab", "?", "f2")
        assert [text[0] for text in texts(at)] == ["?", "!"]


async def test_a_draft_of_several_turns_comes_back_whole(review: Review) -> None:
    edit = Draft("edit", "the answer", START, 1, ((0, "the question"),))
    async with review(FakeDesk([make_item(1, drafts=(edit,))])) as at:
        await at.press("e", "f2")
        assert texts(at) == ["the question", "the answer"]


async def test_an_edit_that_cannot_be_stored_is_offered_again(review: Review) -> None:
    desk = queue()
    desk.fail["decide"] = [HoldfastError("went wrong")]
    async with review(desk) as at:
        await at.press("e", "!", "f2", "e")
        assert at.edit.editor.text.startswith("!The")


async def test_an_edit_that_cannot_be_checked_says_so_and_is_not_stored(review: Review) -> None:
    desk = queue()
    async with review(desk) as at:
        await at.press("e")
        desk.fail["preview_edit"] = [HoldfastError("the stack is broken")] * 9
        await at.press("!", "f2")
        assert desk.decided == []
        assert "the stack is broken" in at.text("#edit-message")


async def test_a_sample_without_a_response_can_be_given_one(review: Review) -> None:
    item = replace(make_item(1), messages=(Message(role="user", content="hm?"),), response="")
    async with review(FakeDesk([item])) as at:
        assert "(empty)" in at.text("#response") or at.text("#response")
        await at.press("e", "y", "f2")
        assert texts(at) == ["hm?", "y"]


async def test_every_character_of_a_text_survives_an_edit_elsewhere(review: Review) -> None:
    async with review(queue(HOSTILE)) as at:
        await at.press("e", "ctrl+home", "!", "f2")
        assert texts(at)[1] == "!" + HOSTILE


async def test_undoing_a_deletion_brings_back_every_character(review: Review) -> None:
    async with review(queue(HOSTILE)) as at:
        await at.press("e")
        editor = at.edit.editor
        editor.select_all()
        await at.press("delete")
        assert editor.text == ""
        editor.undo()
        assert editor.text == HOSTILE


async def test_a_paste_has_line_ends_of_this_program(review: Review) -> None:
    async with review(queue("x")) as at:
        await at.press("e")
        at.app.post_message(events.Paste("a\r\nb\rc"))
        await at.settle()
        assert at.edit.editor.text == "a\nb\ncx"


async def test_the_editor_is_not_for_terminals_that_cannot_be_lent(review: Review) -> None:
    async with review(queue()) as at:
        await at.press("E")
        assert "cannot take over this terminal" in at.text("#message")
