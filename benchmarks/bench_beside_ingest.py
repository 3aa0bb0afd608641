"""Decisions while a bulk ingest runs on the same store, beside the same decisions with the store at rest."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from pathlib import Path

from common import CACHE, HOLDFAST, arguments, corpus, flagged_project, percentile, scratch_copy

from holdfast.db import decisions, queue
from holdfast.db.models import Choice
from holdfast.db.store import Store

AT_REST = 300
PAUSE_SECONDS = 0.02
"""What a very quick reviewer would take between decisions."""


def decide_one(store: Store) -> float:
    """Claim an item, decide it; returns the seconds that the decision took."""
    claim = queue.claim(store, reviewer="annotator-1")
    assert claim is not None
    start = time.perf_counter()
    decisions.decide(store, decisions.Submission(claim.sample_id, "annotator-1", Choice.ACCEPT, token=claim.token))
    return time.perf_counter() - start


def new_rows(samples: int) -> Path:
    """A file of rows that the store does not know."""
    target = CACHE / "beside.jsonl"
    with corpus(samples).open() as lines, target.open("w") as out:
        for line in lines:
            out.write(line.replace('"prompt":"', '"prompt":"again ', 1))
    return target


def main() -> None:
    """Run; print percentiles at rest and beside the ingest."""
    chosen = arguments("decisions beside a bulk ingest", samples=200_000, runs=1)
    folder = scratch_copy(flagged_project(chosen.samples))
    rows = new_rows(chosen.samples)
    command = ["ingest", str(rows), "--project", str(folder), "--user", "lead-1", "--batch", "more", "--json"]
    with Store.open(folder / "holdfast.db") as store:
        queue.claim(store, reviewer="annotator-2", lease_seconds=86_400)
        rest = [decide_one(store) for _ in range(AT_REST)]
        start = time.perf_counter()
        process = subprocess.Popen(
            [*HOLDFAST, *command, "--provenance", "synthetic", "--map", "external_id=id"], stdout=subprocess.DEVNULL
        )
        beside = []
        while process.poll() is None:
            beside.append(decide_one(store))
            time.sleep(PAUSE_SECONDS)
        seconds = time.perf_counter() - start
    shutil.rmtree(folder)
    if process.returncode:
        raise SystemExit("the ingest failed")
    print(
        f"{len(beside)} decisions beside an ingest of {chosen.samples} rows ({chosen.samples / seconds:.0f} rows/s): "
        f"p50 {statistics.median(beside) * 1000:.1f} ms, p99 {percentile(beside, 0.99) * 1000:.1f} ms (goal ≤ 150), "
        f"worst {max(beside) * 1000:.0f} ms; median {statistics.median(beside) / statistics.median(rest):.1f} × at rest"
    )


if __name__ == "__main__":
    main()
