"""The pane of near-duplicates: where they are from, how alike they are, and what differs word by word."""

from __future__ import annotations

from fake_desk import RESPONSE, make_item

from holdfast.db.models import Provenance, Status
from holdfast.reviewer.pipeline.desk import Neighbour
from holdfast.reviewer.tui.panels import side_page, side_title


def neighbour(response: str, status: str = Status.APPROVED) -> Neighbour:
    """A human near-duplicate."""
    return Neighbour("ab" * 32, "seeds/s-1", Provenance.HUMAN, status, 0.912, response)


def test_what_differs_is_marked_word_by_word() -> None:
    item = make_item(neighbours=(neighbour(RESPONSE.replace("small", "tiny")),))
    shown = side_page(item, (), "duplicates", 40).text
    assert "seeds/s-1" in shown
    assert "human, approved, sim .91" in shown
    assert "[-tiny-]{+small+}" in shown
    assert "dups 1" in side_title(item, "duplicates").text


def test_an_exact_copy_is_not_spelled_out_and_hidden_statuses_stay_hidden() -> None:
    shown = side_page(make_item(neighbours=(neighbour(RESPONSE, "hidden"),)), (), "duplicates", 40).text
    assert "The same response, to the letter." in shown
    assert "hidden" in shown
    assert RESPONSE[:30] not in shown
    assert "No near-duplicate is known." in side_page(make_item(), (), "duplicates", 40).text
