"""Texts to screen lines and documents: complete, in place, whatever is in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from holdfast.db.models import Message, Severity
from holdfast.reviewer.pipeline.desk import ShownFinding
from holdfast.reviewer.sanitise import sanitise
from holdfast.reviewer.tui.diffs import add_word_diff
from holdfast.reviewer.tui.docs import Builder, Doc, Mark, flatten, numeral
from holdfast.reviewer.tui.sheets import in_order, make_sheet
from holdfast.reviewer.tui.wrapping import line_of, wrap

TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \n\tab的é👩‍👧❶")), max_size=200)
PLAIN = Style()


def lines_of(doc: Doc, width: int) -> list[str]:
    return [
        "".join(part.text for part in doc.segments(line, width, lambda *_: PLAIN)) for line in range(doc.height(width))
    ]


@given(TEXTS, st.integers(1, 40))
def test_wrapping_shows_every_character_in_order_and_within_the_width(text: str, width: int) -> None:
    shown = sanitise(text).text
    lines = wrap(shown, width)
    at = 0
    for start, end in lines:
        assert start == at or (start == at + 1 and shown[at] in " \n")
        assert cell_len(shown[start:end]) <= width or len(shown[start:end].strip()) <= 1 or width < 3
        at = end
    assert at == len(shown)


@given(TEXTS, st.integers(1, 40), st.data())
def test_every_offset_is_on_the_line_that_shows_it(text: str, width: int, data: st.DataObject) -> None:
    shown = sanitise(text).text
    lines = wrap(shown, width)
    offset = data.draw(st.integers(0, len(shown)))
    start, end = lines[line_of(lines, offset)]
    assert start <= offset <= end + 1


@given(TEXTS, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=5), st.integers(5, 60))
def test_marks_add_numbers_and_change_nothing_else(text: str, spans: list[tuple[int, int]], width: int) -> None:
    display = sanitise(text)
    marks = [Mark(number, "warn", *sorted(span)) for number, span in enumerate(spans, 1)]
    doc = Builder().add("head ").add_marked(display, marks).build()
    plain = doc.text.removeprefix("head ")
    for region in sorted((one for one in doc.regions if one.kind == "marker"), key=lambda one: -one.start):
        assert doc.text[region.start : region.end] == numeral(region.number)
        plain = plain[: region.start - 5] + plain[region.end - 5 :]
    assert plain == display.text
    assert set(doc.anchors) == {mark.number for mark in marks}
    assert "".join(lines_of(doc, width)).replace(" ", "") == doc.text.replace("\n", "").replace(" ", "")


@given(TEXTS, st.data())
def test_a_marked_region_covers_what_the_span_covers(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    display = sanitise(text)
    doc = Builder().add_marked(display, [Mark(1, "warn", start, end)]).build()
    (region,) = [one for one in doc.regions if one.kind == "warn"]
    assert doc.text[region.start : region.end] == display.text[slice(*display.span(start, end))]


def test_overlapping_regions_become_disjoint_runs() -> None:
    doc = Builder().add_marked(sanitise("abcdef"), [Mark(1, "warn", 0, 4), Mark(2, "block", 2, 6)]).build()
    runs = flatten(one for one in doc.regions if one.kind != "marker")
    assert [(doc.text[run.start : run.end], run.kinds, set(run.numbers)) for run in runs] == [
        ("ab", ("warn",), {1}),
        ("cd", ("warn", "block"), {1, 2}),
        ("❶ef", ("block",), {2}),
    ]


def test_findings_are_numbered_gravest_first_then_by_place() -> None:
    def found(severity: Severity, start: int) -> ShownFinding:
        return ShownFinding("v", "1", "format", "c", severity, str(start), (start, start + 1), of="response")

    info, late, early, block = (
        found(Severity.INFO, 0),
        found(Severity.WARN, 9),
        found(Severity.WARN, 1),
        found(Severity.BLOCK, 5),
    )
    unplaced = ShownFinding("v", "1", "format", "c", Severity.WARN, "x")
    assert in_order([info, unplaced, late, block, early]) == (block, early, late, unplaced, info)


def test_a_span_over_several_turns_is_marked_in_each() -> None:
    from fake_desk import make_item

    turns = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Hello?"),
        Message(role="assistant", content="Hi."),
    )
    prompt = "Be brief.\n\nHello?"
    place = ShownFinding("v", "1", "format", "c", Severity.WARN, "odd", (3, 15), of="prompt")
    sheet = make_sheet(make_item(messages=turns, prompt=prompt, response="Hi.", findings=(place,)), "plain")
    assert isinstance(sheet.prompt, Doc)
    warned = ["".join(sheet.prompt.text[one.start : one.end]) for one in sheet.prompt.regions if one.kind == "warn"]
    assert warned == ["brief.", "Hell"]


@given(TEXTS, TEXTS)
def test_a_word_diff_holds_both_texts(before: str, after: str) -> None:
    doc = add_word_diff(Builder(), before, after).build()
    if before == after or "…" in doc.text:
        return
    old = new = ""
    at = 0
    for region in (*doc.regions, None):
        same = doc.text[at : region.start] if region else doc.text[at:]
        old, new = old + same, new + same
        if region:
            inside = doc.text[region.start + 2 : region.end - 2]
            old, new = (old + inside, new) if region.kind == "removed" else (old, new + inside)
            at = region.end
    assert (old, new) == (sanitised(before), sanitised(after)) or not (before.isascii() and after.isascii())


def sanitised(text: str) -> str:
    return sanitise(text).text


def test_changes_with_a_blank_between_them_are_one() -> None:
    doc = add_word_diff(Builder(), "the sender never reduces the window", "the sender halves its window").build()
    assert "[-never reduces the" in doc.text
    assert doc.text.count("{+") == 1


def test_a_long_text_is_wrapped_only_once_for_a_width() -> None:
    doc = Builder().add("word " * 30_000).build()
    assert doc.lines(60) is doc.lines(60)
