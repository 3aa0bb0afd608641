"""Reading a sample: findings, scrolling, views, panes, and the pages that open over it."""

from __future__ import annotations

from typing import Any

import pytest
from driving import Review
from fake_desk import RESPONSE, FakeDesk, full_item, make_item
from textual.events import MouseScrollDown

from holdfast.db.errors import Refused
from holdfast.db.models import Message, Severity, ToolCall
from holdfast.reviewer.pipeline.desk import ShownFinding, ShownVote, View, Votes

pytestmark = pytest.mark.asyncio

LONG = "\n".join(f"line {number}" for number in range(1, 301))


def one(**fields: Any) -> FakeDesk:
    return FakeDesk([make_item(1, **fields)])


async def test_findings_are_numbered_in_text_and_list(review: Review) -> None:
    async with review(FakeDesk([full_item()])) as at:
        assert "doubles RTT after RTT❶" in at.text("#response").replace("\n ", " ")
        assert "❶ ▲ WARN repetition v2" in at.text("#side")
        assert "window❷" in at.text("#response")
        assert "❷ ▲ WARN contradiction v2" in at.text("#side")


async def test_brackets_jump_between_findings_and_scroll_there(review: Review) -> None:
    text = LONG + " here"
    place = ShownFinding("v", "1", "format", "c", Severity.WARN, "odd", (len(text) - 4, len(text)))
    async with review(one(response=text, findings=(place,))) as at:
        assert "here❶" not in at.text("#response")
        await at.press("]")
        assert "here❶" in at.text("#response")
        await at.press("g")
        assert "here❶" not in at.text("#response")
        await at.press("[")
        assert "here❶" in at.text("#response")


async def test_a_finding_in_the_prompt_is_shown_there(review: Review) -> None:
    place = ShownFinding("v", "1", "format", "c", Severity.WARN, "odd", (8, 11), of="prompt")
    async with review(one(findings=(place,))) as at:
        assert "Explain TCP❶ slow start" in at.text("#prompt")
        await at.press("]")
        assert at.screen.prompt.current == 1


async def test_without_a_place_brackets_say_so(review: Review) -> None:
    async with review(one()) as at:
        await at.press("]")
        assert "no finding has a place" in at.text("#message")


async def test_scrolling(review: Review) -> None:
    async with review(one(response=LONG)) as at:

        def first() -> str:
            return at.text("#response").splitlines()[1].split("│")[0].split("┃")[0].strip()

        assert first() == "line 1"
        await at.press("j", "j")
        assert first() == "line 3"
        await at.press("k")
        assert first() == "line 2"
        await at.press("space")
        assert int(first().split()[1]) > 15
        await at.press("G")
        assert "line 300" in at.text("#response")
        await at.press("g")
        assert first() == "line 1"


async def test_tab_chooses_the_pane_that_scrolls(review: Review) -> None:
    async with review(one(prompt=LONG)) as at:
        await at.press("shift+tab", "G")
        assert "line 300" in at.text("#prompt")
        await at.press("tab", "tab")
        assert at.app.focused is at.screen.side


async def test_views_cycle_and_come_back(review: Review) -> None:
    async with review(one(response="**bold** é\ttab \\ [x](http://y.test)")) as at:
        plain = at.text("#response")
        assert "**bold** é⇥   tab" in plain
        await at.press("t")
        assert "**" not in at.text("#response")
        assert "RENDERED" in at.text("#response")
        await at.press("t")
        assert r"\xe9\ttab \\" in at.text("#response")
        await at.press("t")
        assert at.text("#response") == plain


async def test_a_text_too_long_for_markdown_stays_plain_and_says_so(review: Review) -> None:
    async with review(one(response="**word** " * 30_000)) as at:
        await at.press("t")
        assert "**word**" in at.text("#response")
        assert "too long" in at.text("#message")
        await at.press("a")
        assert at.desk.decided[0][1].view == "plain"


async def test_jumping_leaves_the_rendered_view_where_findings_have_no_place(review: Review) -> None:
    async with review(FakeDesk([full_item()])) as at:
        await at.press("t", "]")
        assert "RENDERED" not in at.text("#response")
        assert at.screen.response.current


async def test_side_panes(review: Review) -> None:
    async with review(FakeDesk([full_item()])) as at:
        await at.press("2")
        assert "judge-1  keep 7/10" in at.text("#side")
        await at.press("3")
        assert "human, batch seeds" in at.text("#side")
        await at.press("4")
        assert "No near-duplicate" in at.text("#side")
        await at.press("1")
        assert "WARN repetition" in at.text("#side")


async def test_hidden_votes_stay_hidden(review: Review) -> None:
    votes = Votes(hidden=True, rows=(ShownVote("judge-1", "drop 1/10"),))
    async with review(one(votes=votes)) as at:
        assert "hidden until you answer" in at.text("#side")
        await at.press("2")
        assert "judge-1" not in at.shown()


async def test_leads_see_the_stream_and_annotators_do_not(review: Review) -> None:
    async with review(FakeDesk([make_item(1, stream="audit"), make_item(2)])) as at:
        assert "audit" in at.text("#prompt")
        await at.press("a")
        assert "review" not in at.text("#prompt")


async def test_what_accepting_does_to_the_quota_is_on_screen(review: Review) -> None:
    async with review(one()) as at:
        assert "accepting: ratio .391 → .393 of 1.00" in at.text("#status")


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("w", "blocking finding"),
        ("h", "batch networks"),
        ("H", "not decided anything"),
        ("question_mark", "Accept the"),
    ],
)
async def test_pages_open_over_the_desk_and_close(review: Review, key: str, says: str) -> None:
    async with review(one()) as at:
        await at.press(key)
        assert says in at.shown()
        await at.press("j", "k", "space", "escape")
        assert at.app.screen is at.screen


async def test_a_page_that_cannot_be_read_says_so(review: Review) -> None:
    desk = one()
    desk.fail["history"] = [Refused("history is closed")]
    async with review(desk) as at:
        await at.press("h")
        assert "history is closed" in at.shown()


async def test_my_decisions_are_listed(review: Review) -> None:
    async with review(FakeDesk([make_item(1), make_item(2)])) as at:
        await at.press("x", "1", "H")
        assert "rejected" in at.shown()
        assert "networks/q-1 · factual" in at.shown()


async def test_a_filter_reviews_only_what_matches(review: Review) -> None:
    desk = FakeDesk([make_item(n, response="even" if n % 2 == 0 else "odd") for n in range(1, 9)])
    async with review(desk, claims_ahead=0) as at:
        await at.press("slash", *"even")
        await at.until(lambda: "4 due" in at.text("#hits"))
        await at.press("enter")
        assert "even" in at.text("#response")
        assert "/even" in at.text("#status")
        assert desk.released == {"token-1"}
        assert desk.wheres[-1] == "even"


async def test_one_match_can_be_picked(review: Review) -> None:
    desk = FakeDesk([make_item(n, response=f"answer {n}") for n in range(1, 9)])
    async with review(desk, claims_ahead=0) as at:
        await at.press("slash", "down", "down", "down", "enter")
        assert "answer 4" in at.text("#response")


async def test_a_filter_that_is_not_understood_says_why(review: Review) -> None:
    desk = one()
    async with review(desk) as at:
        desk.fail["search"] = [Refused("no field named colour")]
        await at.press("slash")
        assert "no field named colour" in at.shown()
        await at.press("escape")
        assert "Slow start" in at.text("#response")


async def test_the_palette_finds_what_the_keys_do(review: Review) -> None:
    async with review(FakeDesk([make_item(1), make_item(2, response="second")])) as at:
        await at.press("colon", *"escalate")
        await at.until(lambda: "Hand the sample to a lead" in at.shown())
        await at.press("enter", "enter")
        await at.until(lambda: len(at.desk.decided) == 1)


@pytest.mark.parametrize("view", ["plain", "rendered", "raw"])
async def test_every_turn_is_shown_with_its_role(review: Review, view: View) -> None:
    turns = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Hello?"),
        Message(role="assistant", content="Hi.", tool_calls=(ToolCall(name="wave", arguments='{"hand": "left"}'),)),
        Message(role="user", content="and then?"),
    )
    async with review(one(messages=turns), size=(100, 40)) as at:
        await at.press(*{"plain": "", "rendered": "t", "raw": "tt"}[view])
        assert "─── system ───" in at.text("#prompt")
        assert "Hello?" in at.text("#prompt")
        response = at.text("#response")
        assert "calls wave" in response
        assert '{"hand": "left"}' in response
        assert "and then?" in response


async def test_hostile_text_is_shown_whole_and_never_read(review: Review) -> None:
    text = "see [/INST] and list[int] [@click=app.quit]x[/] \x1b]52;c;UFdO\x07 \u202egnp\u202c end"
    async with review(one(prompt=text, response=text, batch="[b]atch", model="[/m]")) as at:
        shown = at.text("#response").replace("│", "").replace("\n", " ")
        for piece in ("[/INST]", "list[int]", "[@click=app.quit]x[/]", "␛]52;c;UFdO␇", "⟨U+202E⟩gnp⟨U+202C⟩", "end"):
            assert piece in shown.replace("  ", " ")
        assert "[b]atch" in at.text("#prompt")
        assert at.app.title == "Holdfast"


async def test_the_wheel_scrolls_the_pane_under_it(review: Review) -> None:
    async with review(one(response=LONG)) as at:
        before = at.text("#response")
        at.screen.response.post_message(MouseScrollDown(at.screen.response, 5, 5, 0, 1, 0, False, False, False))
        await at.settle()
        assert at.text("#response") != before


async def test_the_text_is_complete_at_any_width(review: Review) -> None:
    async with review(one(), size=(80, 24)) as at:
        for width in (80, 120, 61):
            await at.pilot.resize_terminal(width, 40)
            await at.settle()
            words = at.text("#response").split("\n", 1)[1].replace("│", " ").split()
            assert words == RESPONSE.split()
