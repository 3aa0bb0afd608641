"""Gold from a file: which samples have a known answer, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from holdfast.db.errors import HoldfastError, NotPermitted, Refused, StoreError
from holdfast.db.gold import retire_gold, set_gold
from holdfast.db.models import REASONS, Choice, Role, SampleVerdicts
from holdfast.db.samples import load, resolve
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store
from holdfast.db.users import role_of
from holdfast.db.verdicts import current
from holdfast.reviewer.pipeline.decide import RefusedLine, object_of, text_or_none, validated
from holdfast.reviewer.policy.ordering import rank


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    ref: str
    verdict: Literal["accept", "edit", "reject"]
    reason: str | None = None
    note: str | None = None


class _Named(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    ref: str


@dataclass
class GoldReport:
    """What became of a file of gold: `changed` samples are gold now, or no longer; the others were so before."""

    changed: int = 0
    unchanged: int = 0
    refused: list[RefusedLine] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The report as `gold --json` prints it."""
        refused = [{"line": one.line, "ref": one.ref, "why": one.why} for one in self.refused]
        return {"changed": self.changed, "unchanged": self.unchanged, "refused": refused}


def gold_lines(store: Store, lines: Iterable[bytes], *, actor: str, retire: bool = False) -> GoldReport:
    """Make samples gold, or with `retire` data again; a line that is refused is reported and the rest goes on.

    NotPermitted to all but leads. A store that cannot be written ends the run with a StoreError.
    """
    if role_of(store, actor) is not Role.LEAD:
        raise NotPermitted(f"{actor} is not a lead: only leads say what is gold")
    act = _retire if retire else _set
    report = GoldReport()
    for number, raw in enumerate(lines, start=1):
        if raw.strip():
            _line(store, number, raw, actor, act, report)
    return report


_Act = Callable[[Store, dict[str, Any], str], bool]


def _line(store: Store, number: int, raw: bytes, actor: str, act: _Act, report: GoldReport) -> None:
    ref: str | None = None
    try:
        document = object_of(raw)
        ref = text_or_none(document.get("ref"))
        changed = act(store, document, actor)
    except StoreError as error:
        raise type(error)(f"line {number}: {error} ({report.changed} changes before it are stored)") from error
    except HoldfastError as error:
        report.refused.append(RefusedLine(number, ref, str(error)))
    else:
        report.changed += changed
        report.unchanged += not changed


def _set(store: Store, document: dict[str, Any], actor: str) -> bool:
    line = validated(_Line, document)
    if line.reason is not None and line.reason not in REASONS:
        raise Refused(f"{line.reason!r} is no reason code; the codes are {', '.join(REASONS)}")
    sample_id = resolve(store, line.ref)
    return set_gold(
        store,
        sample_id,
        actor=actor,
        verdict=Choice(line.verdict),
        reason=line.reason,
        note=line.note,
        entry=_entry(store, sample_id),
    )


def _retire(store: Store, document: dict[str, Any], actor: str) -> bool:
    retire_gold(store, resolve(store, validated(_Named, document).ref), actor=actor)
    return True


def _entry(store: Store, sample_id: int) -> QueueEntry | None:
    """A place by hash, as the audit's are: nothing but a draw puts the sample before people."""
    stored, found = load(store, sample_id), current(store, sample_id)
    verdicts = SampleVerdicts(stored.uid, tuple(outcomes.verdict for outcomes in found))
    return rank([outcomes.spec for outcomes in found], verdicts, stored.sample.provenance, audit=True)
