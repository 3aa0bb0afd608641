"""Votes that judges gave elsewhere, brought to the samples they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from holdfast.db.errors import NotFound, Refused
from holdfast.db.models import Vote
from holdfast.db.references import resolve_many
from holdfast.db.store import Store
from holdfast.db.votes import record_votes
from holdfast.reviewer.exchange.chunks import Chunks, lines
from holdfast.reviewer.exchange.raw import Problem
from holdfast.reviewer.exchange.values import kind_of, scalar_text

VOTES_AT_A_TIME, BYTES_AT_A_TIME = 2_000, 1 << 24
"""Votes that one transaction, and one event, holds, and about how long they are at most: reviewers are kept waiting no
longer than for these, and long reasons do not fill the memory."""

DEFAULT_MAX = 10.0
_WINNERS = {"a": "A", "first": "A", "b": "B", "second": "B", "tie": "tie"}
_ORDERS = {"a": "A", "ab": "A", "first": "A", "b": "B", "ba": "B", "second": "B"}


@dataclass(frozen=True, slots=True)
class RefusedVote:
    """A line that was not stored, and why."""

    file: str
    line: int
    ref: str | None
    why: str


@dataclass
class VotesReport:
    """What became of files of votes; `known` ones were stored before."""

    read: int = 0
    new: int = 0
    known: int = 0
    refused: list[RefusedVote] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The report as `votes --json` prints it."""
        refused = [{"file": one.file, "line": one.line, "ref": one.ref, "why": one.why} for one in self.refused]
        return {"read": self.read, "new": self.new, "known": self.known, "refused": refused}


def _spelt(words: Mapping[str, str]) -> BeforeValidator:
    return BeforeValidator(lambda value: words.get(value.casefold(), value) if isinstance(value, str) else value)


def _label(value: object) -> object:
    text = scalar_text(value)
    return value if text is None else text


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    ref: str
    judge: str = Field(pattern=r"\S")
    family: str | None = None
    criterion: str | None = None
    score: float | None = Field(None, ge=0)
    max: float | None = Field(None, gt=0)
    label: Annotated[str | None, BeforeValidator(_label)] = None
    winner: Annotated[Literal["A", "B", "tie"] | None, _spelt(_WINNERS)] = None
    confidence: float | None = None
    reason: str | None = None
    order: Annotated[Literal["A", "B"] | None, _spelt(_ORDERS)] = None

    @model_validator(mode="after")
    def _within_scale(self) -> _Line:
        limit = self.max or DEFAULT_MAX
        if self.score is not None and self.score > limit:
            raise ValueError(f"the score {self.score:g} is beyond its max, {limit:g}")
        return self

    def vote(self) -> Vote:
        """The vote as it is stored."""
        limit = None if self.score is None else self.max or DEFAULT_MAX
        said = self.model_dump(exclude={"ref", "max"})
        return Vote(max=limit, **said)


def import_votes(
    store: Store, sources: Iterable[tuple[str, Chunks]], *, actor: str, progress: Callable[[VotesReport], None]
) -> VotesReport:
    """Store the votes of named JSON lines files; a line that is refused is kept for the report and the rest goes on.

    An interrupted import is completed by the same files again: votes that are known are counted and left alone.
    """
    report = VotesReport()
    for name, chunks in sources:
        before, parsed = len(report.refused), _parsed(name, chunks, report)
        while portion := _portion(parsed):
            _store(store, name, portion, actor, report)
            progress(report)
        report.refused[before:] = sorted(report.refused[before:], key=lambda one: one.line)
    return report


def _portion(parsed: Iterator[tuple[int, _Line, int]]) -> list[tuple[int, _Line]]:
    """The next lines that are stored at once."""
    portion: list[tuple[int, _Line]] = []
    size = 0
    for number, line, length in parsed:
        portion.append((number, line))
        size += length
        if len(portion) == VOTES_AT_A_TIME or size > BYTES_AT_A_TIME:
            break
    return portion


def _parsed(name: str, chunks: Chunks, report: VotesReport) -> Iterator[tuple[int, _Line, int]]:
    """The readable lines with their numbers and lengths; the others go into the report."""
    for number, raw in lines(chunks):
        if isinstance(raw, bytes) and not raw.strip():
            continue
        report.read += 1
        ref: str | None = None
        try:
            document = _loaded(raw)
            ref = document["ref"] if isinstance(document.get("ref"), str) else None
            yield number, _validated(document), len(raw) if isinstance(raw, bytes) else 0
        except Refused as error:
            report.refused.append(RefusedVote(name, number, ref, str(error)))


def _store(store: Store, name: str, portion: list[tuple[int, _Line]], actor: str, report: VotesReport) -> None:
    found = resolve_many(store, (line.ref for _, line in portion))
    votes: list[tuple[int, Vote]] = []
    for number, line in portion:
        sample_id = found[line.ref]
        if isinstance(sample_id, NotFound):
            report.refused.append(RefusedVote(name, number, line.ref, str(sample_id)))
        else:
            votes.append((sample_id, line.vote()))
    new = record_votes(store, votes, actor=actor) if votes else 0
    report.new += new
    report.known += len(votes) - new


def _loaded(raw: bytes | Problem) -> dict[str, Any]:
    if isinstance(raw, Problem):
        raise Refused(raw.reason)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refused(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Refused(f'{kind_of(document)}, not a JSON object such as {{"ref": "…", "judge": "…", "score": 7}}')
    return document


def _validated(document: dict[str, Any]) -> _Line:
    try:
        return _Line.model_validate(document)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"][:1])
        raise Refused(f"{place}: {wrong['msg']}" if place else wrong["msg"].removeprefix("Value error, ")) from None
