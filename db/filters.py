"""Which samples meet the conditions of a filter, found by the store itself, so that a long queue is no obstacle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from holdfast.db.samples import VISIBLE
from holdfast.db.store import Store

FIELDS: Mapping[str, str] = {
    "batch": "b.name",
    "id": "o.external_id",
    "uid": "s.uid",
    "status": "iif(:hiding AND (:undecided OR (st.audit AND st.status = 'passed')), 'flagged', "
    "coalesce(st.status, 'pending'))",
    "provenance": "s.provenance",
    "model": "s.model",
    "family": "o.family",
    "gen": "s.generation",
    "generation": "s.generation",
    "domain": "o.domain",
    "task": "o.task",
    "label": "o.label",
    "licence": "o.licence",
    "group": "o.group_key",
}
"""Field of a sample → the column that holds it (of its first occurrence)."""

HIDDEN_CODE = "hidden"
"""The code that a finding which rests on votes has for those who may not know the votes."""

FINDING_FIELDS: Mapping[str, str] = {
    "verifier": "json_extract(k.spec, '$[' || f.verifier || '].name')",
    "code": f"iif(:hiding AND json_extract(k.spec, '$[' || f.verifier || '].votes'), '{HIDDEN_CODE}', f.code)",
    "severity": "f.severity",
}
"""Field of a finding → the column that holds it."""

TEXT = "text"
"""The field of a condition on prompt or response, which must hold the pattern somewhere."""

_JOINS = """JOIN occurrences o ON o.id = (SELECT min(id) FROM occurrences WHERE sample_id = s.id)
    JOIN batches b ON b.id = o.batch_id LEFT JOIN states st ON st.sample_id = s.id"""
_FINDING = """EXISTS (SELECT 1 FROM findings f JOIN verdicts v ON v.id = f.verdict_id JOIN runs r ON r.id = v.run_id
    JOIN stacks k ON k.id = r.stack_id WHERE f.verdict_id = st.verdict_id AND {})"""
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Condition:
    """Fields that must match their patterns at once: of the sample, or of one and the same finding.

    `*` in a pattern stands for any characters, `none` is a missing value, the case of ASCII letters does not matter.
    """

    patterns: tuple[tuple[str, str], ...]


def waiting(
    store: Store,
    conditions: Sequence[Condition],
    *,
    batch: str | None = None,
    lead: bool = True,
    free: bool = False,
    limit: int | None = None,
) -> list[int]:
    """Row ids of the items that wait for a person and meet the conditions, in the order of the queue.

    `free` leaves out what somebody holds. Only to leads do findings that rest on votes have their codes.
    """
    found: list[int] = []
    with store.snapshot():  # else an item that is claimed in between would be there twice
        for pool in ("lead", "review") if lead else ("review",):
            rows: list[tuple[float, int, int]] = []
            for state in ("open",) if free else ("open", "claimed"):
                most = -1 if limit is None else limit - len(found)
                place = f"q.pool = :pool AND q.state = '{state}'"
                rows += _rows(
                    store,
                    conditions,
                    place,
                    batch,
                    {"pool": pool, "limit": most, "hiding": not lead, "undecided": False},
                )
            found += [row[2] for row in sorted(rows)]
    return found[:limit]


def meeting(
    store: Store,
    conditions: Sequence[Condition],
    sample_ids: Sequence[int],
    *,
    lead: bool = True,
    undecided: bool = False,
) -> set[int]:
    """Those of some visible samples that meet the conditions; to annotators they may all be `undecided`.

    To annotators what the audit alone drew is flagged, as everything that they are given is.
    """
    clauses, values = _clauses(conditions)
    chosen = orjson.dumps(list(sample_ids)).decode()
    where = " AND ".join([VISIBLE, "s.id IN (SELECT value FROM json_each(:chosen))", *clauses])
    rows = store.read().execute(
        f"SELECT s.id FROM samples s {_JOINS} WHERE {where}",
        {**values, "chosen": chosen, "hiding": not lead, "undecided": undecided},
    )
    return {int(row[0]) for row in rows}


def _rows(
    store: Store, conditions: Sequence[Condition], place: str, batch: str | None, given: Mapping[str, object]
) -> list[tuple[float, int, int]]:
    clauses, values = _clauses(conditions)
    if batch is not None:
        place = f"q.batch_id = (SELECT id FROM batches WHERE name = :batch) AND {place}"
    rows = store.read().execute(
        f"""SELECT -q.priority, q.tie, s.id FROM queue q CROSS JOIN samples s ON s.id = q.sample_id {_JOINS}
        WHERE {" AND ".join([place, *clauses])} ORDER BY q.priority DESC, q.tie LIMIT :limit""",
        {**values, **given, "batch": batch},
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _clauses(conditions: Sequence[Condition]) -> tuple[list[str], dict[str, str]]:
    """SQL for the conditions, with the patterns as named values."""
    clauses: list[str] = []
    values: dict[str, str] = {}
    for number, condition in enumerate(conditions):
        tests = []
        for place, (field, pattern) in enumerate(condition.patterns):
            name = f"pattern_{number}_{place}"
            tests.append(_test(field, pattern, name, values))
        joined = " AND ".join(tests)
        about_finding = any(field in FINDING_FIELDS for field, _ in condition.patterns)
        clauses.append(_FINDING.format(joined) if about_finding else joined)
    return clauses, values


def _test(field: str, pattern: str, name: str, values: dict[str, str]) -> str:
    if field == TEXT:
        values[name] = f"%{_like(pattern)}%"
        values[f"{name}_json"] = f"%{_like(orjson.dumps(pattern).decode()[1:-1])}%"
        # The texts are cut out of the JSON only where the JSON holds the word.
        return f"""(s.messages LIKE :{name}_json ESCAPE '\\' AND EXISTS (SELECT 1 FROM sample_texts t WHERE t.id = s.id
            AND (t.response LIKE :{name} ESCAPE '\\' OR t.prompt LIKE :{name} ESCAPE '\\')))"""
    column = FIELDS.get(field) or FINDING_FIELDS[field]
    if pattern.lower() == _NONE:
        return f"{column} IS NULL"
    values[name] = _like(pattern).replace("*", "%")
    return f"{column} LIKE :{name} ESCAPE '\\'"


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
