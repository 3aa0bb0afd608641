"""The audit in words and tables of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from holdfast.reviewer.sanitise import plain_line

WIDTH = 80
UNNAMED = "(none named)"
"""The key of samples that have no model, domain or generation."""

_KEY, _NUMBER = 28, 8


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The document of `audit.audit` for a terminal, line by line."""
    yield from sentences(found)
    if not found["overall"]["reviewed"]:
        return
    yield ""
    yield from _rates(found)
    if found["verifiers"]:
        yield ""
        yield from _verifiers(found["verifiers"])
    yield ""
    yield from _agreement(found["agreement"])
    for title in ("audit_stream", "ordering", "gold", "auto_approve"):
        if found.get(title):
            yield ""
            yield from _PARTS[title](found[title])


def percent(value: float | None) -> str:
    """A share as a table shows it; a dash where nothing is known."""
    return "-" if value is None else f"{100 * value:.0f} %"


def span(low: float | None, high: float | None) -> str:
    """An interval as a table shows it."""
    return "-" if low is None or high is None else f"{100 * low:.0f}-{100 * high:.0f}"


def number(value: float | None) -> str:
    """A statistic to two digits; a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"


def samples_text(count: int) -> str:
    """A number of samples in words."""
    return f"{count:,} sample{'' if count == 1 else 's'}"


def key_text(key: str | int | None) -> str:
    """A row's key on one line."""
    return UNNAMED if key is None else plain_line(str(key), WIDTH)


def sentences(found: dict[str, Any]) -> list[str]:
    """The whole in sentences: the estimate, what it rests on, and what is missing."""
    overall = found["overall"]
    if not overall["n"]:
        return ["There are no samples yet: holdfast ingest FILE --batch NAME"]
    said = [f"{samples_text(overall['n'])}, {overall['reviewed']:,} decided."]
    if found["until"] is not None:
        said.append(f"As of {found['until'][:10]}, 0:00 UTC.")
    if not overall["reviewed"]:
        return [*said, "Nothing has been decided yet: holdfast review"]
    if "audited" in overall:
        said.append(f"Drawn at random: {overall['audited']:,} of the decided ones; the estimates rest on these.")
    if overall["strict_rate"] is None:
        said.append("Too few of them for an estimate over all samples.")
    else:
        rates = f"{percent(overall['strict_rate'])} ({span(overall['low'], overall['high'])} %)"
        said.append(f"Of all samples, {rates} are good as they are; with edits, {percent(overall['usable_rate'])}.")
    if found["unverified"]:
        said.append(f"No check has seen {found['unverified']:,} of them yet: holdfast verify")
    return said


def _rates(found: dict[str, Any]) -> Iterator[str]:
    heads = [f"By {found['by']}", "samples", "decided", "audited", "strict", "95 %", "usable"]
    rows = [
        [
            key_text(row["key"]),
            f"{row['n']:,}",
            f"{row['reviewed']:,}",
            f"{row['audited']:,}" if "audited" in row else "",
            percent(row["strict_rate"]),
            span(row["low"], row["high"]),
            percent(row["usable_rate"]),
        ]
        for row in found["rows"]
    ]
    yield from _table(heads, rows)
    yield "Strict: accepted as it is. Usable: accepted or edited."
    if found["by"] in ("reviewer", "week"):
        yield "These rates are over the decisions on samples that the audit drew."


def _verifiers(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    heads = ["Verifiers", "flagged", "decided", "audited", "precise", "95 %", "recall"]
    yield from _table(
        heads,
        [
            [
                key_text(row["verifier"]),
                f"{row['flagged']:,}",
                f"{row['reviewed']:,}",
                f"{row['audited']:,}" if "audited" in row else "",
                percent(row["precision"]),
                span(row["precision_low"], row["precision_high"]),
                percent(row["recall"]),
            ]
            for row in rows
        ],
    )
    yield "Precise: of what it flags, the share that people do not accept. Recall: of"
    yield "all that people would not accept, the share that it flags."


def _agreement(found: dict[str, Any]) -> Iterator[str]:
    if not found["items"]:
        yield "Agreement: no sample has been decided by two people (overlap_share)."
    else:
        yield f"Agreement on {samples_text(found['items'])} that two people or more decided: {percent(found['raw'])}"
        yield (
            f"  Krippendorff's alpha {number(found['alpha'])}, Gwet's AC1 {number(found['ac1'])}, "
            f"Cohen's kappa {number(found['kappa'])}"
        )
    for row in found.get("repeated", ()):
        who, kappa = key_text(row["reviewer"]), number(row["kappa"])
        yield f"  {who} with themselves, {samples_text(row['items'])}: kappa {kappa}"


def _stream(found: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Audit: {found['drawn']:,} of {found['samples']:,} samples drawn, {found['decided']:,} decided, "
        f"{found['left']:,} left"
    )


def ordering_lines(found: dict[str, Any]) -> Iterator[str]:
    """What the order of the queue was made from, and how it did on decisions that it had not seen."""
    decisions = f"{found['decisions']:,} decision{'' if found['decisions'] == 1 else 's'}"
    if not found["learned"]:
        made = f"by rule, after {decisions}: too few to learn from"
    elif found["blend"]:
        made = f"learned from {decisions}"
    else:
        made = f"by rule, calibrated on {decisions}: they teach no better order"
    yield f"Order of the queue, version {found['version']}: {made}"
    held_out = found["held_out"]
    if held_out:
        yield f"  on the newest {held_out['n']:,} decisions, with what the older ones teach:"
        yield f"  {'':<14}{'Brier':>9}{'log loss':>10}{'AUC':>7}"
        yield from (_scores(name, held_out, prefix) for name, prefix in (("this order", ""), ("the rule", "rule_")))
        for name, key in (("said bad, in %", "p"), ("were bad", "rate")):
            yield f"  {name:<14}" + "".join(f"{100 * one[key]:>6.0f}" for one in held_out["reliability"])


def _scores(name: str, held_out: dict[str, Any], prefix: str) -> str:
    brier, loss, auc = (held_out[f"{prefix}{one}"] for one in ("brier", "log_loss", "auc"))
    return f"  {name:<14}{brier:>9.3f}{loss:>10.3f}{number(auc):>7}"


def _gold(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    heads = ["Gold, by reviewer", "items", "right", "95 %", "good ones", "bad ones"]
    yield from _table(
        heads,
        [
            [
                key_text(row["reviewer"]),
                f"{row['items']:,}",
                percent(row["accuracy"]),
                span(row["low"], row["high"]),
                percent(row["sensitivity"]),
                percent(row["specificity"]),
            ]
            for row in rows
        ],
    )


def _approval(found: dict[str, Any]) -> Iterator[str]:
    yield f"Approval without a look: {samples_text(found['approved'])}"
    yield from wrap(found["why"], WIDTH, initial_indent="  ", subsequent_indent="  ")


_PARTS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "audit_stream": _stream,
    "ordering": ordering_lines,
    "gold": _gold,
    "auto_approve": _approval,
}


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table whose first column holds names; a long name stands on a line of its own."""
    for name, *cells in (heads, *rows):
        numbers = "".join(f"{cell:>{_NUMBER}}" for cell in cells)
        if len(name) > _KEY:
            yield name
            name = ""
        yield f"{name:<{_KEY}}{numbers}".rstrip()
