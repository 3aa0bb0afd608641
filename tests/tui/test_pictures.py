"""What the screens look like. After a change on purpose: `make snapshots`, then look at the pictures."""

from __future__ import annotations

import re

import pytest
from driving import Review
from fake_desk import FakeDesk, finding, full_item, make_item
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from holdfast.db.models import Severity

pytestmark = pytest.mark.asyncio


class Picture(SingleFileSnapshotExtension):
    """One SVG file for each picture."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Picture)


def desk() -> FakeDesk:
    block = finding(
        "the sender never reduces the window", Severity.BLOCK, "oracle_fact", "the sender halves its window"
    )
    return FakeDesk([full_item(1), make_item(2, findings=(block,)), *(make_item(n) for n in range(3, 9))])


async def drawn(review: Review, *keys: str, size: tuple[int, int], **settings: str) -> str:
    async with review(desk(), size=size, **settings) as at:
        await at.press(*keys)
        svg: str = at.app.export_screenshot(title="Holdfast")
        return re.sub(r"terminal-\d+", "terminal", svg)


async def test_triage(review: Review, picture: SnapshotAssertion) -> None:
    assert await drawn(review, size=(100, 30)) == picture


async def test_triage_on_a_small_terminal(review: Review, picture: SnapshotAssertion) -> None:
    assert await drawn(review, "]", size=(80, 24)) == picture


async def test_triage_in_light_colours_with_reasons_open(review: Review, picture: SnapshotAssertion) -> None:
    assert await drawn(review, "a", "x", size=(100, 30), theme="holdfast-light") == picture


async def test_help(review: Review, picture: SnapshotAssertion) -> None:
    assert await drawn(review, "question_mark", size=(100, 30)) == picture
