"""Structured responses against the JSON Schema that came with their prompt."""

from __future__ import annotations

from typing import Any

from holdfast.db.models import PASS, Finding, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.format.json_scan import Defect
from holdfast.verifiers.oracles.given import given, parsed
from holdfast.verifiers.oracles.json_values import UNREADABLE, Json, key_place, locate, path_text, read_json
from holdfast.verifiers.oracles.schemas import BadSchema, TooDeep, Violation, violations

SHOWN = 10
"""Most findings of one response; the last of them says how many there are in all."""
_MOST = 1_000
_UNDECIDED = frozenset({"backtrackLimitExceeded", "regexEngineFailure"})


@verifier(layer="oracle", version="1")
def json_schema(sample: Sample, ctx: Context, *, within: str = "") -> Verdict:
    """Fail responses that are not JSON, or violate the JSON Schema in `metadata.schema`, at each violating value.

    `within` is the dotted path of the part of the metadata that holds the schema where that is not the top. A reference
    in a schema to another document is never followed: such a schema, like an invalid one, is an error.

    Options:
        within: dotted place in the metadata under which `schema` stands; empty for the top
    """
    schema = _unwrapped(parsed(given(sample, "schema", within)))
    if not isinstance(schema, dict | bool) or _only_calls(sample):
        return Verdict.abstain()
    text = sample.response
    document = read_json(text)
    if isinstance(document, Defect):
        span = document.span if text[slice(*document.span)].strip() else None
        if document.code == UNREADABLE:
            return Verdict.flag("unreadable-json", f"cannot be checked: it is {document.what}", span=span)
        return Verdict.fail("not-json", f"is no JSON: {document.what}", span=span)
    try:
        found = list(_limited(document.value, schema))
    except BadSchema as error:
        return Verdict.error(f"the schema in the metadata cannot be used: {error}")
    except TooDeep:
        return Verdict.error("the response is nested too deeply to be checked against its schema")
    if not found:
        return PASS
    if any(one.keyword in _UNDECIDED for one in found):
        return Verdict.error("a pattern of the schema takes too long on this response")
    more = f"; {len(found)} violations in all" if len(found) > SHOWN else ""
    return Verdict.found(
        _finding(text, document, one, more if place == SHOWN - 1 else "") for place, one in enumerate(found[:SHOWN])
    )


def _limited(value: Any, schema: Any) -> list[Violation]:
    found = []
    for violation in violations(value, schema):
        found.append(violation)
        if len(found) >= _MOST:
            break
    return found


def _finding(text: str, document: Json, violation: Violation, more: str) -> Finding:
    span: Span
    if violation.key is not None:
        span = key_place(text, document.span, violation.path, violation.key)
    else:
        span = locate(text, document.span, violation.path).value
    message = f"{path_text(violation.path)}: {violation.what}{more}"
    return Finding("schema-violation", Severity.BLOCK, message, span)


def _unwrapped(schema: Any) -> Any:
    """The schema inside the wrapping of a structured-output request."""
    for name in ("json_schema", "schema"):
        if isinstance(schema, dict) and isinstance(schema.get(name), dict) and "properties" not in schema:
            schema = schema[name]
    return schema


def _only_calls(sample: Sample) -> bool:
    """Whether the response says nothing itself because it calls tools."""
    last = next((one for one in reversed(sample.messages) if one.role == "assistant"), None)
    return last is not None and bool(last.tool_calls) and not last.content.strip()
