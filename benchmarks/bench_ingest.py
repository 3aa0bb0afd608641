"""Ingest against raw SQLite: the same rows, parsed beforehand, by executemany, three indexes and an FTS5 rebuild."""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

import orjson
from common import CACHE, HOLDFAST, Ran, arguments, corpus, run_watched


def raw_seconds(path: Path) -> float:
    """Load rows that are parsed already with nothing but SQLite, under the pragmas of the store."""
    with path.open("rb") as lines:
        records = [orjson.loads(line) for line in lines]
    rows = [(number, *record.values()) for number, record in enumerate(records, start=1)]
    del records
    target = CACHE / "raw.db"
    for leftover in CACHE.glob("raw.db*"):
        leftover.unlink()
    start = time.perf_counter()
    connection = sqlite3.connect(target, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(
        """CREATE TABLE samples (id INTEGER PRIMARY KEY, external_id TEXT, prompt TEXT, response TEXT, model TEXT,
        group_key TEXT) STRICT"""
    )
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    for column in ("external_id", "model", "group_key"):
        connection.execute(f"CREATE INDEX samples_{column} ON samples ({column})")
    connection.execute(
        """CREATE VIRTUAL TABLE search USING fts5(prompt, response, content='samples', content_rowid='id',
        tokenize='unicode61 remove_diacritics 2')"""
    )
    connection.execute("INSERT INTO search (search) VALUES ('rebuild')")
    connection.close()
    return time.perf_counter() - start


def ingest(path: Path) -> Ran:
    """The whole command, from starting Python to the searchable store."""
    folder = CACHE / "ingest"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([*HOLDFAST, "init", str(folder), "--user", "lead-1"], check=True, stdout=subprocess.DEVNULL)
    command = ["ingest", str(path), "--project", str(folder), "--user", "lead-1", "--batch", "big", "--json"]
    options = ["--provenance", "synthetic", "--map", "external_id=id"]
    return run_watched([*HOLDFAST, *command, *options])


def main() -> None:
    """Run pairs; print medians."""
    chosen = arguments("ingest against raw SQLite")
    path = corpus(chosen.samples)
    ratios, peaks = [], []
    for _ in range(chosen.runs):
        raw, ran = raw_seconds(path), ingest(path)
        ratios.append(raw / ran.seconds)
        peaks.append(ran.peak_mib)
        print(f"  raw {raw:.1f} s, holdfast ingest {ran.seconds:.1f} s, peak memory {ran.peak_mib:.0f} MiB")
    print(
        f"ingest of {chosen.samples} samples: {statistics.median(ratios):.2f} × the rate of raw SQLite (goal ≥ 0.5), "
        f"peak memory {statistics.median(peaks):.0f} MiB (goal ≤ 300 MB = 286 MiB)"
    )


if __name__ == "__main__":
    main()
