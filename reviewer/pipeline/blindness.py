"""What a reader may know of a sample: streams look alike to annotators, and whoever is to judge judges alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from holdfast.db import personal
from holdfast.db.decisions import Decision, decisions_of
from holdfast.db.gold import is_gold
from holdfast.db.history import deciding, made_beside
from holdfast.db.models import Choice, Role, Status, Stream
from holdfast.db.samples import audited
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store
from holdfast.db.users import role_of
from holdfast.db.verdicts import vote_readers
from holdfast.reviewer.pipeline.shown_votes import HIDDEN_TERM

HIDDEN = "hidden"

AS_SAID: Mapping[Choice, Status] = {
    Choice.ACCEPT: Status.APPROVED,
    Choice.EDIT: Status.SUPERSEDED,
    Choice.REJECT: Status.REJECTED,
    Choice.SKIP: Status.FLAGGED,
    Choice.ESCALATE: Status.ESCALATED,
}
"""What a first decision makes of a sample: to an annotator every decision does."""

_BESIDE = ("gold", "rereview")
_STREAMS = frozenset(stream.value for stream in Stream)
_DIGITS = 6


def is_set_apart(store: Store, user: str, sample_id: int) -> bool:
    """Whether the user is to see the sample as if nobody had decided it: as gold, once more, or for another opinion.

    To annotators it looks so from when they may be given it, to leads while they hold it.
    """
    return personal.kind_of(store, sample_id, user, lead=role_of(store, user) is Role.LEAD) is not None


def is_blind(store: Store, user: str, sample_id: int) -> bool:
    """Whether the user may not see votes and others' decisions.

    That is an annotator without an opinion of the sample, and whoever is to give one as if nobody had.
    """
    if is_set_apart(store, user, sample_id):
        return True
    if role_of(store, user) is Role.LEAD:
        return False
    return _own(store, user, sample_id) is None


def told_of(store: Store, user: str, sample_id: int) -> list[Decision]:
    """The decisions on a sample that a user may know of, in order; to annotators all kinds of work look alike.

    Of a sample that is set apart that is what they took back or skipped themselves, of gold their own decisions.
    """
    found = decisions_of(store, sample_id)
    if is_set_apart(store, user, sample_id):
        found = [one for one in found if one.reviewer == user and _says_nothing(one)]
    elif role_of(store, user) is Role.LEAD:
        return found
    gold = is_gold(store, sample_id)
    return [
        replace(one, kind="first", stream=Stream.FLAGGED) if one.kind in _BESIDE else one
        for one in found
        if one.reviewer == user or (one.kind not in _BESIDE and not gold)
    ]


def deciding_for(store: Store, user: str, sample_id: int) -> Decision | None:
    """The decision that a sample's status rests on, as the user may know it; None where it is undecided to them."""
    if role_of(store, user) is Role.LEAD and not is_set_apart(store, user, sample_id):
        return deciding(store, [sample_id]).get(sample_id)
    if is_set_apart(store, user, sample_id):
        return None
    if is_gold(store, sample_id):
        return _own(store, user, sample_id)
    made = (one for one in made_beside(store, sample_id) if one.reviewer == user)
    return deciding(store, [sample_id]).get(sample_id) or next(made, None)


def shown_statuses(store: Store, statuses: Mapping[int, Status], user: str) -> dict[int, str]:
    """Statuses by row id as the user may know them.

    What rests on another's decision is hidden from a blind one, and what an annotator may be given reads `flagged`.
    """
    lead = role_of(store, user) is Role.LEAD
    apart = {one for one in statuses if is_set_apart(store, user, one)}
    shown = {one: Status.FLAGGED.value if one in apart else status.value for one, status in statuses.items()}
    if lead:
        return shown
    drawn = audited(store, (one for one, status in statuses.items() if status is Status.PASSED))
    counts = deciding(store, statuses)
    for sample_id, status in statuses.items():
        if sample_id in apart:
            continue
        if sample_id in drawn:
            shown[sample_id] = Status.FLAGGED.value
        elif status is Status.GOLD:
            said = _own(store, user, sample_id)
            shown[sample_id] = (Status.FLAGGED if said is None else AS_SAID[said.choice]).value
        elif sample_id in counts and counts[sample_id].reviewer != user and is_blind(store, user, sample_id):
            shown[sample_id] = HIDDEN
        elif status is Status.SUPERSEDED and (made := made_beside(store, sample_id)):
            mine = any(one.reviewer == user for one in made)
            shown[sample_id] = Status.APPROVED.value if mine else HIDDEN
    return shown


def is_gone(status: str, shown: str) -> bool:
    """Whether an edit has replaced a sample, as far as its reader may know, from its status and what is shown of it."""
    return shown == Status.SUPERSEDED or (shown == HIDDEN and status == Status.SUPERSEDED)


def shown_status(store: Store, sample_id: int, status: Status, user: str) -> str:
    """A sample's status as the user may know it."""
    return shown_statuses(store, {sample_id: status}, user)[sample_id]


def status_on_screen(store: Store, sample_id: int, status: Status, user: str) -> Status:
    """A sample's status as the screen has it of what the user works on: that is never hidden."""
    shown = shown_status(store, sample_id, status, user)
    return status if shown == HIDDEN else Status(shown)


def shown_stream(entry: QueueEntry, *, lead: bool) -> str:
    """The stream as its reader may know it."""
    return entry.stream.value if lead else "review"


def shown_p_bad(entry: QueueEntry, *, lead: bool) -> float:
    """The probability of being bad as its reader may know it: to annotators that of the item's place."""
    return entry.p_bad if lead or entry.p_shown is None else entry.p_shown


def shown_why(store: Store, entry: QueueEntry, *, lead: bool, blind: bool) -> tuple[tuple[str, float], ...]:
    """The terms of the priority, without what names the stream to an annotator, or rests on votes to a blind reader."""
    hidden = vote_readers(store) if blind else frozenset()
    terms = entry.why if lead else told_alike(entry)
    return tuple((HIDDEN_TERM if term.partition(":")[0] in hidden else term, value) for term, value in terms)


def told_alike(entry: QueueEntry) -> tuple[tuple[str, float], ...]:
    """The terms without that of the stream, scaled to add up to the priority.

    What every sample starts from is left out where there is more to say: it is the same number for all whose place is
    their own, which would tell the others apart.
    """
    terms = [(name, value) for name, value in entry.why if name not in _STREAMS]
    more = terms[1:]
    total = sum(value for _, value in more)
    if total <= 0 or entry.priority <= 0:
        return ((terms[0][0] if terms else "any sample", entry.priority),)
    shown, so_far, before = [], 0.0, 0.0
    for name, value in more:
        so_far += value
        rounded = round(entry.priority * so_far / total, _DIGITS)
        shown.append((name, round(rounded - before, _DIGITS)))
        before = rounded
    return tuple(shown)


def hidden_decisions(store: Store, user: str, decisions: Sequence[Decision]) -> set[int]:
    """Those of the user's own decisions, by number, that the user is to make again as if for the first time."""
    apart = {one for one in {decision.sample_id for decision in decisions} if is_set_apart(store, user, one)}
    return {one.seq for one in decisions if one.sample_id in apart and not _says_nothing(one)}


def _says_nothing(decision: Decision) -> bool:
    """Whether a decision was taken back, or put off."""
    return decision.undone or decision.choice is Choice.SKIP


def _own(store: Store, user: str, sample_id: int) -> Decision | None:
    """The user's newest decision on a sample that says something."""
    mine: Iterable[Decision] = reversed(decisions_of(store, sample_id))
    return next((one for one in mine if one.reviewer == user and not _says_nothing(one)), None)
