"""Claims and durable decisions at full size, several processes at once, beside bare SQLite updates."""

from __future__ import annotations

import multiprocessing
import sqlite3
import statistics
import time
from pathlib import Path
from typing import Any

from common import arguments, flagged_project, percentile, scratch_copy

from holdfast.db import decisions, gold, queue
from holdfast.db.models import Choice, Role
from holdfast.db.store import Store
from holdfast.db.users import add_user
from holdfast.reviewer.pipeline.beside import Beside
from holdfast.reviewer.policy.streams import Shares, opinions_on

PROCESSES = 4
ITEMS = 500
GOLD = 500
SHARES = Shares(gold=0.04, rereview=0.02, overlap=0.25, opinions=2)


def review(path: Path, name: str, results: multiprocessing.Queue[tuple[list[float], list[float]]]) -> None:
    """One reviewer's process: claim and decide, timing each."""
    claims, decided = [], []
    with Store.open(path) as store:
        slots = Beside(store, SHARES, name, lead=False).slots
        for _ in range(ITEMS):
            start = time.perf_counter()
            claim = queue.claim(store, reviewer=name, slots=slots)
            middle = time.perf_counter()
            assert claim is not None
            opinions = opinions_on(claim.uid, SHARES)
            submission = decisions.Submission(
                claim.sample_id, name, Choice.ACCEPT, token=claim.token, again=True, opinions=opinions
            )
            decisions.decide(store, submission)
            claims.append(middle - start)
            decided.append(time.perf_counter() - middle)
    results.put((claims, decided))


def bare(path: Path, results: multiprocessing.Queue[tuple[list[float], list[float]]]) -> None:
    """The same number of durable one-row transactions, with nothing around them."""
    times = []
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    connection.execute("PRAGMA synchronous = FULL")
    for number in range(ITEMS):
        start = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, 'bench', '', '')", (number, str(path)))
        connection.execute("COMMIT")
        times.append(time.perf_counter() - start)
    connection.close()
    results.put((times, times))


def together(*workers: tuple[Any, ...]) -> tuple[list[float], list[float]]:
    """Run workers in processes of their own at the same time; returns all their times."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=work, args=(*rest, results)) for work, *rest in workers]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return [seconds for claims, _ in found for seconds in claims], [seconds for _, done in found for seconds in done]


def set_gold(path: Path) -> None:
    """Give some samples a known answer."""
    with Store.open(path) as store:
        add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
        waiting = [row.sample_id for row in queue.listing(store, limit=GOLD)]
        for sample_id in waiting:
            gold.set_gold(store, sample_id, actor="lead-1", verdict=Choice.ACCEPT)


def main() -> None:
    """Run; print percentiles and the ratio to the bare transactions."""
    chosen = arguments("claims and decisions at full size")
    folder = scratch_copy(flagged_project(chosen.samples))
    path = folder / "holdfast.db"
    set_gold(path)
    claim_p95s, decision_p95s, ratios = [], [], []
    for run in range(chosen.runs):
        bare_times, _ = together(*[(bare, path)] * PROCESSES)
        claims, decided = together(*[(review, path, f"annotator-{run}-{number}") for number in range(PROCESSES)])
        claim_p95s.append(percentile(claims, 0.95) * 1000)
        decision_p95s.append(percentile(decided, 0.95) * 1000)
        ratios.append(statistics.median(decided) / statistics.median(bare_times))
    print(
        f"{chosen.samples} samples, {PROCESSES} reviewers: "
        f"claim p95 {statistics.median(claim_p95s):.2f} ms (goal ≤ 5), "
        f"decision p95 {statistics.median(decision_p95s):.2f} ms (goal ≤ 15), "
        f"median decision {statistics.median(ratios):.1f} × a bare transaction"
    )


if __name__ == "__main__":
    main()
