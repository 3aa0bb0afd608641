"""What the screen holds, and the order in which answers reach the store."""

from __future__ import annotations

import threading

import pytest
from fake_desk import START, FakeDesk, make_item

from holdfast.db.errors import StoreBusy, StoreFull
from holdfast.db.models import Choice
from holdfast.reviewer.pipeline.desk import Answer, Draft
from holdfast.reviewer.tui import messages
from holdfast.reviewer.tui.gate import DeskClosed, gated
from holdfast.reviewer.tui.session import Session
from holdfast.reviewer.tui.sheets import make_sheet
from holdfast.reviewer.tui.writer import Decide, Keep, Patience, Step, Writer

ACCEPT = Answer(Choice.ACCEPT)


def session(*numbers: int) -> Session:
    held = Session()
    for number in numbers:
        held.add(make_item(number))
    held.advance()
    return held


def test_what_is_written_is_still_held() -> None:
    held = session(1, 2)
    item = held.send()
    held.advance()
    assert held.held() == {make_item(1).uid, make_item(2).uid}
    held.written(item)
    assert held.held() == {make_item(2).uid}


def test_a_sample_that_comes_back_pushes_the_current_one_behind_it() -> None:
    held = session(1, 2, 3)
    item = held.send()
    held.advance()
    held.bring_back(item)
    assert held.current == item
    assert [one.sample_id for one in held.ahead] == [2, 3]
    assert held.writing == {}


def test_lost_leases_drop_what_nobody_has_seen_and_mark_what_is_on_screen() -> None:
    held = session(1, 2, 3)
    asked = held.tokens()
    assert held.renewed({"token-3": START}, asked)
    assert not held.renewed({"token-3": START}, asked)
    assert [one.sample_id for one in held.ahead] == [3]
    assert held.tokens() == {"token-3"}


def test_letting_go_keeps_what_is_being_written() -> None:
    held = session(1, 2, 3)
    held.send()
    held.advance()
    assert held.let_go() == {"token-2", "token-3"}
    assert set(held.writing) == {"token-1"}


def writer(desk: FakeDesk) -> tuple[Writer, list[object]]:
    posted: list[object] = []
    return Writer(desk, posted.append, Patience(posted.append, 0.0), lambda item: make_sheet(item, "plain")), posted


def test_work_is_done_in_the_order_in_which_it_was_given() -> None:
    desk = FakeDesk()
    made, posted = writer(desk)
    note = Draft("note", "hm", START)
    assert made.put(Keep(make_item(1), "note", note))
    assert not made.put(Decide(make_item(1), ACCEPT))
    assert not made.put(Decide(make_item(2), ACCEPT))
    assert not made.put(Step("undo", behind="token-2"))
    made.drain()
    kinds = [type(message) for message in posted]
    assert kinds == [messages.Saved, messages.Saved, messages.TakenBack, messages.Drained]
    assert [item.sample_id for item, _ in desk.decided] == [1]
    assert not made.working
    assert made.put(Step("redo"))


def test_an_undo_meant_for_an_answer_that_failed_is_dropped() -> None:
    desk = FakeDesk()
    made, posted = writer(desk)
    made.put(Decide(make_item(1), ACCEPT))
    made.drain()
    desk.fail["decide"] = [StoreFull("full")]
    made.put(Decide(make_item(2), ACCEPT))
    made.put(Step("undo", behind="token-2"))
    made.drain()
    assert [item.sample_id for item, _ in desk.decided] == [1]
    assert any(isinstance(message, messages.StepFailed) for message in posted)


def test_a_locked_store_is_waited_for_until_told_to_stop() -> None:
    desk = FakeDesk()
    desk.fail["decide"] = [StoreBusy("locked")] * 2
    made, posted = writer(desk)
    made.put(Decide(make_item(1), ACCEPT))
    made.drain()
    kinds = [type(message) for message in posted]
    assert kinds == [messages.Waiting, messages.Waiting, messages.WaitOver, messages.Saved, messages.Drained]


def test_waiting_ends_when_the_desk_closes() -> None:
    desk = FakeDesk()
    desk.fail["decide"] = [StoreBusy("locked")] * 1000
    posted: list[object] = []
    patience = Patience(posted.append, 30.0)
    made = Writer(desk, posted.append, patience, lambda item: make_sheet(item, "plain"))
    made.put(Decide(make_item(1), ACCEPT))
    worker = threading.Thread(target=made.drain)
    worker.start()
    patience.stop()
    worker.join(10)
    assert any(isinstance(message, messages.NotSaved) for message in posted)


def test_closing_waits_for_calls_under_way_and_refuses_later_ones() -> None:
    desk = FakeDesk([make_item(1)])
    desk.hold.clear()
    gate = gated(desk)
    caller = threading.Thread(target=lambda: gate.decide(make_item(1), ACCEPT))
    caller.start()
    assert desk.deciding.wait(10)
    closer = threading.Thread(target=gate.close)
    closer.start()
    assert desk.closed == 0
    desk.hold.set()
    closer.join(10)
    caller.join(10)
    assert (len(desk.decided), desk.closed) == (1, 1)
    with pytest.raises(DeskClosed):
        gate.claim()
