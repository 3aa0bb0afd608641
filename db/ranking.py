"""What the queue's order is made of: samples with what their verifiers said, without the cost of whole samples."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from holdfast.db.models import Outcome, Provenance, Status
from holdfast.db.states import status_of
from holdfast.db.store import Store

_SELECT = """SELECT s.id, s.uid, k.key, s.provenance, s.model, s.generation, o.task, o.domain, o.label, s.tokens,
    coalesce(st.audit, 0), coalesce(st.status, 'pending'), s.messages, v.outcome, v.outcomes, r.stack_id, o.metadata,
    (SELECT json_group_array(json_array(f.id, f.verifier, f.code, f.severity)) FROM findings f
     WHERE f.verdict_id = v.id)
    FROM json_each(?) j CROSS JOIN samples s ON s.id = j.value JOIN sources k ON k.id = s.source_id
    LEFT JOIN occurrences o ON o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id)
    LEFT JOIN states st ON st.sample_id = s.id LEFT JOIN verdicts v ON v.id = st.verdict_id
    LEFT JOIN runs r ON r.id = v.run_id"""
_MEASURES, _LARGEST = 16, 1e9
_FLAGGED = {
    (outcome.value, who)
    for outcome in Outcome
    for who in Provenance
    if status_of(outcome, who, audit=False) is Status.FLAGGED
}
_PROVENANCES = {one.value: one for one in Provenance}
_STATUSES = {one.value: one for one in Status}


class Check(NamedTuple):
    """A verifier of a stack: `limit` is the score at which it flags, with the side on which it does."""

    name: str
    layer: str
    limit: float | None = None
    side: str = "above"


class Seen(NamedTuple):
    """What one verifier said of a sample: an outcome's letter (p, g, f, a, e), its score, and (code, severity)."""

    check: Check
    letter: str
    value: float | None
    findings: tuple[tuple[str, str], ...]


class Rankable(NamedTuple):
    """A sample as the order sees it. `flagged` is whether its verdicts send it to people, the audit draw aside.

    `measures` are the numbers in its metadata, such as the generator's own log-probability, by dotted path.
    """

    sample_id: int
    uid: str
    source: str
    provenance: Provenance
    model: str | None
    generation: int | None
    task: str | None
    domain: str | None
    label: str | None
    tokens: int
    audit: bool
    flagged: bool
    status: Status
    verdicts: tuple[Seen, ...]
    prompt: str
    response: str
    measures: tuple[tuple[str, float], ...] = ()


def rankables(store: Store, sample_ids: Sequence[int]) -> list[Rankable]:
    """The samples with these row ids, in the order given; ask for a page of some 500 at a time."""
    connection = store.read()
    rows = connection.execute(_SELECT, (_json(sample_ids),)).fetchall()
    checks = _checks(connection, {row[15] for row in rows if row[15] is not None})
    return [_rankable(row, checks) for row in rows]


def prompt_and_response(messages: str) -> tuple[str, str]:
    """All turns before the last of the assistant's, joined by blank lines, and that one, of messages as stored."""
    turns = orjson.loads(messages)
    if len(turns) == 2 and turns[1]["role"] == "assistant":
        return turns[0]["content"], turns[1]["content"]
    last = max((at for at, turn in enumerate(turns) if turn["role"] == "assistant"), default=None)
    prompt = "\n\n".join(turn["content"] for turn in turns[:last])
    return prompt, "" if last is None else turns[last]["content"]


def measures_of(metadata: str) -> tuple[tuple[str, float], ...]:
    """The first numbers of metadata as stored, also those one level down, by dotted path; sorted."""
    found: dict[str, float] = {}
    for name, value in orjson.loads(metadata).items():
        for key, inner in value.items() if isinstance(value, dict) else (("", value),):
            if isinstance(inner, int | float) and not isinstance(inner, bool) and abs(inner) < _LARGEST:
                found[f"{name}.{key}" if key else name] = float(inner)
        if len(found) >= _MEASURES:
            break
    return tuple(sorted(found.items())[:_MEASURES])


def _rankable(row: sqlite3.Row, checks: Mapping[int, Sequence[Check]]) -> Rankable:
    # By position: a Row looks names up one by one.
    (
        sample_id, uid, source, provenance, model, generation, task, domain, label, tokens, audit, status, messages,
        outcome, outcomes, stack_id, metadata, findings,
    ) = row  # fmt: skip
    prompt, response = prompt_and_response(messages)
    who = _PROVENANCES[provenance]
    flagged = (outcome, who) in _FLAGGED
    seen = () if outcomes is None else _seen(orjson.loads(outcomes), checks[stack_id], _by_place(findings))
    return Rankable(
        sample_id, uid, source, who, model, generation, task, domain, label, tokens, bool(audit), flagged,
        _STATUSES[status], seen, prompt, response, measures_of(metadata) if metadata else (),
    )  # fmt: skip


def _seen(
    outcomes: Sequence[Any], checks: Sequence[Check], found: Mapping[int, tuple[tuple[str, str], ...]]
) -> tuple[Seen, ...]:
    """What verifiers said that says anything: abstentions and plain passes are left out."""
    seen = []
    for place, packed in enumerate(outcomes):
        if packed is None or packed == "a" or (packed == "p" and place not in found):
            continue
        letter, value = packed if isinstance(packed, list) else (packed, None)
        seen.append(Seen(checks[place], letter, value, found.get(place, ())))
    return tuple(seen)


def _by_place(findings: str) -> dict[int, tuple[tuple[str, str], ...]]:
    """(code, severity) of a sample's findings, in their order, by the verifier's place in the stack."""
    if findings == "[]":
        return {}
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for _, place, code, severity in sorted(orjson.loads(findings)):
        found[place] = (*found.get(place, ()), (code, severity))
    return found


def _checks(connection: sqlite3.Connection, stack_ids: set[int]) -> dict[int, tuple[Check, ...]]:
    """The verifiers of each stack, in its order."""
    rows = connection.execute(
        "SELECT id, spec FROM stacks WHERE id IN (SELECT value FROM json_each(?))", (_json(sorted(stack_ids)),)
    )
    return {row[0]: tuple(map(_check, orjson.loads(row[1]))) for row in rows}


def _check(spec: Mapping[str, Any]) -> Check:
    side, limit = next(iter(spec["thresholds"].get("flag_at", {}).items()), ("above", None))
    return Check(spec["name"], spec["layer"], None if limit is None else float(limit), side)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
