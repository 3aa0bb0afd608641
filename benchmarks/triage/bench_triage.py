"""Replay a reviewer who knows the truth: how early the bad samples come, cold and as decisions accumulate.

Sets of `../shared/data` go through the product: ingest without their truth, votes, verify. Cross-validated by prompt:
decisions on four folds of the prompts, the fifth ranked by what was learned from them; a sample counts at the place
that its fold's ordering gives it among the whole batch.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from triage.cases import DATA, Spec, specs
from triage.measured import Measured, Tried, measured, tried
from triage.project import Verified, verified
from triage.table import experiments_table, table

PROCESSES = 2
NEVER_HURTS_SEEDS = 50


def main() -> None:
    """Verify set after set in this process while others replay; print each set when it is through."""
    chosen = _arguments()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is not there: this benchmark needs the shared data sets")
    started = time.perf_counter()
    wanted = [spec for spec in specs() if chosen.set in spec.name]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for line in _lines(pool, wanted, chosen.seeds, chosen.never_hurts):
            print(line, flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="how early the bad samples come")
    parser.add_argument("--seeds", type=int, default=5, help="batches of each set that is thinned (default 5)")
    parser.add_argument("--set", default="", help="sets whose name holds this text")
    parser.add_argument(
        "--never-hurts", type=int, default=NEVER_HURTS_SEEDS, metavar="N",
        help=f"seeds of shuffled and of 50 true decisions (default {NEVER_HURTS_SEEDS}; 0: leave them out)",
    )  # fmt: skip
    return parser.parse_args()


def _lines(pool: ProcessPoolExecutor, wanted: Sequence[Spec], seeds: int, never_hurts: int) -> Iterator[str]:
    verified_sets = []
    before: Iterator[str] = iter(())
    for spec in wanted:
        batches = [verified(spec.make(seed)) for seed in range(seeds if spec.seeded else 1)]
        futures = [pool.submit(measured, batch) for batch in batches]
        verified_sets.append((spec, batches))
        # A set replays while the next one is verified.
        yield from before
        before = _table(spec, batches, futures)
    yield from before
    trials = [(spec.name, _trials(pool, batches, never_hurts)) for spec, batches in verified_sets]
    yield from experiments_table([(name, [one for part in parts for one in part.result()]) for name, parts in trials])


def _table(spec: Spec, batches: Sequence[Verified], futures: Sequence[Future[Measured]]) -> Iterator[str]:
    yield from table(spec.name, batches, [one.result() for one in futures])


def _trials(pool: ProcessPoolExecutor, batches: Sequence[Verified], seeds: int) -> list[Future[list[Tried]]]:
    """Each batch has its part of the seeds, and each process its part of those."""
    turns = max(len(batches), PROCESSES)
    return [pool.submit(tried, batches[at % len(batches)], range(at, seeds, turns)) for at in range(turns)]


if __name__ == "__main__":
    main()
