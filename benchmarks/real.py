"""Real samples for benchmarks: the longest of the shared data sets up to a size, as one JSONL file."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
from common import CACHE

DATA = Path(__file__).parents[2] / "shared" / "data"
LONGEST = 1_500
"""Bytes of prompt and response; with this limit 20,000 samples are of some 590 bytes on average."""


def real_corpus(samples: int) -> Path:
    """A JSONL file of real samples, made once; the true labels are left out. SystemExit where the data are absent."""
    path = CACHE / f"real-{samples}.jsonl"
    if path.exists():
        return path
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is not there: this benchmark needs the shared data sets")
    every = (row for file in sorted(DATA.glob("*.jsonl.gz")) for row in _rows(file))
    rows = list({(row["prompt"], row["response"]): row for row in every}.values())
    longest = sorted((row for row in rows if _size(row) <= LONGEST), key=_size, reverse=True)[:samples]
    if len(longest) < samples:
        raise SystemExit(f"the shared data hold {len(longest):,} samples of at most {LONGEST:,} bytes")
    chosen = {row["id"] for row in longest}
    CACHE.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows if row["id"] in chosen))
    return path


def _rows(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rb") as lines:
        records = [orjson.loads(line) for line in lines]
    return [
        {
            "id": record["id"], "prompt": record["prompt"], "response": record["response"],
            "reference": record.get("reference"), "provenance": record["source"]["kind"],
            "model": record["source"]["model"], "task": record["dataset"], "domain": record["extra"].get("domain"),
            "group": record["extra"]["group"],
        }
        for record in records
    ]  # fmt: skip


def _size(row: dict[str, Any]) -> int:
    return len((row["prompt"] + row["response"]).encode())
