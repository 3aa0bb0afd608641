"""What the benchmarks share: a corpus, big stores, paired runs and their medians."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson

from holdfast.db import ingests, samples, verdicts
from holdfast.db.models import Layer, Message, Provenance, Sample, SampleVerdicts, Status, Stream, Verdict, VerifierSpec
from holdfast.db.packing import Recorded
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store

HOLDFAST = [str(Path(sys.executable).with_name("holdfast"))]
CACHE = Path(__file__).parents[1] / "build" / "bench"
"""Where corpora and stores are kept between runs; `make clean` removes it."""

_CHUNK = 5_000


@dataclass(frozen=True)
class Ran:
    """One timed process: wall seconds and the peak of its and its children's resident memory."""

    seconds: float
    peak_mib: float


def arguments(description: str, *, samples: int = 1_000_000, runs: int = 3) -> argparse.Namespace:
    """The options every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--samples", type=int, default=samples, help="how many samples the store holds")
    parser.add_argument("--runs", type=int, default=runs, help="how many pairs are run")
    return parser.parse_args()


def corpus(samples: int) -> Path:
    """A JSONL file of samples of about 600 bytes with a vocabulary of natural skew, made once."""
    path = CACHE / f"corpus-{samples}.jsonl"
    if path.exists():
        return path
    CACHE.mkdir(parents=True, exist_ok=True)
    chance = random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlucm", k=chance.randint(2, 10))) for _ in range(20_000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    pool = chance.choices(words, weights, k=2_000_000)
    with path.with_suffix(".part").open("wb") as out:
        for number in range(samples):
            start = chance.randrange(len(pool) - 100)
            text = f"{number} " + " ".join(pool[start : start + 70])
            record = {
                "id": f"row-{number:08}", "prompt": text[:120] + "?", "response": text[120:],
                "model": f"model-{number % 6}", "group": f"group-{number // 6}",
            }  # fmt: skip
            out.write(orjson.dumps(record) + b"\n")
    path.with_suffix(".part").rename(path)
    return path


def flagged_project(samples: int) -> Path:
    """A project whose store holds samples that all wait in the queue, made once; callers copy it before they write."""
    folder = CACHE / f"project-{samples}"
    if folder.exists():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    subprocess.run([*HOLDFAST, "init", str(part), "--user", "lead-1"], check=True, stdout=subprocess.DEVNULL)
    with Store.open(part / "holdfast.db") as store:
        ingest = ingests.Ingest.begin(store, batch="big", signature="bench", actor="lead-1")
        rows: list[ingests.Row] = []
        with corpus(samples).open("rb") as lines:
            for line in lines:
                rows.append(_row(orjson.loads(line)))
                if len(rows) == _CHUNK:
                    ingest.add(rows)
                    rows = []
        ingest.add(rows)
        ingest.close()
        _flag_all(store)
        store.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    part.rename(folder)
    return folder


def scratch_copy(folder: Path) -> Path:
    """A copy of a cached project to write to."""
    copy = folder.with_name(f"{folder.name}.scratch")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    return copy


def run_watched(command: Sequence[str]) -> Ran:
    """Run a command to its end, watching the resident memory of it and its children."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, sum(_resident_mib(pid) for pid in _family(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {status}")
    return Ran(seconds, peak)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def median_of(runs: int, measure: Callable[[], float]) -> float:
    """The median of several measurements."""
    return statistics.median(measure() for _ in range(runs))


def _row(record: dict[str, str]) -> ingests.Row:
    messages = (Message(role="user", content=record["prompt"]), Message(role="assistant", content=record["response"]))
    sample = Sample(messages=messages, provenance=Provenance.SYNTHETIC, model=record["model"], group=record["group"])
    return ingests.prepare(sample, batch="big", external_id=record["id"])


def _flag_all(store: Store) -> None:
    specs = (VerifierSpec("bench", "1", Layer.FORMAT),)
    flags = (Verdict.flag("bench", "flagged so that it waits", span=(0, 4)),)
    run = verdicts.begin_run(store, specs=specs, actor="lead-1")
    pending = samples.each(store, status=Status.PENDING)
    while chunk := list(islice(pending, _CHUNK)):
        rows = [
            Recorded.of(stored.id, SampleVerdicts(stored.uid, flags), False, _entry(stored.uid)) for stored in chunk
        ]
        verdicts.record(store, run, rows)
    verdicts.complete_run(store, run, actor="lead-1")


def _entry(uid: str) -> QueueEntry:
    priority = int(uid[:8], 16) / 2**32
    return QueueEntry(Stream.FLAGGED, priority, 0.3, (("verdicts", priority),), ("bench",))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in _family(int(child)))]


def _resident_mib(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
