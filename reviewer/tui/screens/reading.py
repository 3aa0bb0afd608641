"""The layout of the review desk and everything that only reads: panes, scrolling, views, findings."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.getters import query_one

from holdfast.reviewer.pipeline.desk import View
from holdfast.reviewer.tui.bindings import KEYS, keys_of
from holdfast.reviewer.tui.docs import Doc
from holdfast.reviewer.tui.panels import PANES
from holdfast.reviewer.tui.screens.pressing import PressScreen, textual_bindings
from holdfast.reviewer.tui.sheets import Sheet, make_sheet
from holdfast.reviewer.tui.widgets.bar import Bar, KeyBar
from holdfast.reviewer.tui.widgets.page_view import PageView
from holdfast.reviewer.tui.widgets.painted import Painted

VIEWS: tuple[View, ...] = ("plain", "rendered", "raw")
_PROMPT_SHARE = 0.4
_OVERLAID_SECONDS = 0.1
_AROUND_PROMPT = 2
"""The prompt's title and, where there is room, an empty line below it."""


class ReadingScreen(PressScreen[None], inherit_bindings=False):
    """Prompt over response, the side pane beside or below them, status above, message and keys under them."""

    BINDINGS: ClassVar[list[BindingType]] = textual_bindings(keys_of("triage", KEYS))
    AUTO_FOCUS = "#response"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-wide"), (140, "-very-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (18, "-short"), (28, "-tall")]  # noqa: RUF012

    status_bar = query_one("#status", Bar)
    banner = query_one("#banner", Bar)
    message_bar = query_one("#message", Bar)
    key_bar = query_one("#keys", KeyBar)
    prompt = query_one("#prompt", PageView)
    response = query_one("#response", PageView)
    side = query_one("#side", PageView)
    notice = query_one("#notice", PageView)

    def __init__(self) -> None:
        super().__init__()
        self.sheet: Sheet | None = None
        self.view: View = "plain"
        self.pane = PANES[0]
        self._at_finding = 0

    def compose(self) -> ComposeResult:
        """Lay the desk out."""
        yield Bar(id="status")
        yield Bar(id="banner")
        with Horizontal(id="main"):
            with Vertical(id="sample"):
                yield PageView(id="prompt")
                yield PageView(id="response")
            yield PageView(id="side")
        yield PageView(id="notice")
        yield Bar(id="message")
        yield KeyBar(id="keys")

    @on(Painted.Spilled)
    def _on_spilled(self, message: Painted.Spilled) -> None:
        """Paint what a line of unsure width may have run into."""
        left, side = message.widget.region, self.side
        if side.region.x >= left.right:
            rows = (y + left.y - side.region.y for y in message.lines)
            side.refresh(*(Region(0, row, side.size.width, 1) for row in rows))

    def on_screen_resume(self) -> None:
        """What lay over the panes is gone, and the screen was painted whole for it."""
        self.set_timer(_OVERLAID_SECONDS, self._paint_again)

    def _paint_again(self) -> None:
        for pane in (self.prompt, self.response, self.side):
            pane.paint_again()

    def show_sheet(self, sheet: Sheet) -> None:
        """Put a sample on screen, every pane from its beginning."""
        self.sheet = sheet
        self._at_finding = 0
        if self.has_class("-notice"):
            self.remove_class("-notice")
            self.set_focus(self.response)
        else:
            self._fit_prompt(sheet)
        self.prompt.show(sheet.prompt, sheet.prompt_title())
        self.response.show(sheet.response, sheet.response_title(self.note_sign()))
        self._show_side(sheet)

    def show_titles(self) -> None:
        """Bring the provenance line up to date."""
        if self.sheet is not None:
            self.response.retitle(self.sheet.response_title(self.note_sign()))

    def show_notice(self, page: Doc, title: Doc) -> None:
        """Fill the screen with words instead of a sample."""
        self.sheet = None
        self.add_class("-notice")
        self.notice.show(page, title)

    def show_banner(self, doc: Doc | None) -> None:
        """Show or clear the banner above the panes."""
        self.banner.show(doc or Doc())
        self.set_class(doc is not None, "-banner")

    @on(PageView.Resized)
    def _fit(self) -> None:
        """Fit what depends on the size."""
        if self.sheet is not None:
            self._fit_prompt(self.sheet)
            self._show_side(self.sheet)

    def _fit_prompt(self, sheet: Sheet) -> None:
        """Give the prompt the lines it needs, up to a share of the column."""
        column = self.prompt.size.height + self.response.size.height
        if not column:
            return
        lines = sheet.prompt.height(self.prompt.text_width)
        height = max(min(lines + _AROUND_PROMPT, round(column * _PROMPT_SHARE)), 2)
        if self.prompt.size.height != height:
            self.prompt.styles.height = height

    def _show_side(self, sheet: Sheet) -> None:
        self.side.show(sheet.side_page(self.pane, self.side.text_width), sheet.side_title(self.pane))

    @property
    def scrolled(self) -> PageView:
        """The pane that the scrolling keys move."""
        if self.has_class("-notice"):
            return self.notice
        return self.focused if isinstance(self.focused, PageView) else self.response

    def do_down(self) -> None:
        """Scroll down one line."""
        self.scrolled.scroll_lines(1)

    def do_up(self) -> None:
        """Scroll up one line."""
        self.scrolled.scroll_lines(-1)

    def do_page_down(self) -> None:
        """Scroll down one page."""
        self.scrolled.scroll_pages(1)

    def do_page_up(self) -> None:
        """Scroll up one page."""
        self.scrolled.scroll_pages(-1)

    def do_top(self) -> None:
        """Scroll to the beginning."""
        self.scrolled.scroll_lines(-self.scrolled.top)

    def do_bottom(self) -> None:
        """Scroll to the end."""
        self.scrolled.scroll_lines(self.scrolled.bottom)

    def do_next_pane(self) -> None:
        """Let the scrolling keys move the next pane."""
        self.focus_next(PageView)

    def do_previous_pane(self) -> None:
        """Let the scrolling keys move the pane before."""
        self.focus_previous(PageView)

    def do_pane_findings(self) -> None:
        """Show the findings."""
        self._switch_pane("findings")

    def do_pane_votes(self) -> None:
        """Show the votes."""
        self._switch_pane("votes")

    def do_pane_lineage(self) -> None:
        """Show the lineage."""
        self._switch_pane("lineage")

    def do_pane_duplicates(self) -> None:
        """Show the near-duplicates."""
        self._switch_pane("duplicates")

    def _switch_pane(self, pane: str) -> None:
        self.pane = pane
        if self.sheet is not None:
            self._show_side(self.sheet)

    def do_next_finding(self) -> None:
        """Jump to the next finding's place."""
        self._jump(1)

    def do_previous_finding(self) -> None:
        """Jump to the previous finding's place."""
        self._jump(-1)

    def _jump(self, step: int) -> None:
        sheet = self.sheet
        if sheet is None:
            return
        if sheet.view == "rendered":
            sheet = self._change_view("plain")
        if self.pane != "findings":
            self._switch_pane("findings")
        places = sheet.placed if sheet else ()
        if not places:
            return
        if self._at_finding in places:
            number = places[(places.index(self._at_finding) + step) % len(places)]
        else:
            number = places[0 if step > 0 else -1]
        self._at_finding = number
        for pane in (self.prompt, self.response, self.side):
            pane.point_at(number)

    def _change_view(self, view: View) -> Sheet | None:
        self.view = view
        if self.sheet is not None:
            self.show_sheet(make_sheet(self.sheet.item, view))
        return self.sheet

    def note_sign(self) -> str:
        """The note that goes with the current sample's decision."""
        return ""
