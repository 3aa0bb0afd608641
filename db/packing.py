"""Verdicts as the store holds them: one row of outcomes and values a sample, and one row a finding."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.db.models import PASS, Finding, Outcome, SampleVerdicts, Severity, Verdict
from holdfast.db.states import QueueEntry

FINDING_COLUMNS = "verifier, code, severity, message, part, span_start, span_end"

_LETTERS = {Outcome.PASS: "p", Outcome.FLAG: "g", Outcome.FAIL: "f", Outcome.ABSTAIN: "a", Outcome.ERROR: "e"}
_OUTCOMES = {letter: outcome for outcome, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run found out about a sample, packed for the store; `entry` ranks it should it wait for a person.

    `outcomes` is JSON, parallel to the stack's verifiers, and `findings` are rows of FINDING_COLUMNS. `newest_vote` is
    the row id of the newest vote in the store when the votes on the sample were read: with a newer one on it the sample
    is stale. None says that votes were not looked at, so that what was stale stays so.
    """

    sample_id: int
    uid: str
    audit: bool
    outcome: Outcome
    outcomes: str
    findings: tuple[tuple[object, ...], ...]
    entry: QueueEntry | None
    newest_vote: int | None

    @classmethod
    def of(
        cls,
        sample_id: int,
        verdicts: SampleVerdicts,
        audit: bool,
        entry: QueueEntry | None,
        newest_vote: int | None = None,
    ) -> Recorded:
        """Pack a sample's verdicts."""
        outcomes = orjson.dumps([_pack(verdict) for verdict in verdicts.verdicts]).decode()
        findings = tuple(
            (position, one.code, one.severity.value, one.message, one.of, *(one.span or (None, None)))
            for position, verdict in enumerate(verdicts.verdicts)
            if verdict is not None and verdict.findings
            for one in verdict.findings
        )
        return cls(sample_id, verdicts.uid, audit, verdicts.outcome, outcomes, findings, entry, newest_vote)

    @property
    def each_outcome(self) -> list[Outcome | None]:
        """Each verifier's outcome, in the order of the stack; None where it did not run."""
        return [None if one is None else _OUTCOMES[one[0]] for one in orjson.loads(self.outcomes)]


def _pack(verdict: Verdict | None) -> object:
    if verdict is None:
        return None
    letter = _LETTERS[verdict.outcome]
    return letter if verdict.value is None else [letter, verdict.value]


def unpacked(connection: sqlite3.Connection, rows: Sequence[tuple[int, str]]) -> list[tuple[Verdict | None, ...]]:
    """The verdicts of rows (id, packed outcomes), each parallel to its stack's verifiers, with their findings."""
    findings: dict[tuple[int, int], tuple[Finding, ...]] = {}
    for found in connection.execute(
        f"""SELECT verdict_id, {FINDING_COLUMNS} FROM findings
        WHERE verdict_id IN (SELECT value FROM json_each(?)) ORDER BY id""",
        (orjson.dumps([row[0] for row in rows]).decode(),),
    ):
        span = None if found[6] is None else (found[6], found[7])
        one = Finding(found[2], Severity(found[3]), found[4], span, found[5])
        findings[found[0], found[1]] = (*findings.get((found[0], found[1]), ()), one)
    return [
        tuple(
            unpack(one, findings.get((verdict_id, position), ())) for position, one in enumerate(orjson.loads(outcomes))
        )
        for verdict_id, outcomes in rows
    ]


def unpack(packed: Any, findings: tuple[Finding, ...] = ()) -> Verdict | None:
    """One verdict of a packed row, with its findings."""
    if packed is None:
        return None
    if packed == "p" and not findings:
        return PASS
    letter, value = packed if isinstance(packed, list) else (packed, None)
    return Verdict(_OUTCOMES[letter], value, findings)
