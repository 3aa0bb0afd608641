"""Replay a reviewer who knows the truth: how early the bad samples come, cold and as decisions accumulate.

Sets of `../shared/data` go through the product: ingest without their truth, votes, verify. Cross-validated by prompt:
decisions on four folds of the prompts, the fifth ranked by what was learned from them; the ranks of all folds pooled.
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
Running = tuple[Spec, list[Verified], list[Future[Measured]], list[Future[list[Tried]]]]


def main() -> None:
    """Verify set after set in this process while others replay; print each set when it is through."""
    chosen = _arguments()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is not there: this benchmark needs the shared data sets")
    started = time.perf_counter()
    wanted = [spec for spec in specs() if chosen.set in spec.name]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        running = [_started(pool, spec, chosen.seeds, chosen.never_hurts) for spec in wanted]
        for line in _printed(running):
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


def _started(pool: ProcessPoolExecutor, spec: Spec, seeds: int, never_hurts: int) -> Running:
    batches = [verified(spec.make(seed)) for seed in range(seeds if spec.seeded else 1)]
    tables = [pool.submit(measured, batch) for batch in batches]
    # Each batch has its part of the seeds.
    parts = [range(at, never_hurts, len(batches)) for at in range(len(batches))]
    trials = [pool.submit(tried, batch, part) for batch, part in zip(batches, parts, strict=True)]
    return spec, batches, tables, trials


def _printed(running: Sequence[Running]) -> Iterator[str]:
    for spec, batches, tables, _ in running:
        yield from table(spec.name, batches, [one.result() for one in tables])
    yield from experiments_table(
        [(spec.name, [found for one in trials for found in one.result()]) for spec, _, _, trials in running]
    )


if __name__ == "__main__":
    main()
