"""The audit as one page for a browser: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from holdfast.reviewer.exchange.files import Pending
from holdfast.reviewer.pipeline.audit_words import (
    key_text,
    number,
    ordering_lines,
    percent,
    samples_text,
    sentences,
    span,
)

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2326; --paper: #fbfbf9; --line: #d5d8d6; --bar: #b9d3cf; --dot: #0d6b62; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8e6; --paper: #15191a; --line: #3a4143; --bar: #2d504c; --dot: #6fd0c4; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .5rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.range { display: block; position: relative; width: 9rem; height: .8rem; border: 1px solid var(--line); }
.range span { position: absolute; top: 0; bottom: 0; background: var(--bar); }
.range b { position: absolute; top: 0; bottom: 0; width: 3px; margin-left: -1px; background: var(--dot); }
"""


def write_page(path: Path, found: dict[str, Any], *, force: bool = False) -> None:
    """Write the document of `audit.audit` to a file, whole or not at all; Refused where it exists, unless `force`."""
    pending = Pending(force=force)
    pending.refuse_existing(path)
    try:
        with pending.open(path) as file:
            file.write(page(found).encode())
        pending.publish()
    finally:
        pending.discard()


def page(found: dict[str, Any]) -> str:
    """The page's HTML; all text in it is escaped, and what could steer a reader's eye is made visible."""
    body = "\n".join(_body(found))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Audit by {escape(found["by"])}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Audit</h1>
{body}
</body>
</html>
"""


def _body(found: dict[str, Any]) -> Iterator[str]:
    yield from _paragraphs(sentences(found))
    if not found["overall"]["reviewed"]:
        return
    yield f"<h2>Acceptance by {escape(found['by'])}</h2>"
    rows = [{"key": "all samples", **found["overall"]}, *found["rows"]]
    yield from _table(
        [found["by"], "samples", "decided", "audited", "strict", "95 %", "", "usable"], map(_rate_cells, rows)
    )
    yield "<p>Strict: accepted as it is. Usable: accepted or edited. Bar: the interval; mark: the estimate.</p>"
    if found["verifiers"]:
        yield "<h2>Verifiers</h2>"
        heads = ["verifier", "flagged", "decided", "audited", "precise", "95 %", "", "recall"]
        yield from _table(heads, map(_verifier_cells, found["verifiers"]))
    yield "<h2>Agreement</h2>"
    yield from _agreement(found["agreement"])
    if found.get("gold"):
        yield "<h2>Gold</h2>"
        heads = ["reviewer", "items", "right", "95 %", "", "good ones", "bad ones"]
        yield from _table(heads, map(_gold_cells, found["gold"]))
    if found.get("audit_stream"):
        yield "<h2>What the audit drew</h2>"
        heads = ["source", "samples", "drawn", "decided", "left"]
        yield from _table(heads, map(_stream_cells, found["audit_stream"]["sources"]))
    if found.get("ordering"):
        yield "<h2>The order of the queue</h2>"
        yield f"<pre>{escape(chr(10).join(ordering_lines(found['ordering'])))}</pre>"
    if found.get("auto_approve"):
        yield "<h2>Approval without a look</h2>"
        approval = found["auto_approve"]
        yield from _paragraphs([f"{samples_text(approval['approved'])} approved: {approval['why']}."])


def _rate_cells(row: dict[str, Any]) -> list[str]:
    counts = [_text(key_text(row["key"])), *_counts(row, "n")]
    return [*counts, *_range(row["strict_rate"], row["low"], row["high"]), _text(percent(row["usable_rate"]))]


def _verifier_cells(row: dict[str, Any]) -> list[str]:
    shown = _range(row["precision"], row["precision_low"], row["precision_high"])
    return [_text(key_text(row["verifier"])), *_counts(row, "flagged"), *shown, _text(percent(row["recall"]))]


def _gold_cells(row: dict[str, Any]) -> list[str]:
    shown = _range(row["accuracy"], row["low"], row["high"])
    rates = (_text(percent(row[name])) for name in ("sensitivity", "specificity"))
    return [_text(key_text(row["reviewer"])), f"{row['items']:,}", *shown, *rates]


def _stream_cells(row: dict[str, Any]) -> list[str]:
    return [_text(key_text(row["source"])), *(f"{row[name]:,}" for name in ("samples", "drawn", "decided", "left"))]


def _counts(row: dict[str, Any], first: str) -> list[str]:
    return [f"{row[name]:,}" if name in row else "" for name in (first, "reviewed", "audited")]


def _agreement(found: dict[str, Any]) -> Iterator[str]:
    if not found["items"]:
        yield "<p>No sample has been decided by two people.</p>"
        return
    names = {"raw": "agreeing", "alpha": "Krippendorff's alpha", "ac1": "Gwet's AC1", "kappa": "Cohen's kappa"}
    cells = [percent(found["raw"]), *(number(found[name]) for name in ("alpha", "ac1", "kappa"))]
    yield from _table(["samples", *names.values()], [[f"{found['items']:,}", *cells]])
    if found.get("repeated"):
        rows = ([_text(row["reviewer"]), f"{row['items']:,}", number(row["kappa"])] for row in found["repeated"])
        yield from _table(["with themselves", "samples", "kappa"], rows)


def _range(value: float | None, low: float, high: float) -> list[str]:
    """Estimate, interval and a bar of both."""
    mark = "" if value is None else f'<b style="left: {100 * value:.1f}%"></b>'
    bar = f'<span style="left: {100 * low:.1f}%; right: {100 * (1 - high):.1f}%"></span>'
    return [_text(percent(value)), _text(span(low, high)), f'<div class="range">{bar}{mark}</div>']


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f"<th>{_text(head)}</th>" for head in heads)
    yield "</tr></thead><tbody>"
    yield from (f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    yield "</tbody></table></div>"


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    return (f"<p>{_text(text)}</p>" for text in texts)


def _text(text: str) -> str:
    return escape(text)
