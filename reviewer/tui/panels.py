"""The words around a sample: titles and side panes. Pure: values in, documents out."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from rich.cells import cell_len

from holdfast.db.models import Provenance, Severity
from holdfast.reviewer.pipeline.desk import ClaimedItem, ShownFinding, Votes
from holdfast.reviewer.sanitise import sanitise
from holdfast.reviewer.tui.diffs import add_word_diff
from holdfast.reviewer.tui.docs import Builder, Doc, numeral
from holdfast.reviewer.tui.wrapping import wrap

PANES = ("findings", "votes", "lineage", "duplicates")
_SIGNS = {Severity.BLOCK: "✖", Severity.WARN: "▲", Severity.INFO: "•"}
_ORIGINS = {
    Provenance.HUMAN: "●",
    Provenance.HUMAN_EDITED: "◐",
    Provenance.SYNTHETIC: "○",
    Provenance.UNKNOWN: "?",
}


def decimal(value: float, places: int = 3) -> str:
    """A share or ratio as people in the field write it: .391, 1.20, ∞."""
    if isinf(value):
        return "∞"
    text = f"{value:.{places}f}" if abs(value) < 1 else f"{value:.2f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def percent(share: float) -> str:
    """A share of text in percent, never 0 % for a change."""
    return "< 1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")


def counted(number: int, thing: str) -> str:
    """A number of things: 1 finding, 2 findings."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def name_of(item: ClaimedItem) -> str:
    """How a person finds the sample again: the beginning of its uid."""
    return item.uid[:6]


def prompt_title(item: ClaimedItem) -> Doc:
    """The prompt's title: whose turns they are, where the sample comes from, and to leads its stream."""
    roles = [message.role for message in item.messages[: item.response_turn]]
    whose = roles[0] if len(roles) == 1 else f"{len(roles)} turns"
    stream = "" if item.stream == "review" else f" · {item.stream}"
    return Builder().add("PROMPT ", "strong").add(f"{whose} · {item.batch}/{item.external_id}{stream}", "dim").build()


def response_title(item: ClaimedItem, view: str, note: str = "") -> Doc:
    """The provenance line, after what is special about the view of the moment."""
    builder = Builder().add("RESPONSE ", "strong")
    if view != "plain":
        builder.add(f"{view.upper()} ", "key")
    if note:
        builder.add("✎ note ", "key")
    builder.add(f"{_ORIGINS[item.provenance]} {item.provenance}")
    generation = None if item.generation is None else f"gen {item.generation}"
    for part in (item.model, generation, f"{item.tokens} tok", item.uid[:4]):
        if part:
            builder.add(" · ", "dim").add(part)
    if item.edit_share:
        builder.add(f" · edited {percent(item.edit_share)}")
    return builder.build()


def side_title(item: ClaimedItem, pane: str) -> Doc:
    """The side pane's tabs, with what each holds."""
    votes = item.votes
    counts = {
        "findings": str(len(item.findings)),
        "votes": "" if votes is None else "?" if votes.hidden else str(votes.count),
        "duplicates": str(len(item.neighbours) or ""),
    }
    builder = Builder()
    for number, name in enumerate(PANES, 1):
        label = "dups" if name == "duplicates" else name
        here = name == pane
        builder.add(f"{number} ", "key").add(label, "tab" if here else "dim")
        builder.add(f" {counts[name]}" if counts.get(name) else "", "strong" if here else "dim").add("  ")
    return builder.build()


def side_page(item: ClaimedItem, findings: Sequence[ShownFinding], pane: str, width: int) -> Doc:
    """The side pane's page at a width in cells."""
    if pane == "votes":
        return _votes_page(item.votes, width)
    if pane == "lineage":
        return _lineage_page(item, width)
    if pane == "duplicates":
        return _duplicates_page(item, width)
    return _findings_page(item, findings, width)


def findings_list(builder: Builder, findings: Sequence[ShownFinding], width: int) -> Builder:
    """Append findings, each with its number, sign, severity, maker, place and message."""
    if not findings:
        builder.add("✓ ", "good").add("No check objects.\n\n")
    for number, finding in enumerate(findings, 1):
        kind = finding.severity.value
        builder.add(numeral(number), "marker", number=number).add(" ")
        builder.add(f"{_SIGNS[finding.severity]} {kind.upper()}", f"{kind}-sign", number=number)
        builder.add(f" {finding.verifier} v{finding.version}", "strong")
        if finding.span is not None:
            builder.add(f"  {'prompt ' if finding.of == 'prompt' else ''}{finding.span[0]}–{finding.span[1]}", "dim")
        add_hanging(builder.add("\n"), "  ", "", finding.message, width)
        builder.add("\n")
    return builder


def add_hanging(builder: Builder, head: str, kind: str, text: str, width: int) -> Builder:
    """Append a row whose text keeps to the right of its head."""
    indent = cell_len(head)
    shown = sanitise(text).text
    for index, (start, end) in enumerate(wrap(shown, max(width - indent, 10))):
        builder.add(" " * indent if index else head, *((kind,) if kind else ())).add(f"{shown[start:end]}\n")
    return builder


def _findings_page(item: ClaimedItem, findings: Sequence[ShownFinding], width: int) -> Doc:
    builder = findings_list(Builder(), findings, width)
    for name, text in (("reference", item.reference), ("label", item.label)):
        if text is not None:
            builder.add(f"{name}\n", "heading").add(f"{text}\n\n")
    builder.add("at a glance\n", "heading")
    for name, text in _glance(item):
        add_hanging(builder, f"{name:<10}", "dim", text, width)
    return builder.build()


def _glance(item: ClaimedItem) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if item.votes is not None:
        rows.append(("votes", tally(item.votes)))
    rows.append(("lineage", item.lineage or "nothing recorded"))
    if item.neighbours:
        nearest = item.neighbours[0]
        rows.append(("nearest", f"{nearest.label} {nearest.status}, sim {decimal(nearest.similarity, 2)}"))
    if item.why:
        rows.append(("why", " + ".join(f"{term.name} {decimal(term.value, 2)}" for term in item.why[:3])))
    if item.history_count:
        rows.append(("history", counted(item.history_count, "decision") + " before"))
    return rows


def tally(votes: Votes) -> str:
    """The votes in one line."""
    if votes.hidden:
        return "hidden until you answer"
    entropy = "" if votes.entropy is None else f" · H {decimal(votes.entropy, 2)}"
    return f"{votes.tally}{entropy}"


def _votes_page(votes: Votes | None, width: int) -> Doc:
    builder = Builder()
    if votes is None:
        return builder.add("No judge has rated this sample.", "dim").build()
    builder.add(f"{tally(votes)}\n\n", "strong")
    for vote in () if votes.hidden else votes.rows:
        builder.add(vote.judge, "strong").add(f"  {vote.verdict}\n")
        if vote.reason:
            add_hanging(builder, "  ", "", vote.reason, width)
        builder.add("\n")
    return builder.build()


def _lineage_page(item: ClaimedItem, width: int) -> Doc:
    builder = Builder()
    for step in item.lineage_steps:
        builder.add("▸ " if step.here else "  ", "key").add(step.uid[:6], "strong").add("  ")
        builder.add(f"{step.label}\n")
    if not item.lineage_steps:
        builder.add(f"{item.lineage or 'Nothing recorded.'}\n")
    builder.add("\n")
    facts = (("batch", item.batch), ("id", item.external_id), ("uid", item.uid), ("model", item.model))
    for name, text in (*facts, ("family", item.family), ("status", item.status.value)):
        if text:
            add_hanging(builder, f"{name:<10}", "dim", text, width)
    return builder.build()


def _duplicates_page(item: ClaimedItem, width: int) -> Doc:
    builder = Builder()
    if not item.neighbours:
        builder.add("No near-duplicate is known.", "dim")
    for neighbour in item.neighbours:
        builder.add(f"{_ORIGINS[neighbour.provenance]} ").add(neighbour.label, "strong")
        facts = f"{neighbour.provenance}, {neighbour.status}, sim {decimal(neighbour.similarity, 2)}"
        add_hanging(builder.add("\n"), "  ", "", facts, width)
        if neighbour.response == item.response:
            builder.add("The same response, to the letter.\n\n", "dim")
        else:
            add_word_diff(builder, neighbour.response, item.response).add("\n\n")
    return builder.build()
