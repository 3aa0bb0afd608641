"""Learning from decisions and ordering the queue at full size, alone and beside a reviewer, and raw SQLite for it."""

from __future__ import annotations

import argparse
import multiprocessing
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.synchronize import Event
from pathlib import Path

from common import CACHE, HOLDFAST, corpus, percentile, scratch_copy

from holdfast.db import decisions, queue, samples, verdicts
from holdfast.db.models import PASS, Choice, SampleVerdicts, Status, Verdict
from holdfast.db.orderings import BRISK, newest_ordering, outdated, rerank, save_ordering
from holdfast.db.packing import Recorded
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.ordering import bring_up_to_date
from holdfast.reviewer.pipeline.ordering_crew import Places, Pool
from holdfast.reviewer.pipeline.stack_run import result_of
from holdfast.reviewer.project import Project
from holdfast.verifiers.outcomes import settle
from holdfast.verifiers.stack import Part, Stack

SCORED = ("length_outlier", "token_outlier", "repetition", "template_concentration", "answer_agreement")
PLAIN = ("required_fields", "encoding_damage", "refusal", "truncation", "leaked_markup", "personal_data")
FLAG_SHARE = 0.04
"""How often each check flags a sample; every sample is flagged by one at least."""
_CHUNK = 5_000


def ordered_project(waiting: int, decided: int) -> Path:
    """A project whose samples have verdicts of eleven checks; some are decided, all others wait. Made once."""
    folder = CACHE / f"ordered-{waiting}-{decided}"
    if folder.exists():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    who = ["--project", str(part), "--user", "lead-1"]
    subprocess.run([*HOLDFAST, "init", str(part), "--user", "lead-1"], check=True, stdout=subprocess.DEVNULL)
    texts = str(corpus(waiting + decided))
    ingest = ["ingest", texts, "--batch", "b", "--provenance", "synthetic", "--map", "external_id=id"]
    subprocess.run([*HOLDFAST, *ingest, *who], check=True, stdout=subprocess.DEVNULL)
    with Store.open(part / "holdfast.db") as store:
        store.read().execute("PRAGMA synchronous = OFF")
        _judge_all(store)
        for number in range(1, decided + 1):
            sample_id = number * (waiting + decided) // decided
            decisions.decide(store, decisions.Submission(sample_id, "lead-1", _choice(sample_id)))
        store.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    part.rename(folder)
    return folder


def _choice(sample_id: int) -> Choice:
    """A decision from which something can be learned: some of the corpus's models are bad more often."""
    chance = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)[(sample_id - 1) % 6]
    return Choice.REJECT if random.Random(sample_id).random() < chance else Choice.ACCEPT


def _judge_all(store: Store) -> None:
    chance = random.Random(1)
    stack = Stack([Part(name, {}) for name in (*SCORED, *PLAIN)])
    specs = stack.specs()
    run = verdicts.begin_run(store, specs=specs, actor="lead-1")
    pending = samples.each(store, status=Status.PENDING)
    while chunk := list(islice(pending, _CHUNK)):
        rows: list[Recorded] = []
        for stored in chunk:
            found = _verdicts(stack, chance)
            provenance = stored.sample.provenance
            recorded = result_of(
                stored.id, specs, SampleVerdicts(stored.uid, found), provenance, audit=chance.random() < 0.05
            ).recorded
            assert recorded is not None
            rows.append(recorded)
        verdicts.record(store, run, rows)
    verdicts.complete_run(store, run, actor="lead-1")


def _verdicts(stack: Stack, chance: random.Random) -> tuple[Verdict, ...]:
    sure = chance.randrange(len(stack.members))
    found = []
    for place, member in enumerate(stack.members):
        flags = place == sure or chance.random() < FLAG_SHARE
        if member.name in PLAIN:
            found.append(Verdict.flag("odd", "looks odd", span=(0, 4)) if flags else PASS)
            continue
        score = round(chance.random(), 4)
        settled = settle(Verdict.score(score, code="odd", message="is odd"), member.name, {})
        found.append(Verdict.flag("odd", "is odd") if flags else settled)
    return tuple(found)


@dataclass(frozen=True)
class Alone:
    """Seconds of one reordering with nobody else at work, and the rows that it wrote."""

    fit: float
    rank: float
    raw: float


def alone(folder: Path, workers: int) -> Alone:
    """Make an ordering in a child process, rank all that waits, and update the same rows with SQLite alone."""
    copy = scratch_copy(folder)
    project = Project(copy)
    rows: Places = []
    with project.store() as store:
        start = time.perf_counter()
        with Pool(project, workers) as crew:
            made = crew.make()
            version = save_ordering(store, log_size=made.log_size, report=made.report, state=made.state, actor="lead-1")
            fitted = time.perf_counter()
            for places in crew.places(version, outdated(store, version)):
                rerank(store, places)
                rows += places
            ranked = time.perf_counter()
    return Alone(fitted - start, ranked - fitted, raw_seconds(folder, rows))


def raw_seconds(folder: Path, rows: Sequence[tuple[object, ...]]) -> float:
    """The same rows, updated in the same transactions by SQLite alone."""
    path = scratch_copy(folder) / "holdfast.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous = FULL", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    start = time.perf_counter()
    for at in range(0, len(rows), BRISK.rows):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "UPDATE queue SET priority = ?, p_bad = ?, why = ?, p_shown = ?, version = ? WHERE sample_id = ?",
            [row[:6] for row in rows[at : at + BRISK.rows]],
        )
        connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Times:
    """What a reviewer waited for: seconds of each claim and each decision."""

    claims: list[float]
    decided: list[float]


def review(path: Path, over: Event, results: multiprocessing.Queue[Times]) -> None:
    """A reviewer's process: claim and decide, timing each, with a short look at every item."""
    times = Times([], [])
    with Store.open(path) as store:
        while not over.is_set():
            start = time.perf_counter()
            claim = queue.claim(store, reviewer="annotator-1")
            middle = time.perf_counter()
            assert claim is not None
            decisions.decide(
                store, decisions.Submission(claim.sample_id, "annotator-1", Choice.ACCEPT, token=claim.token)
            )
            times.claims.append(middle - start)
            times.decided.append(time.perf_counter() - middle)
            time.sleep(0.02)
    results.put(times)


def beside(folder: Path, *, order: bool) -> tuple[float, Times]:
    """Seconds of an ordering, and what a reviewer waits meanwhile; without `order`, for nothing for five seconds."""
    copy = scratch_copy(folder)
    context = multiprocessing.get_context("spawn")
    over, results = context.Event(), context.Queue()
    reviewer = context.Process(target=review, args=(copy / "holdfast.db", over, results))
    reviewer.start()
    time.sleep(1)
    start = time.perf_counter()
    if order:
        with Project(copy).store() as store:
            bring_up_to_date(Project(copy), store, actor="lead-1", wait=False)
            newest = newest_ordering(store)
            assert newest is not None
    else:
        time.sleep(5)
    seconds = time.perf_counter() - start
    over.set()
    times = results.get()
    reviewer.join()
    return seconds, times


def main() -> None:
    """Run; print seconds, waits and their ratios."""
    parser = argparse.ArgumentParser(description="learning from decisions and ordering the queue")
    parser.add_argument("--samples", type=int, default=100_000, help="how many samples wait")
    parser.add_argument("--decisions", type=int, default=100_000, help="how many are decided")
    parser.add_argument("--workers", type=int, default=2, help="child processes")
    chosen = parser.parse_args()
    folder = ordered_project(chosen.samples, chosen.decisions)
    one = alone(folder, chosen.workers)
    print(
        f"{chosen.decisions:,} decisions: fit in a child process {one.fit:.1f} s (goal ≤ 10); "
        f"{chosen.samples:,} items ranked and stored in {one.rank:.1f} s (goal ≤ 5 for 100,000), "
        f"{one.rank / one.raw:.1f} × raw SQLite updates ({one.raw:.1f} s)",
        flush=True,
    )
    _, quiet = beside(folder, order=False)
    seconds, busy = beside(folder, order=True)
    print(
        f"beside a reviewer: all in {seconds:.1f} s (goal ≤ 120 for 1,000,000); of {len(busy.decided)} decisions "
        f"claim p95 {percentile(busy.claims, 0.95) * 1000:.1f} ms (goal ≤ 5; alone "
        f"{percentile(quiet.claims, 0.95) * 1000:.1f}), longest decision {max(busy.decided) * 1000:.0f} ms "
        f"(goal ≤ 150; alone {max(quiet.decided) * 1000:.0f})"
    )


if __name__ == "__main__":
    main()
