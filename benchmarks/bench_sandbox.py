"""Sandbox: a jailed run beside a plain interpreter, per jail; --agreement adds whole data sets against their labels."""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from holdfast.db.models import Message, Outcome, Provenance, Sample, Verdict
from holdfast.verifiers import Context, sandbox
from holdfast.verifiers.jail import walls
from holdfast.verifiers.oracles.code_runs import code_runs
from holdfast.verifiers.oracles.program_answer import program_answer

DATA = Path(__file__).parents[2] / "shared" / "data"
PROGRAMS = {"an assignment": "ans = 1", "a mean by numpy": "import numpy as np\nans = float(np.mean([1, 2]))"}


def plainly(source: str) -> float:
    """Wall seconds of a program in an interpreter without walls."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", source], check=True)
    return time.perf_counter() - start


def jailed(jail: walls.Jail, source: str) -> float:
    """Wall seconds of the same program in a jail."""
    with patch.object(sandbox, "_jail", lambda: jail):
        start = time.perf_counter()
        ran = sandbox.run_python(source, value="ans", packages=("numpy",))
        taken = time.perf_counter() - start
    if ran.status is not sandbox.Status.OK:
        raise SystemExit(f"{jail.name}: {ran.message}")
    return taken


def starts(runs: int) -> None:
    """Medians of jailed and plain runs, taken by turns."""
    jails = {jail.name: jail for jail in reversed(walls.candidates()) if sandbox.holds(jail)}
    if not jails:
        raise SystemExit(walls.remedy())
    for label, source in PROGRAMS.items():
        plain: list[float] = []
        taken: dict[str, list[float]] = {name: [] for name in jails}
        for _ in range(runs):
            plain.append(plainly(source))
            for name, jail in jails.items():
                taken[name].append(jailed(jail, source))
        for name, times in taken.items():
            middle = median(times)
            print(f"{label} in {name}: {middle * 1000:.0f} ms, {middle / median(plain):.1f} × a plain interpreter")


def records(name: str) -> Iterator[dict[str, Any]]:
    """The records of a data set."""
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def agreement(name: str, rows: list[tuple[Sample, bool, str]], judge: Callable[[Sample], Verdict]) -> None:
    """How often a verifier's pass is a published pass, and each record where it is not."""
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(judge, [sample for sample, _, _ in rows]))
    taken = time.perf_counter() - start
    differ = [
        (place, verdict)
        for (_, right, place), verdict in zip(rows, verdicts, strict=True)
        if (verdict.outcome is Outcome.PASS) != right
    ]
    abstained = sum(verdict.outcome is Outcome.ABSTAIN for verdict in verdicts)
    share = 1 - len(differ) / len(rows)
    print(
        f"{name}: {len(rows)} records, agreement {share:.4f}, {abstained} abstained, {len(rows) / taken:.0f} a second"
    )
    for place, verdict in differ:
        print(f"  {place}: {verdict.outcome}: {'; '.join(finding.message for finding in verdict.findings)}")


def sample(row: dict[str, Any], **fields: Any) -> Sample:
    """A record as a sample; its labels stay out."""
    messages = (Message(role="user", content=row["prompt"]), Message(role="assistant", content=row["response"]))
    return Sample(messages=messages, provenance=Provenance.SYNTHETIC, **fields)


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description="sandbox")
    parser.add_argument("--runs", type=int, default=20, help="how many runs of each kind")
    parser.add_argument("--agreement", action="store_true", help="also run the data sets whole (two minutes)")
    chosen = parser.parse_args()
    starts(chosen.runs)
    if not chosen.agreement:
        return
    programs = [row for row in records("gsm8k_solutions") if row["source"]["model"].startswith("codex")]
    rows = [(sample(row, reference=row["reference"]), row["labels"]["correct"], row["id"]) for row in programs]
    agreement("program_answer on gsm8k_solutions", rows, lambda one: program_answer.function(one, Context()))
    rows = []
    for row in records("code_reflexion"):
        metadata = json.dumps({key: row["extra"][key] for key in ("tests", "entry_point")})
        rows.append((sample(row, metadata_json=metadata), row["labels"]["passed"], row["id"]))
    agreement("code_runs on code_reflexion", rows, lambda one: code_runs.function(one, Context()))


if __name__ == "__main__":
    main()
