"""`holdfast status`: where the project stands."""

from __future__ import annotations

from typing import Any

import click

from holdfast.reviewer.cli.common import Caller, acts, json_option, print_json, quantity, say


@click.command()
@json_option
@acts
def status(caller: Caller, as_json: bool) -> None:
    """Count samples by status, stream and source; what is due, pace, time left."""
    from holdfast.reviewer.pipeline.status import status as read_status

    project = caller.project()
    with project.store() as store:
        found = read_status(store, project.config, caller.user)
    if as_json:
        print_json(found)
        return
    for line in _lines(found):
        say(line)


def _lines(found: dict[str, Any]) -> list[str]:
    batches = len(found["batches"])
    where = "1 batch" if batches == 1 else f"{batches} batches"
    lines = [f"{quantity(found['samples'], 'sample')} in {where}"]
    lines += [f"  {name:<11} {count:>9}" for name, count in found["statuses"].items() if count]
    lines.append(f"{found['due']} due for review")
    lines += [f"  {name:<11} {count:>9}" for name, count in found["streams"].items() if count]
    if found["sources"]:
        lines.append("Sources")
    for row in found["sources"]:
        counts = ", ".join(f"{name} {count}" for name, count in row["statuses"].items())
        held = f"{quantity(row['samples'], 'sample')}, {quantity(row['tokens'], 'token')}"
        lines.append(f"  {row['source']}: {held} ({counts})")
    claimed = found["claimed"]
    lines.append(
        f"{claimed['mine']} claimed by you, {claimed['others']} by others; {found['decided_today']} decided today"
    )
    if found["per_minute"] is not None:
        lines.append(f"{found['per_minute']:.1f} decisions a minute: {found['minutes_left']:.0f} minutes left")
    if not found["samples"]:
        lines.append("Next: holdfast ingest FILE --batch NAME --provenance human|synthetic|unknown")
    elif found["statuses"]["pending"]:
        lines.append("Next: holdfast verify")
    elif found["due"]:
        lines.append("Next: holdfast review")
    return lines
