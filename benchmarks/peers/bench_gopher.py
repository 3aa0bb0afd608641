"""Verify from end to end against the Gopher quality and repetition filters of datatrove, with as many workers."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench_verify import benchmarked_stack, ingested, verify_seconds
from common import CACHE, arguments
from real import real_corpus

PEERS = CACHE.parent / "peers" / "bin" / "python"
WORKERS = 2


def gopher_seconds(path: Path) -> tuple[float, float]:
    """What both filters take on the same texts: the filters alone, and the whole process."""
    script = Path(__file__).with_name("gopher.py")
    command = [str(PEERS), str(script), str(path), str(WORKERS)]
    start = time.perf_counter()
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(printed.split()[-1]), time.perf_counter() - start


def main() -> None:
    """Run pairs; print medians."""
    chosen = arguments("verify against datatrove's Gopher filters", samples=20_000)
    path, stack = real_corpus(chosen.samples), benchmarked_stack()
    print(f"stack: {', '.join(stack)}")
    filters, processes = [], []
    for _ in range(chosen.runs):
        (alone, whole), ours = gopher_seconds(path), verify_seconds(ingested(path, stack), WORKERS)
        filters.append(alone / ours)
        processes.append(whole / ours)
        print(f"  Gopher filters {alone:.1f} s, their whole process {whole:.1f} s; holdfast verify, whole {ours:.1f} s")
    print(
        f"verify of {chosen.samples:,} real samples, {WORKERS} workers: {statistics.median(processes):.1f} × the rate "
        f"of datatrove's Gopher quality and repetition filters, process against process (goal ≥ 3), and "
        f"{statistics.median(filters):.1f} × that of the filters with their start-up left out"
    )


if __name__ == "__main__":
    main()
