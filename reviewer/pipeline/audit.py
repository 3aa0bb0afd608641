"""The audit: acceptance rates that can be trusted, what verifiers are worth, and how far people agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from holdfast.db import audit as counts
from holdfast.db.audit import Cell, Labelled
from holdfast.db.gold import Answer, gold_answers
from holdfast.db.models import Choice
from holdfast.db.opinions import opinions
from holdfast.db.orderings import newest_ordering
from holdfast.db.store import Store, text_of
from holdfast.reviewer.config import Config
from holdfast.reviewer.pipeline.approving import stand
from holdfast.reviewer.pipeline.queue import is_lead
from holdfast.reviewer.policy import agreement_stats as agree
from holdfast.reviewer.policy.acceptance import wilson
from holdfast.reviewer.policy.audit_rates import (
    Rates,
    audited_weights,
    caught,
    drawn_weights,
    estimated,
    estimated_of_few,
    observed,
)
from holdfast.reviewer.policy.quota import source_name

BY = ("model", "generation", "batch", "domain", "verifier", "reviewer", "source", "week")
"""What rates can be broken down by."""

_WHOLE_LOG = 2**62
_DIGITS = 6

_PARTS: Mapping[str, Callable[[Cell], str | int | None]] = {
    "model": lambda cell: cell.source.model,
    "generation": lambda cell: cell.source.generation,
    "batch": lambda cell: cell.batch,
    "domain": lambda cell: cell.source.domain,
    "source": lambda cell: source_name(cell.source),
}


def audit(store: Store, config: Config, user: str, *, by: str = "source") -> dict[str, Any]:
    """Rates, verifiers and agreement as a JSON document, all of one instant.

    To leads, also how many samples the audit drew and how many decisions each number rests on, the order of the queue
    against the rule, what reviewers said of gold and where auto-approval stands. To others, what was decided up to the
    last midnight (UTC) and, by reviewer, themselves alone: from numbers that move with a decision it could be told
    which stream the sample came from.
    """
    with store.snapshot():
        lead = is_lead(store, user)
        until = text_of(store.now().replace(hour=0, minute=0, second=0, microsecond=0))
        log_size = _WHOLE_LOG if lead else counts.log_size_at(store, until)
        cells = counts.cells(store, log_size=log_size)
        flagged = _by_label(counts.by_verifier(store, log_size=log_size))
        found = {
            "by": by,
            "until": None if lead else until,
            "unverified": sum(cell.count for cell in cells if cell.kind == counts.UNVERIFIED and cell.choice is None),
            "overall": _rates(estimated(cells)),
            "rows": _rows(store, by, cells, flagged, log_size=log_size, only=None if lead else user),
            "verifiers": [_verifier(name, flagged[name], cells) for name in sorted(flagged)],
            "agreement": _agreement(store, log_size, lead=lead),
        }
        if lead:
            found["audit_stream"] = _streams(cells)
            found["ordering"] = _ordering(store)
            found["gold"] = _gold(gold_answers(store))
            found["auto_approve"] = stand(store, config.review)
            return found
    return _blind(found)


def _blind(found: dict[str, Any]) -> dict[str, Any]:
    """Without how many decisions on audited samples there are."""
    for one in (found["overall"], *found["rows"], *found["verifiers"]):
        del one["audited"]
    return found


def _rows(
    store: Store, by: str, cells: list[Cell], flagged: Mapping[str, list[Cell]], *, log_size: int, only: str | None
) -> list[dict[str, Any]]:
    if by == "verifier":
        weights = audited_weights(cells)
        return [{"key": name, **_rates(estimated_of_few(flagged[name], weights))} for name in sorted(flagged)]
    if by in ("reviewer", "week"):
        read = counts.by_reviewer if by == "reviewer" else counts.by_week
        weights = drawn_weights(cells)
        labelled = _by_label(read(store, log_size=log_size))
        return [
            {"key": _week(label) if by == "week" else label, **_rates(observed(labelled[label], weights))}
            for label in sorted(labelled)
            if by == "week" or only in (None, label)
        ]
    parts: dict[str | int | None, list[Cell]] = {}
    for cell in cells:
        parts.setdefault(_PARTS[by](cell), []).append(cell)
    ordered = sorted(parts, key=lambda key: (key is None, key if isinstance(key, int) else 0, str(key)))
    return [{"key": key, **_rates(estimated(parts[key]))} for key in ordered]


def _rates(found: Rates) -> dict[str, Any]:
    return {
        "n": found.n,
        "reviewed": found.reviewed,
        "audited": found.audited,
        "strict_rate": _rounded(found.strict),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
        "usable_rate": _rounded(found.usable),
    }


def _verifier(name: str, flagged: list[Cell], cells: list[Cell]) -> dict[str, Any]:
    found = estimated_of_few(flagged, audited_weights(cells))
    return {
        "verifier": name,
        "flagged": found.n,
        "reviewed": found.reviewed,
        "audited": found.audited,
        "precision": _rounded(None if found.strict is None else 1 - found.strict),
        "precision_low": _rounded(1 - found.high),
        "precision_high": _rounded(1 - found.low),
        "recall": _rounded(caught(flagged, cells)),
    }


def _agreement(store: Store, log_size: int, *, lead: bool) -> dict[str, Any]:
    said = opinions(store, log_size=log_size)
    found: dict[str, Any] = {
        "alpha": _rounded(agree.krippendorff_alpha(said.units)),
        "ac1": _rounded(agree.gwet_ac1(said.units)),
        "kappa": _rounded(agree.mean_kappa(said.pairs.values())),
        "items": agree.items(said.units),
        "raw": _rounded(agree.raw_agreement(said.units)),
    }
    if lead:
        found["repeated"] = [
            {"reviewer": reviewer, "items": sum(table.values()), "kappa": _rounded(agree.cohen_kappa(table))}
            for reviewer, table in sorted(said.repeated.items())
        ]
    return found


def _streams(cells: Iterable[Cell]) -> dict[str, Any]:
    """How many samples the audit drew, and how many of them are decided and left, in all and by source."""
    sources: dict[str, list[int]] = {}
    for cell in cells:
        row = sources.setdefault(source_name(cell.source), [0, 0, 0])
        row[0] += cell.count
        row[1] += cell.count * cell.drawn
        row[2] += cell.count * (cell.drawn and cell.choice is not None)
    rows = [{"source": name, **_drawn(sources[name])} for name in sorted(sources)]
    return {**_drawn([sum(column) for column in zip([0, 0, 0], *sources.values(), strict=True)]), "sources": rows}


def _drawn(row: list[int]) -> dict[str, int]:
    return {"samples": row[0], "drawn": row[1], "decided": row[2], "left": row[1] - row[2]}


def _ordering(store: Store) -> dict[str, Any] | None:
    newest = newest_ordering(store)
    return None if newest is None else {"version": newest.version, "at": newest.at, **newest.report}


def _gold(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """How each reviewer answered; sensitivity: of good ones, the share accepted; specificity: of bad ones, not."""
    people: dict[str, list[Answer]] = {}
    for answer in answers:
        people.setdefault(answer.reviewer, []).append(answer)
    return [_known_answers(reviewer, people[reviewer]) for reviewer in sorted(people)]


def _known_answers(reviewer: str, answers: list[Answer]) -> dict[str, Any]:
    right = sum(one.right for one in answers)
    low, high = wilson(right, len(answers))
    good = [one.right for one in answers if one.expected is Choice.ACCEPT]
    bad = [one.right for one in answers if one.expected is not Choice.ACCEPT]
    return {
        "reviewer": reviewer,
        "items": len(answers),
        "accuracy": _rounded(right / len(answers)),
        "low": _rounded(low),
        "high": _rounded(high),
        "sensitivity": _rounded(sum(good) / len(good)) if good else None,
        "specificity": _rounded(sum(bad) / len(bad)) if bad else None,
    }


def _by_label(rows: Iterable[Labelled]) -> dict[str, list[Cell]]:
    """Cells by label; several stacks' verifiers of one name count together."""
    found: dict[str, dict[tuple[object, ...], Cell]] = {}
    for row in rows:
        cell = row.cell
        same = found.setdefault(row.label, {})
        key = (cell.source, cell.ingest, cell.kind, cell.drawn, cell.choice)
        before = same[key].count if key in same else 0
        same[key] = replace(cell, count=before + cell.count)
    return {label: list(same.values()) for label, same in found.items()}


def _week(monday: str) -> str:
    """An ISO week, such as 2026-W02."""
    from datetime import date

    year, week, _ = date.fromisoformat(monday).isocalendar()
    return f"{year}-W{week:02}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
