"""Judge calls from end to end against a model that takes 200 ms, on the loopback interface, beside the ideal rate."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from common import arguments

from holdfast.db.store import Store
from holdfast.reviewer.pipeline.judge_panel import run_judges
from holdfast.reviewer.project import Project

SUPPORT = Path(__file__).parents[1] / "tests" / "support"
SECONDS, CONCURRENCY = 0.2, 16
GOAL = 0.8

SERVER = """
import sys, time
from model_server import ModelServer

def answer(call):
    time.sleep(float(sys.argv[1]))
    call.judges(7)

with ModelServer(answer) as server:
    print(server.base, flush=True)
    sys.stdin.read()
"""


def project(root: Path, samples: int) -> Project:
    """A project with so many flagged samples, a judge and a budget."""
    from filling import ingest, judge, make_sample

    from holdfast.db.models import Outcome

    Project.init(root, shared=False, user="lead-1")
    price = '{ "openai/stub" = { input = 1, output = 2 } }'
    (root / "holdfast.toml").write_text(
        f'[judges]\nmodels = ["openai/stub"]\nprices = {price}\nbudget_usd = 1000\nconcurrency = {CONCURRENCY}\n'
    )
    with Store.open(root / "holdfast.db") as store:
        ingest(store, [make_sample(number) for number in range(samples)])
        judge(store, dict.fromkeys(range(1, samples + 1), Outcome.FLAG))
    return Project(root)


def rate(samples: int) -> float:
    """Calls a second, each with its reservation, answer and vote in the store."""
    with tempfile.TemporaryDirectory() as folder:
        made = project(Path(folder), samples)
        with made.store() as store:
            report = run_judges(made, store, actor="lead-1")
    assert report.votes == samples
    return samples / report.seconds


def main() -> None:
    """Run; print the rate and its ratio to what so many calls at a time can reach at best."""
    sys.path.append(str(SUPPORT))
    chosen = arguments("judge calls", samples=1_600)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(SECONDS)],
        env={**os.environ, "PYTHONPATH": str(SUPPORT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    os.environ.update(OPENAI_API_BASE=server.stdout.readline().strip(), OPENAI_API_KEY="none")
    try:
        rates = [rate(chosen.samples) for _ in range(chosen.runs)]
    finally:
        server.communicate()
    ideal = CONCURRENCY / SECONDS
    median = statistics.median(rates)
    print(
        f"{chosen.samples} judge calls of {SECONDS * 1000:.0f} ms, {CONCURRENCY} at a time: {median:.1f} calls/s, "
        f"ratio to the ideal {ideal:.0f}: {median / ideal:.2f} (goal ≥ {GOAL})"
    )


if __name__ == "__main__":
    main()
