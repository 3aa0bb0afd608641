"""JSON lines out: one sample a line, texts to the letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from holdfast.db.decisions import Decision
from holdfast.db.samples import Stored


def line(stored: Stored, decision: Decision | None, guarantee: Mapping[str, Any] | None = None) -> bytes:
    """A sample as one line of JSON, newline included."""
    return orjson.dumps(document(stored, decision, guarantee), option=orjson.OPT_APPEND_NEWLINE)


def document(stored: Stored, decision: Decision | None, guarantee: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A sample as a JSON document; messages and metadata are raw JSON, so that numbers keep their spelling.

    `guarantee` is what its approval rests on where nobody looked: then there is a key `approved_by`.
    """
    sample = stored.sample
    return {
        "uid": stored.uid,
        "content_id": stored.content_id,
        "batch": stored.batch,
        "external_id": stored.external_id,
        "messages": orjson.Fragment(sample.messages_json),
        "prompt": sample.prompt,
        "response": sample.response,
        "reference": sample.reference,
        "label": sample.label,
        "task": sample.task,
        "domain": sample.domain,
        "licence": sample.licence,
        "provenance": sample.provenance,
        "model": sample.model,
        "family": sample.family,
        "generation": sample.generation,
        "edit_share": stored.edit_share,
        "parents": sample.parents,
        "status": stored.status,
        "decision": None if decision is None else decision_document(decision),
        **({} if guarantee is None or decision is not None else {"approved_by": {"guarantee": guarantee}}),
        "metadata": orjson.Fragment(sample.metadata_json or "{}"),
    }


def decision_document(decision: Decision) -> dict[str, Any]:
    """A decision as a JSON document."""
    return {
        "verdict": decision.choice,
        "reviewer": decision.reviewer,
        "reason": decision.reason,
        "note": decision.note,
        "at": decision.at,
        "seq": decision.seq,
    }
