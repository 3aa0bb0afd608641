"""Samples as the order sees them, made up for tests."""

from __future__ import annotations

from typing import Any

from holdfast.db.models import Provenance, Status
from holdfast.db.ranking import Check, Rankable, Seen


def seen(
    name: str,
    *,
    layer: str = "oracle",
    letter: str = "g",
    value: float | None = None,
    limit: float | None = None,
    side: str = "above",
    findings: tuple[tuple[str, str], ...] = (),
) -> Seen:
    """What a verifier said."""
    return Seen(Check(name, layer, limit, side), letter, value, findings)


def made(*verdicts: Seen, prompt: str = "How many?", response: str = "18", **fields: Any) -> Rankable:
    """A sample with these verdicts; any other field of Rankable can be given by name."""
    domain = fields.get("domain")
    defaults: dict[str, Any] = {
        "sample_id": 1, "uid": "0" * 64, "source": f'["synthetic","model-a",null,1,"{domain}"]',
        "provenance": Provenance.SYNTHETIC, "model": "model-a", "generation": 1, "task": None, "domain": None,
        "label": None, "tokens": 8, "audit": False, "flagged": bool(verdicts), "status": Status.FLAGGED,
    }  # fmt: skip
    return Rankable(verdicts=verdicts, prompt=prompt, response=response, **{**defaults, **fields})
