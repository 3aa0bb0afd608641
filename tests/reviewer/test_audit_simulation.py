"""The audit of a real project, worked off by a simulated reviewer who knows the truth: what it says of each source."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from filling import ingest, make_sample

from holdfast.db import decisions
from holdfast.db.decisions import Submission
from holdfast.db.models import Choice, Message, Sample
from holdfast.db.samples import each
from holdfast.db.store import Store
from holdfast.reviewer import trust
from holdfast.reviewer.cli import main
from holdfast.reviewer.pipeline.verify import verify
from holdfast.reviewer.project import Project

CHECKS = """
from holdfast.verifiers import Context, Sample, Threshold, Verdict, above, verifier

@verifier(layer="format", version="1")
def doubt(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.5)) -> Verdict:
    return Verdict.score(float(sample.response.split()[-1]))
"""
SETTINGS = """
[review]
audit_share = 0.1
audit_min_per_source = 10
[verifiers]
enabled = []
files = ["checks.py:doubt"]
"""
SOURCES, SAMPLES = 24, 200


def answers(source: int, chance: random.Random) -> Iterator[tuple[Sample, bool]]:
    """A source's samples, a fifth of them flagged, and whether each is good: .4 of the flagged, .95 of the others."""
    for number in range(SAMPLES):
        flagged = number < SAMPLES // 5
        doubt = 0.5 + chance.random() / 2 if flagged else chance.random() / 2
        good = chance.random() < (0.4 + 1.2 * (0.75 - doubt) if flagged else 0.95)
        messages = (
            Message(role="user", content=f"question {source} {number}"),
            Message(role="assistant", content=f"answer {source} {number} {doubt:.6f}"),
        )
        yield make_sample(0, messages=messages, model=f"model-{source:02}"), good


def work_off(store: Store, truth: dict[str, bool]) -> None:
    """Everything that the audit drew, and of the other flagged ones the more doubtful half of each source."""
    doubtful: dict[str, list[tuple[float, int, bool]]] = {}
    chosen = []
    for one in each(store):
        good, doubt = truth[one.sample.response], float(one.sample.response.split()[-1])
        if one.audit:
            chosen.append((one.id, good))
        elif doubt > 0.5:
            doubtful.setdefault(str(one.sample.model), []).append((-doubt, one.id, good))
    for found in doubtful.values():
        chosen += [(sample_id, good) for _, sample_id, good in sorted(found)[: len(found) // 2]]
    for sample_id, good in chosen:
        decisions.decide(store, Submission(sample_id, "annotator-1", Choice.ACCEPT if good else Choice.REJECT))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    """The project's folder, and the share of good samples by model."""
    root = tmp_path_factory.mktemp("simulated") / "project"
    project = Project.init(root, shared=False, user="lead-1")
    (root / "checks.py").write_text(CHECKS)
    (root / "holdfast.toml").write_text(SETTINGS)
    trust.trust(root / "checks.py")
    chance = random.Random(6)
    made = [found for source in range(SOURCES) for found in answers(source, chance)]
    with project.store() as store:
        ingest(store, [sample for sample, _ in made])
        verify(Project(root), store, actor="lead-1")
        work_off(store, {sample.response: good for sample, good in made})
    rates: dict[str, float] = {}
    for sample, good in made:
        rates[str(sample.model)] = rates.get(str(sample.model), 0.0) + good / SAMPLES
    return root, rates


def read(root: Path, by: str) -> dict[str, Any]:
    """What `holdfast audit --json` prints."""
    result = CliRunner().invoke(main, ["audit", "--by", by, "--json", "--project", str(root), "--user", "lead-1"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_over_many_sources_the_estimates_are_where_the_truth_is_and_raw_rates_are_not(
    project: tuple[Path, dict[str, float]],
) -> None:
    root, truth = project
    rows = read(root, "model")["rows"]
    assert [row["key"] for row in rows] == sorted(truth)
    errors = np.array([row["strict_rate"] - truth[row["key"]] for row in rows])
    assert abs(errors.mean()) <= 2 * errors.std() / SOURCES**0.5
    held = sum(row["low"] - 1e-6 <= truth[row["key"]] <= row["high"] + 1e-6 for row in rows)
    assert held >= SOURCES - 3


def test_the_share_of_accepted_decisions_is_far_off(project: tuple[Path, dict[str, float]]) -> None:
    root, truth = project
    with Project(root).store() as store:
        rows = store.read().execute(
            "SELECT s.model, avg(d.verdict = 'accept') FROM decisions d JOIN samples s ON s.id = d.sample_id GROUP BY 1"
        )
        raw = [rate - truth[model] for model, rate in rows]
    assert len(raw) == SOURCES
    assert np.mean(raw) < -0.1
    overall = read(root, "source")["overall"]
    true_rate = float(np.mean(list(truth.values())))
    assert overall["low"] <= true_rate <= overall["high"]
    assert abs(overall["strict_rate"] - true_rate) < 0.03
