"""Verify real samples from end to end, against the least that any check of them must do."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

import orjson
from common import CACHE, HOLDFAST, arguments, run_watched
from real import real_corpus

from holdfast.db.models import Layer
from holdfast.verifiers import registry

LEFT_OUT = ("language",)
"""Identifying languages is a matter of the library that does it."""
ORACLES = ("math_answer",)


def benchmarked_stack() -> list[str]:
    """Every built-in verifier of the first two layers but those left out, and the number oracle."""
    found = []
    for name in registry.names():
        if registry.is_built_in(name) and name not in LEFT_OUT:
            layer = registry.load(name).layer
            if layer in (Layer.FORMAT, Layer.CONSISTENCY) or name in ORACLES:
                found.append(name)
    return found


def ingested(path: Path, stack: list[str]) -> Path:
    """A project that holds the samples, with the stack enabled; made anew for each run."""
    folder = CACHE / "verify"
    shutil.rmtree(folder, ignore_errors=True)
    who = ["--project", str(folder), "--user", "lead-1"]
    subprocess.run([*HOLDFAST, "init", str(folder), "--user", "lead-1"], check=True, stdout=subprocess.DEVNULL)
    ingest = ["ingest", str(path), "--batch", "real", "--map", "external_id=id", *who]
    subprocess.run([*HOLDFAST, *ingest], check=True, stdout=subprocess.DEVNULL)
    (folder / "holdfast.toml").write_text(f"[verifiers]\nenabled = {orjson.dumps(stack).decode()}\n")
    return folder


def least_seconds(path: Path) -> float:
    """Read the samples, split each into words, hash it, and store one row for it, with nothing but SQLite."""
    target = CACHE / "least.db"
    for leftover in CACHE.glob("least.db*"):
        leftover.unlink()
    start = time.perf_counter()
    connection = sqlite3.connect(target, isolation_level=None)
    connection.execute("CREATE TABLE verdicts (id INTEGER PRIMARY KEY, words INTEGER, digest BLOB) STRICT")
    connection.execute("BEGIN")
    with path.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            words = len(f"{row['prompt']} {row['response']}".split())
            connection.execute(
                "INSERT INTO verdicts (words, digest) VALUES (?, ?)", (words, hashlib.sha256(line).digest())
            )
    connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - start


def verify_seconds(folder: Path, workers: int) -> float:
    """The whole command, from starting Python to the last stored verdict."""
    command = ["verify", "--workers", str(workers), "--project", str(folder), "--user", "lead-1", "--json"]
    return run_watched([*HOLDFAST, *command]).seconds


def main() -> None:
    """Run pairs; print medians."""
    chosen = arguments("verify from end to end", samples=20_000)
    path, stack = real_corpus(chosen.samples), benchmarked_stack()
    print(f"stack: {', '.join(stack)}")
    rates, ratios = [], []
    for _ in range(chosen.runs):
        least = least_seconds(path)
        seconds = verify_seconds(ingested(path, stack), workers=2)
        rates.append(chosen.samples / seconds)
        ratios.append(seconds / least)
        print(f"  least work {least:.2f} s, holdfast verify {seconds:.2f} s")
    print(
        f"verify of {chosen.samples:,} real samples, {path.stat().st_size // chosen.samples} bytes each as JSON: "
        f"{statistics.median(rates):,.0f} samples/s (goal ≥ 4,000) with {len(stack)} verifiers and 2 workers, "
        f"{statistics.median(ratios):.1f} × the time of the least work"
    )


if __name__ == "__main__":
    main()
