"""Verify from end to end against the Gopher quality and repetition filters of datatrove, with as many workers."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench_verify import benchmarked_stack, ingested, verify_seconds
from common import CACHE, arguments
from real import real_corpus

PEERS = CACHE.parent / "peers" / "bin" / "python"
WORKERS = 2


def gopher_seconds(path: Path) -> float:
    """What both filters take on the same texts, start-up left out."""
    script = Path(__file__).with_name("gopher.py")
    command = [str(PEERS), str(script), str(path), str(WORKERS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def main() -> None:
    """Run pairs; print medians."""
    chosen = arguments("verify against datatrove's Gopher filters", samples=20_000)
    path, stack = real_corpus(chosen.samples), benchmarked_stack()
    print(f"stack: {', '.join(stack)}")
    ratios = []
    for _ in range(chosen.runs):
        peer, ours = gopher_seconds(path), verify_seconds(ingested(path, stack), WORKERS)
        ratios.append(peer / ours)
        print(f"  Gopher quality and repetition {peer:.1f} s without start-up, holdfast verify {ours:.1f} s with it")
    print(
        f"verify of {chosen.samples:,} real samples, {WORKERS} workers: {statistics.median(ratios):.1f} × the rate of "
        f"datatrove's Gopher quality and repetition filters (goal ≥ 3)"
    )


if __name__ == "__main__":
    main()
