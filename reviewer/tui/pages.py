"""Pages of the reading screens: history, decisions, why, help. Pure: values in, documents out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from holdfast.reviewer.pipeline.desk import ClaimedItem, Event, MyDecision
from holdfast.reviewer.tui.bars import DONE
from holdfast.reviewer.tui.bindings import GROUPS, Key
from holdfast.reviewer.tui.docs import Builder, Doc
from holdfast.reviewer.tui.panels import add_hanging, decimal

_BAR_CELLS = 24


def history_page(events: Sequence[Event]) -> Doc:
    """What happened to a sample, oldest first."""
    builder = Builder().add("\n")
    for event in events:
        builder.add(f"{event.at:%Y-%m-%d %H:%M}  ", "dim").add(event.what, "strong").add(f"  {event.actor}\n")
        if event.detail:
            builder.add(f"{'':18}{event.detail}\n")
    if not events:
        builder.add("Nothing has happened to this sample yet.", "dim")
    return builder.build()


def decisions_page(decisions: Sequence[MyDecision]) -> Doc:
    """My decisions, newest first; those taken back are marked."""
    builder = Builder().add("\n")
    for one in decisions:
        builder.add(f"{one.at:%m-%d %H:%M}  ", "dim")
        done = f"{DONE[one.choice]:<10}"
        builder.add(f"↶ {done}" if one.undone else f"  {done}", "dim" if one.undone else "strong")
        builder.add(f" {one.uid[:6]}  ", "dim").add(one.name)
        for extra in (one.reason, one.note, "taken back" if one.undone else None):
            if extra:
                builder.add(" · ", "dim").add(extra)
        builder.add("\n")
    if not decisions:
        builder.add("You have not decided anything yet.", "dim")
    return builder.build()


def why_page(item: ClaimedItem) -> Doc:
    """Why a sample is where it is: the terms of its priority, which add up to it."""
    builder = Builder().add("\nThis sample comes now because of\n\n")
    greatest = max((abs(term.value) for term in item.why), default=0.0)
    for term in item.why:
        cells = round(_BAR_CELLS * abs(term.value) / greatest) if greatest else 0
        builder.add(f"{decimal(term.value):>7}  ", "strong").add(f"{'█' * cells:<{_BAR_CELLS}}", "key")
        builder.add(f"  {term.name}\n")
    if not item.why:
        builder.add("its turn: nothing else distinguishes it.\n")
    builder.add(f"\n{decimal(item.priority):>7}  ", "strong").add("priority\n")
    if item.p_bad is not None:
        builder.add(f"{decimal(item.p_bad):>7}  ", "strong").add("probability that it should not be used as it is\n")
    return builder.build()


def keys_page(keys: Iterable[Key], width: int) -> Doc:
    """Every key, by group, at a width in cells."""
    keys = tuple(keys)
    column = max(cell_len(key.all_shown) for key in keys) + 2
    builder = Builder()
    for group in GROUPS:
        builder.add(f"\n{group}\n", "heading")
        for key in keys:
            if key.group == group:
                head = key.all_shown + " " * (column - cell_len(key.all_shown))
                add_hanging(builder, head, "key", key.tooltip, width)
    return builder.build()
