"""Decisions by the rules of the desk, one at a time or a file of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.db import decisions
from holdfast.db.decisions import Receipt, Submission
from holdfast.db.errors import HoldfastError, Refused, StoreError, UsageError
from holdfast.db.models import (
    REASONS,
    Choice,
    Message,
    Role,
    Sample,
    SampleVerdicts,
    Severity,
    Status,
    VerifierSpec,
)
from holdfast.db.revisions import Revision
from holdfast.db.samples import Stored, load, resolve, uid_of
from holdfast.db.store import Store
from holdfast.db.users import role_of
from holdfast.db.verdicts import current
from holdfast.reviewer.pipeline.blindness import AS_SAID, is_blind, is_set_apart
from holdfast.reviewer.pipeline.editing import revise, without_appended_newline
from holdfast.reviewer.policy.streams import Shares, is_shown_again, opinions_on

Line = TypeVar("Line", bound=BaseModel)

Judge = Callable[[Sample], tuple[tuple[VerifierSpec, ...], SampleVerdicts]]
"""Runs the project's verifiers on a revision."""

NO_SHARES = Shares()
UNSTATED = "unstated"
"""The override of a script that accepts over a blocking finding without saying why."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A decision as it was asked for; `messages` are the turns of an edit."""

    sample_id: int
    choice: Choice
    token: str | None = None
    reason: str | None = None
    note: str | None = None
    override: str | None = None
    messages: tuple[Message, ...] | None = None
    second_opinion: bool = False
    dwell_seconds: float | None = None
    shown: Mapping[str, Any] | None = None


def decide(store: Store, ask: Ask, *, reviewer: str, judge: Judge, shares: Shares = NO_SHARES) -> Receipt:
    """Store a decision durably; an edit's revision is judged first, and one that changes nothing is an accept.

    By the shares it may be asked for once more, of the reviewer or of others. The receipt is as the reviewer may know
    it. A reject without a reason is `other`; accepting over a blocking finding without one is recorded as `unstated`.
    """
    choice, reason = ask.choice, ask.reason
    if choice is Choice.REJECT:
        reason = reason or "other"
        if reason not in REASONS:
            raise UsageError(f"{reason!r} is no reason code; the codes are {', '.join(REASONS)}")
    revision = None
    if choice is Choice.EDIT:
        revision = _revision(load(store, ask.sample_id), ask.messages, store, judge)
        choice = Choice.ACCEPT if revision is None else choice
    elif ask.messages is not None:
        raise UsageError("only an edit comes with a response")
    override = None
    if _blocked(store, ask.sample_id, choice, revision):
        override = ask.override or ask.reason or ask.note or UNSTATED
    submission = Submission(
        sample_id=ask.sample_id,
        reviewer=reviewer,
        choice=choice,
        token=ask.token,
        reason=reason,
        note=ask.note,
        override=override,
        revision=revision,
        second_opinion=ask.second_opinion,
        dwell_seconds=ask.dwell_seconds,
        shown=ask.shown,
        **_asked_later(store, ask.sample_id, reviewer, shares),
    )
    apart, blind = is_set_apart(store, reviewer, ask.sample_id), is_blind(store, reviewer, ask.sample_id)
    return _as_told(store, decisions.decide(store, submission), submission, apart=apart, blind=blind)


def _asked_later(store: Store, sample_id: int, reviewer: str, shares: Shares) -> dict[str, Any]:
    uid = uid_of(store, sample_id)
    return {"again": is_shown_again(uid, reviewer, shares), "opinions": opinions_on(uid, shares)}


def _as_told(store: Store, receipt: Receipt, submission: Submission, *, apart: bool, blind: bool) -> Receipt:
    """What an annotator hears of a decision: the same whatever stream the sample came from.

    `apart` and `blind` say how the sample looked to them before: undecided, or at least not decided by themselves.
    """
    if role_of(store, submission.reviewer) is Role.LEAD:
        return receipt
    if receipt.kind in ("gold", "rereview") or (receipt.kind == "second" and apart and not receipt.late):
        status = Status.FLAGGED if receipt.late else AS_SAID[submission.choice]
        asked = receipt.late or (submission.second_opinion and not blind)
        return replace(receipt, status=status, second_opinion=asked, kind="second" if asked else "first")
    if submission.choice is Choice.SKIP and receipt.status is Status.PASSED:
        return replace(receipt, status=Status.FLAGGED)
    return receipt


def _revision(stored: Stored, messages: tuple[Message, ...] | None, store: Store, judge: Judge) -> Revision | None:
    if messages is None:
        raise UsageError("an edit needs the new response")
    edit = revise(store, stored, messages)
    if edit is None:
        return None
    specs, verdicts = judge(edit.sample)
    return Revision(edit.sample, edit.share, specs, verdicts)


def _blocked(store: Store, sample_id: int, choice: Choice, revision: Revision | None) -> bool:
    """Whether the text that the decision approves has a blocking finding."""
    if revision is not None:
        verdicts = [verdict for verdict in revision.verdicts.verdicts if verdict is not None]
    elif choice is Choice.ACCEPT:
        verdicts = [outcomes.verdict for outcomes in current(store, sample_id)]
    else:
        return False
    return any(finding.severity is Severity.BLOCK for verdict in verdicts for finding in verdict.findings)


def with_response(sample: Sample, text: str, *, from_editor: bool) -> tuple[Message, ...]:
    """The turns of a sample with another response; `from_editor` drops the newline that editors append."""
    return sample.with_response(without_appended_newline(sample.response, text) if from_editor else text)


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line of a file of decisions that was not stored, and why."""

    line: int
    ref: str | None
    why: str


@dataclass
class Bulk:
    """What became of a file of decisions."""

    decided: int = 0
    late: int = 0
    refused: list[RefusedLine] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many decisions were asked for."""
        return self.decided + len(self.refused)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    ref: str
    verdict: Choice
    reason: str | None = None
    note: str | None = None
    response: str | None = None
    token: str | None = None


def decide_lines(
    store: Store,
    lines: Iterable[bytes],
    *,
    reviewer: str,
    judge: Judge,
    second_opinion: bool = False,
    shares: Shares = NO_SHARES,
    progress: Callable[[Bulk], None] | None = None,
) -> Bulk:
    """Decide line by line; a line that is refused is kept for the report and the rest goes on.

    A store that cannot be written ends the run with a StoreError: it says how many decisions stand.
    """
    done = Bulk()
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        ref: str | None = None
        try:
            document = object_of(raw)
            ref = text_or_none(document.get("ref"))
            asked = validated(_Line, document)
            ask = _ask(store, asked, second_opinion)
            receipt = decide(store, ask, reviewer=reviewer, judge=judge, shares=shares)
        except StoreError as error:
            raise type(error)(f"line {number}: {error} ({done.decided} decisions before it are stored)") from error
        except HoldfastError as error:
            done.refused.append(RefusedLine(number, ref, str(error)))
        else:
            done.decided += 1
            done.late += receipt.late
        if progress is not None:
            progress(done)
    return done


def object_of(raw: bytes) -> dict[str, Any]:
    """A line as a JSON object; Refused where it is none."""
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refused(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Refused('not a JSON object such as {"ref": "…", "verdict": "accept"}')
    return document


def validated(model: type[Line], document: dict[str, Any]) -> Line:
    """A line's object as a model; Refused names what is wrong."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise Refused(f"{place}: {wrong['msg']}") from None


def text_or_none(value: object) -> str | None:
    """A value if it is text."""
    return value if isinstance(value, str) else None


def _ask(store: Store, line: _Line, second_opinion: bool) -> Ask:
    sample_id = resolve(store, line.ref)
    messages = None
    if line.response is not None:
        messages = with_response(load(store, sample_id).sample, line.response, from_editor=False)
    return Ask(
        sample_id=sample_id,
        choice=line.verdict,
        token=line.token,
        reason=line.reason,
        note=line.note,
        messages=messages,
        second_opinion=second_opinion,
    )
