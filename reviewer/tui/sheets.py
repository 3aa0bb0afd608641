"""One sample as the panes show it: pure, made in worker threads ahead of need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from holdfast.db.models import Message, Severity
from holdfast.reviewer.pipeline.desk import ClaimedItem, ShownFinding, View
from holdfast.reviewer.sanitise import Display, raw_escaped, sanitise
from holdfast.reviewer.tui import panels
from holdfast.reviewer.tui.docs import ONE_LINE, Builder, Doc, Mark, Page, Stacked
from holdfast.reviewer.tui.rendered import Rendered

_GRAVITY = (Severity.BLOCK, Severity.WARN, Severity.INFO)
_BETWEEN_TURNS = 2
"""Code points between two turns of `prompt`: the turns' contents are joined by blank lines."""
_MOST_RENDERED = 200_000
"""Code points that Markdown is laid out for; it takes some 1.5 ms a thousand."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sample under one view: the documents of its panes and its findings in the order of their numbers."""

    item: ClaimedItem
    view: View
    prompt: Page
    response: Page
    findings: tuple[ShownFinding, ...]
    _made: dict[tuple[object, ...], Doc] = field(default_factory=dict, repr=False, compare=False)

    def prepare(self, width: int, pane: str, side_width: int) -> None:
        """Lay everything out for the panes' widths, so that showing it costs little."""
        for page in (self.prompt, self.response):
            page.height(width)
        for title in (self.prompt_title(), self.response_title(""), self.side_title(pane)):
            title.height(ONE_LINE)
        self.side_page(pane, side_width).height(side_width)

    def prompt_title(self) -> Doc:
        """The prompt's title."""
        return self._once(("prompt",), lambda: panels.prompt_title(self.item))

    def response_title(self, note: str) -> Doc:
        """The provenance line."""
        return self._once(("response", bool(note)), lambda: panels.response_title(self.item, self.view, note))

    def side_title(self, pane: str) -> Doc:
        """The side pane's tabs."""
        return self._once(("tabs", pane), lambda: panels.side_title(self.item, pane))

    def side_page(self, pane: str, width: int) -> Doc:
        """The side pane's page at a width in cells."""
        return self._once(("side", pane, width), lambda: panels.side_page(self.item, self.findings, pane, width))

    def _once(self, key: tuple[object, ...], make: Callable[[], Doc]) -> Doc:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    @property
    def placed(self) -> tuple[int, ...]:
        """The numbers of the findings that have a place in the text, prompt first, in reading order."""
        in_prompt = sorted(self.prompt.anchors, key=lambda number: self.prompt.anchors[number])
        in_response = sorted(self.response.anchors, key=lambda number: self.response.anchors[number])
        return (*in_prompt, *in_response)


def in_order(findings: Sequence[ShownFinding]) -> tuple[ShownFinding, ...]:
    """Findings gravest first, then by place: the order of their numbers."""
    return tuple(sorted(findings, key=lambda one: (_GRAVITY.index(one.severity), one.of, one.span or (1 << 60, 0))))


def view_of(item: ClaimedItem, wanted: View) -> View:
    """The view that an item is shown in: a text too long to lay out as Markdown stays plain."""
    if wanted != "rendered":
        return wanted
    return "plain" if sum(len(message.content) for message in item.messages) > _MOST_RENDERED else "rendered"


def make_sheet(item: ClaimedItem, wanted: View) -> Sheet:
    """The sheet of a sample; under the view `rendered` the texts hold no marks, since Markdown moves them."""
    findings = in_order(item.findings)
    turn = item.response_turn
    view = view_of(item, wanted)
    if view == "rendered":
        asked = _rendered(item.messages[:turn], headed=turn > 1)
        answered = _rendered(item.messages[turn : turn + 1], headed=False)
        later = _rendered(item.messages[turn + 1 :], headed=True)
        return Sheet(item, view, asked, Stacked((answered, later)), findings)
    display = raw_escaped if view == "raw" else sanitise
    prompt, response = Builder(), Builder()
    _add_turns(prompt, item.messages[:turn], _marks(findings, "prompt"), display, headed=turn > 1)
    answer = item.messages[turn : turn + 1]
    _add_turns(response, answer, _marks(findings, "response"), display, headed=False)
    after = item.messages[turn + 1 :]
    if after:
        response.add("\n\n")
        _add_turns(response, after, (), display, headed=True)
    return Sheet(item, view, prompt.build(), response.build(), findings)


def _rendered(turns: Sequence[Message], *, headed: bool) -> Page:
    pages: list[Page] = []
    for turn in turns:
        if headed:
            _add_role(head := Builder(), turn)
            pages.append(head.build())
        pages.append(Rendered(sanitise(turn.content).text))
        _add_calls(rest := Builder(), turn, sanitise)
        pages.append(rest.build())
    return Stacked(tuple(page for page in pages if page != Doc()))


def turn_doc(item: ClaimedItem, turn: int) -> Doc:
    """One turn alone, with the findings' places if it is the response."""
    content = item.messages[turn].content if turn < len(item.messages) else ""
    marks = _marks(in_order(item.findings), "response") if turn == item.response_turn else ()
    return Builder().add_marked(sanitise(content), marks).build()


def _marks(findings: Sequence[ShownFinding], of: str) -> tuple[Mark, ...]:
    return tuple(
        Mark(number, finding.severity.value, *finding.span)
        for number, finding in enumerate(findings, 1)
        if finding.of == of and finding.span is not None
    )


def _add_turns(
    builder: Builder,
    turns: Sequence[Message],
    marks: Sequence[Mark],
    display: Callable[[str], Display],
    *,
    headed: bool,
) -> None:
    """Append turns; the marks count from the first turn's beginning, with a blank line between turns."""
    base = 0
    for index, turn in enumerate(turns):
        if index:
            builder.add("\n\n")
        if headed:
            _add_role(builder, turn)
            builder.add("\n")
        size = len(turn.content)
        here = [_within(mark, base, size) for mark in marks if _meets(mark, base, size)]
        builder.add_marked(display(turn.content), here)
        if not turn.content and not turn.tool_calls:
            builder.add("(empty)", "dim")
        _add_calls(builder, turn, display)
        base += size + _BETWEEN_TURNS


def _add_role(builder: Builder, turn: Message) -> None:
    builder.add(f"─── {turn.role}{f' {turn.name}' if turn.name else ''} ───", "heading")


def _add_calls(builder: Builder, turn: Message, display: Callable[[str], Display]) -> None:
    for call in turn.tool_calls or ():
        builder.add(f"\n─── calls {call.name} ───", "heading").add("\n").add_marked(display(call.arguments))


def _meets(mark: Mark, base: int, size: int) -> bool:
    return mark.start <= base + size and mark.end >= base


def _within(mark: Mark, base: int, size: int) -> Mark:
    start, end = (min(max(offset - base, 0), size) for offset in (mark.start, mark.end))
    return Mark(mark.number, mark.kind, start, end)
