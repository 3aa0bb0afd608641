"""The words of the product as types: frozen, validated, and free of any storage detail."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict

Span = tuple[int, int]
"""Half-open offsets in code points."""


class Provenance(StrEnum):
    """Who wrote a sample's response."""

    HUMAN = "human"
    HUMAN_EDITED = "human-edited"
    SYNTHETIC = "synthetic"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """Where a sample stands; a projection of verdicts and decisions. `gold` ones serve to measure reviewers alone."""

    PENDING = "pending"
    PASSED = "passed"
    FLAGGED = "flagged"
    ESCALATED = "escalated"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    GOLD = "gold"


class Outcome(StrEnum):
    """What a verifier says of a sample."""

    PASS = "pass"
    FLAG = "flag"
    FAIL = "fail"
    ABSTAIN = "abstain"
    ERROR = "error"


class Layer(StrEnum):
    """The verifier layers, in the order in which they run."""

    FORMAT = "format"
    CONSISTENCY = "consistency"
    AGREEMENT = "agreement"
    ORACLE = "oracle"


class Severity(StrEnum):
    """How much a finding weighs: `block` of a fail, `warn` of a flag or an error, `info` otherwise."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class Choice(StrEnum):
    """What a person can decide."""

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"
    SKIP = "skip"
    ESCALATE = "escalate"


class Role(StrEnum):
    """What a user may do; see `contract` in the documentation."""

    ANNOTATOR = "annotator"
    LEAD = "lead"


class Stream(StrEnum):
    """Why a sample is in the queue; annotators see `review` for all of them."""

    FLAGGED = "flagged"
    AUDIT = "audit"
    GOLD = "gold"
    REREVIEW = "rereview"
    OVERLAP = "overlap"
    ADJUDICATION = "adjudication"


REASONS = ("factual", "off-prompt", "unsafe", "format", "duplicate", "low-diversity", "incoherent", "leaked", "other")
"""Reason codes of a reject, in the order of the keys 1 to 9."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolCall(_Frozen):
    """A function that an assistant turn calls; `arguments` is JSON text, kept to the letter."""

    id: str | None = None
    name: str
    arguments: str


class Message(_Frozen):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None


class Sample(_Frozen):
    """One training record with its declared provenance.

    `generation` is the declared one; None where the source did not say. `sampling` holds temperature, persona and
    prompt_version as declared; `metadata` every unmapped field, both as JSON text so that numbers keep their spelling.
    """

    messages: tuple[Message, ...]
    provenance: Provenance
    model: str | None = None
    generation: int | None = None
    parents: tuple[str, ...] = ()
    family: str | None = None
    domain: str | None = None
    task: str | None = None
    licence: str | None = None
    group: str | None = None
    reference: str | None = None
    label: str | None = None
    sampling_json: str | None = None
    metadata_json: str | None = None

    @cached_property
    def _response_index(self) -> int | None:
        for index in range(len(self.messages) - 1, -1, -1):
            if self.messages[index].role == "assistant":
                return index
        return None

    @cached_property
    def response(self) -> str:
        """The last assistant turn, or the empty string."""
        index = self._response_index
        return "" if index is None else self.messages[index].content

    @cached_property
    def prompt(self) -> str:
        """Everything before the last assistant turn: the turns' contents, joined by blank lines."""
        return "\n\n".join(message.content for message in self.messages[: self._response_index])

    @cached_property
    def messages_json(self) -> str:
        """The messages as RFC 8785 JSON, the form in which they are stored."""
        return canonical_json([_plain(message) for message in self.messages]).decode()

    @cached_property
    def content_id(self) -> str:
        """SHA-256 over the messages alone: equal for exact duplicates across sources."""
        return hashlib.sha256(b'{"messages":' + self.messages_json.encode() + b"}").hexdigest()

    @cached_property
    def uid(self) -> str:
        """SHA-256 over messages, provenance, model, declared generation and parents."""
        head = canonical_json({"generation": self.generation})[:-1]
        tail = canonical_json({"model": self.model, "parents": list(self.parents), "provenance": str(self.provenance)})[
            1:
        ]
        body = head + b',"messages":' + self.messages_json.encode() + b"," + tail
        return hashlib.sha256(body).hexdigest()

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The unmapped fields as Python values."""
        return dict(orjson.loads(self.metadata_json)) if self.metadata_json else {}

    @cached_property
    def sampling(self) -> dict[str, Any]:
        """Temperature, persona and prompt_version as Python values, where declared."""
        return dict(orjson.loads(self.sampling_json)) if self.sampling_json else {}

    def with_response(self, text: str) -> tuple[Message, ...]:
        """The messages with the last assistant turn's content replaced (added where there is none)."""
        index = self._response_index
        if index is None:
            return (*self.messages, Message(role="assistant", content=text))
        changed = self.messages[index].model_copy(update={"content": text})
        return (*self.messages[:index], changed, *self.messages[index + 1 :])


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect that a verifier found: a span is half-open and counts code points of the `of` text."""

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    of: Literal["response", "prompt"] = "response"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one verifier says of one sample: outcome, measured value (the score) where it has one, and findings."""

    outcome: Outcome
    value: float | None = None
    findings: tuple[Finding, ...] = ()

    @classmethod
    def flag(
        cls, code: str, message: str, *, span: Span | None = None, of: Literal["response", "prompt"] = "response"
    ) -> Verdict:
        """A defect that a person should look at."""
        return cls(Outcome.FLAG, None, (Finding(code, Severity.WARN, message, span, of),))

    @classmethod
    def fail(
        cls, code: str, message: str, *, span: Span | None = None, of: Literal["response", "prompt"] = "response"
    ) -> Verdict:
        """A hard failure: a non-human sample is rejected without a look, unless the audit drew it."""
        return cls(Outcome.FAIL, None, (Finding(code, Severity.BLOCK, message, span, of),))

    @classmethod
    def abstain(cls) -> Verdict:
        """The check does not apply to the sample, or cannot tell."""
        return cls(Outcome.ABSTAIN)

    @classmethod
    def error(cls, message: str) -> Verdict:
        """The check itself broke; a person decides."""
        return cls(Outcome.ERROR, None, (Finding("verifier-error", Severity.WARN, message),))

    @classmethod
    def found(cls, findings: Iterable[Finding]) -> Verdict:
        """Several defects: fail if one of them blocks, else flag if one warns, else pass; without any, `PASS`."""
        found = tuple(findings)
        severities = {finding.severity for finding in found}
        for severity, outcome in ((Severity.BLOCK, Outcome.FAIL), (Severity.WARN, Outcome.FLAG)):
            if severity in severities:
                return cls(outcome, None, found)
        return cls(Outcome.PASS, None, found) if found else PASS

    @classmethod
    def score(
        cls,
        value: float,
        *,
        code: str = "",
        message: str = "",
        span: Span | None = None,
        findings: Iterable[Finding] = (),
    ) -> Verdict:
        """A measured value; the stack derives the outcome from the verifier's threshold and keeps the value.

        `code`, `message` and `span` are those of the finding that a value beyond the threshold gets; `findings` are
        more of them.
        """
        first = (Finding(code, Severity.WARN, message, span),) if code else ()
        return cls(Outcome.PASS, value, (*first, *findings))


PASS = Verdict(Outcome.PASS)


@dataclass(frozen=True, slots=True)
class Vote:
    """What a judge said of a sample: a score out of `max`, a label, or the winner of a comparison.

    `winner` is A, B or tie, and `order` the place, A or B, at which the sample stood when it was compared.
    """

    judge: str
    family: str | None = None
    criterion: str | None = None
    score: float | None = None
    max: float | None = None
    label: str | None = None
    winner: str | None = None
    confidence: float | None = None
    reason: str | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class VerifierSpec:
    """A verifier as a verdict remembers it. `options` leaves thresholds out; `thresholds` holds them alone.

    `votes` says that it reads judges' votes, so that what it says is hidden from those who may not know them yet, and
    `others` that its verdict on a sample changes with other samples.
    """

    name: str
    version: str
    layer: Layer
    options: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    votes: bool = False
    others: bool = False

    @property
    def looks_again(self) -> bool:
        """Whether something else than the sample can change the verdict."""
        return self.votes or self.others


@dataclass(frozen=True, slots=True)
class SampleVerdicts:
    """One stack run's verdicts on one sample, parallel to the stack's verifiers; None where the stack had stopped."""

    uid: str
    verdicts: tuple[Verdict | None, ...]

    @property
    def outcome(self) -> Outcome:
        """The gravest outcome: fail, error, flag, else pass."""
        seen = {verdict.outcome for verdict in self.verdicts if verdict is not None}
        for outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.FLAG):
            if outcome in seen:
                return outcome
        return Outcome.PASS


@dataclass(frozen=True, slots=True)
class Source:
    """The unit of acceptance rates and of the quota."""

    provenance: Provenance
    model: str | None
    family: str | None
    generation: int | None
    domain: str | None


def canonical_json(value: Any) -> bytes:
    """RFC 8785 JSON of a value made of ASCII keys, strings, booleans, null and integers below 2**53 (no floats)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _plain(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.name is not None:
        plain["name"] = message.name
    if message.tool_call_id is not None:
        plain["tool_call_id"] = message.tool_call_id
    if message.tool_calls is not None:
        plain["tool_calls"] = [call.model_dump(exclude_none=True) for call in message.tool_calls]
    return plain
