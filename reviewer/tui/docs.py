"""A text as a pane shows it: what stands where, of which kind. Pure; colours come from the stylesheet."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Protocol

from rich.segment import Segment
from rich.style import Style

from holdfast.reviewer.sanitise import Display, sanitise
from holdfast.reviewer.tui.wrapping import Line, line_of, wrap

StyleOf = Callable[[tuple[str, ...], frozenset[int]], Style]
"""The style of a run from its kinds and the numbers of its findings."""

KINDS = (
    *("plain", "heading", "dim", "strong", "key", "good", "tab"),
    *("info-sign", "warn-sign", "block-sign"),
    *("replaced", "added", "removed", "info", "warn", "block"),
    *("here", "marker", "current"),
)
"""Every kind of run, later ones over earlier ones; each is a component class `doc--KIND` of the panes."""
ONE_LINE = 1 << 20
"""A width at which titles are never wrapped."""
NUMERALS = "❶❷❸❹❺❻❼❽❾❿⓫⓬⓭⓮⓯⓰⓱⓲⓳⓴"


def numeral(number: int) -> str:
    """The sign of a finding's number, from 1."""
    return NUMERALS[number - 1] if number <= len(NUMERALS) else f"({number})"


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a text that is of a kind; `number` is a finding's."""

    start: int
    end: int
    kind: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a text in which the same regions hold."""

    start: int
    end: int
    kinds: tuple[str, ...]
    numbers: frozenset[int] = frozenset()


class Page(Protocol):
    """What a pane can show, line by line."""

    @property
    def anchors(self) -> Mapping[int, int]:
        """Where each numbered finding stands, as an offset."""
        ...

    def height(self, width: int) -> int:
        """How many screen lines the page has at a width in cells."""
        ...

    def line_of(self, number: int, width: int) -> int | None:
        """The screen line of a numbered finding; None if it has no place on this page."""
        ...

    def segments(self, line: int, width: int, style_of: StyleOf) -> list[Segment]:
        """One screen line, at most `width` cells wide."""
        ...


@dataclass(frozen=True)
class Doc:
    """A text safe to show, its regions, and where each numbered finding stands in it."""

    text: str = ""
    regions: tuple[Region, ...] = ()
    anchors: Mapping[int, int] = field(default_factory=dict)
    _wrapped: dict[int, list[Line]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def runs(self) -> list[Run]:
        """The regions as disjoint runs in order of place."""
        return flatten(self.regions)

    def lines(self, width: int) -> list[Line]:
        """The screen lines at a width in cells; remembered, so that a worker can prepare them."""
        if width not in self._wrapped:
            self._wrapped[width] = wrap(self.text, width)
        return self._wrapped[width]

    def height(self, width: int) -> int:
        """How many screen lines the document has at a width in cells."""
        return len(self.lines(width))

    def line_of(self, number: int, width: int) -> int | None:
        """The screen line of a numbered finding; None if it has no place here."""
        return line_of(self.lines(width), self.anchors[number]) if number in self.anchors else None

    def segments(self, line: int, width: int, style_of: StyleOf) -> list[Segment]:
        """One screen line in the styles of its runs."""
        start, end = self.lines(width)[line]
        segments: list[Segment] = []
        at = start
        for run in islice(self.runs, max(bisect_right(self.runs, start, key=_start) - 1, 0), None):
            if run.start >= end:
                break
            if run.end <= at:
                continue
            if run.start > at:
                segments.append(Segment(self.text[at : run.start], style_of((), frozenset())))
                at = run.start
            segments.append(Segment(self.text[at : min(run.end, end)], style_of(run.kinds, run.numbers)))
            at = min(run.end, end)
        if at < end:
            segments.append(Segment(self.text[at:end], style_of((), frozenset())))
        return segments


@dataclass(frozen=True)
class Stacked:
    """Pages one under the other."""

    pages: tuple[Page, ...]

    @property
    def anchors(self) -> Mapping[int, int]:
        """None: only documents know places."""
        return {}

    def height(self, width: int) -> int:
        """How many screen lines the pages have together."""
        return sum(page.height(width) for page in self.pages)

    def line_of(self, number: int, width: int) -> int | None:
        """None: only documents know places."""
        return None

    def segments(self, line: int, width: int, style_of: StyleOf) -> list[Segment]:
        """One screen line of the page that it falls into."""
        for page in self.pages:
            if line < (height := page.height(width)):
                return page.segments(line, width, style_of)
            line -= height
        return []


def _start(run: Run) -> int:
    return run.start


def flatten(regions: Iterable[Region]) -> list[Run]:
    """Disjoint runs in order of place from regions that may overlap."""
    edges: list[tuple[int, bool, int]] = []
    known = [region for region in regions if region.end > region.start]
    for index, region in enumerate(known):
        edges += ((region.start, True, index), (region.end, False, index))
    edges.sort()
    runs: list[Run] = []
    open_now: dict[int, Region] = {}
    last = 0
    for offset, opens, index in edges:
        if open_now and offset > last:
            holding = open_now.values()
            numbers = frozenset(region.number for region in holding if region.number)
            kinds = tuple(sorted({region.kind for region in holding}, key=KINDS.index))
            runs.append(Run(last, offset, kinds, numbers))
        last = offset
        if opens:
            open_now[index] = known[index]
        else:
            del open_now[index]
    return runs


@dataclass(frozen=True, slots=True)
class Mark:
    """A numbered finding's place in a source text."""

    number: int
    kind: str
    start: int
    end: int


class Builder:
    """Puts a document together from pieces; every piece is sanitised on its way in."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._regions: list[Region] = []
        self._anchors: dict[int, int] = {}

    def add(self, text: str, *kinds: str, number: int = 0) -> Builder:
        """Append a piece of text that is of the kinds given; `number` makes it findable."""
        start = self._length
        if number:
            self._anchors.setdefault(number, start)
        self._append(sanitise(text).text)
        self._regions += (Region(start, self._length, kind, number) for kind in kinds)
        return self

    def add_marked(self, display: Display, marks: Sequence[Mark] = ()) -> Builder:
        """Append a text with the places of findings marked, each followed by its number."""
        places = [(*display.span(mark.start, mark.end), mark) for mark in marks]
        places.sort(key=lambda place: (place[1], place[2].number))
        base, last = self._length, 0
        ends: list[tuple[int, int]] = []
        for _, end, mark in places:
            self._append(display.text[last:end])
            sign = numeral(mark.number)
            self._regions.append(Region(self._length, self._length + len(sign), "marker", mark.number))
            self._append(sign)
            ends.append((end, len(sign)))
            last = end
        self._append(display.text[last:])
        moved = _Moved(base, ends)
        for start, end, mark in places:
            self._anchors.setdefault(mark.number, moved.start(start))
            self._regions.append(Region(moved.start(start), moved.end(end), mark.kind, mark.number))
        self._regions += (Region(moved.start(start), moved.end(end), "replaced") for start, end in display.marks)
        return self

    def build(self) -> Doc:
        """The finished document."""
        return Doc("".join(self._pieces), tuple(self._regions), dict(self._anchors))

    def _append(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)


class _Moved:
    """Where an offset comes to stand once the numbers are put in."""

    def __init__(self, base: int, inserted: Sequence[tuple[int, int]]) -> None:
        self._base = base
        self._inserted = inserted

    def start(self, offset: int) -> int:
        return self._base + offset + sum(length for at, length in self._inserted if at <= offset)

    def end(self, offset: int) -> int:
        return self._base + offset + sum(length for at, length in self._inserted if at < offset)
