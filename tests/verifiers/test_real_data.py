"""How often the checks flag real data: a rate that rises says that a default has gone wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from holdfast.db.models import Outcome, Sample, SampleVerdicts
from holdfast.verifiers import registry
from holdfast.verifiers.stack import Part, Stack, thaw

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")

# Some systems of selfinstruct_models and pandalm_pairs do loop, leak further turns, or stop short; gsm8k_solutions and
# bigbench_mistake hold wrong sums and answers; in code_reflexion identical programs are common, in bigbench_mistake
# steps that differ in symbols alone.
CAPS: dict[str, dict[str, float]] = {
    "bigbench_mistake": {"arithmetic": 0.13, "near_duplicate": 0.5, "repetition": 0.03},
    "code_reflexion": {"empty_or_placeholder": 0.06, "length_outlier": 0.01, "near_duplicate": 0.45},
    "expertqa": {"length_outlier": 0.02, "refusal": 0.01, "unsupported_media": 0.06},
    "faithdial_audit": {"near_duplicate": 0.02, "truncation": 0.01},
    "gsm8k_solutions": {"answer_agreement": 0.4, "arithmetic": 0.03, "near_duplicate": 0.01},
    "ifeval_gpt4": {"empty_or_placeholder": 0.04},
    "l2r_domains": {"encoding_damage": 0.01},
    "llmbar_pairs": {
        "arithmetic": 0.03, "empty_or_placeholder": 0.02, "near_duplicate": 0.09, "refusal": 0.02,
        "token_outlier": 0.01, "truncation": 0.015,
    },
    "mlqe_pe": {},
    "mmlu_redux": {},
    "pandalm_pairs": {
        "answer_agreement": 0.015, "empty_or_placeholder": 0.1, "near_duplicate": 0.08, "repetition": 0.06,
        "truncation": 0.015,
    },
    "selfinstruct_models": {
        "answer_agreement": 0.02, "empty_or_placeholder": 0.04, "leaked_markup": 0.065, "near_duplicate": 0.16,
        "repetition": 0.15, "token_outlier": 0.025, "truncation": 0.055, "unsupported_media": 0.02,
    },
    "toolcall_json": {"length_outlier": 0.03, "near_duplicate": 0.01},
}  # fmt: skip
JAILED = {"code_runs", "doctests", "program_answer"}
"""What these find is measured where their jail is tested."""
DEFAULT_CAP = 0.005


def samples(name: str) -> list[Sample]:
    """A data set as an ingest would map it; its labels stay out."""
    made = []
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            extra = row.get("extra", {})
            turns = [{"role": "user", "content": row["prompt"]}] if row["prompt"] else []
            fields = {
                "messages": [*turns, {"role": "assistant", "content": row["response"]}],
                "provenance": row["source"]["kind"],
                "model": row["source"]["model"],
                "generation": row["source"]["generation"],
                "domain": extra.get("domain"),
                "task": extra.get("lang") or extra.get("task"),
            }
            made.append(Sample.model_validate(fields))
    return made


@pytest.mark.parametrize("name", CAPS)
def test_few_real_samples_are_flagged(name: str) -> None:
    corpus = samples(name)
    stack = Stack([Part(each) for each in registry.names() if registry.is_built_in(each) and each not in JAILED])
    context = thaw({one.name: stack.freeze(one.name, corpus) for one in stack.members if one.verifier.fits})
    runs = [stack.run(sample, context) for sample in corpus]
    assert not any(run.outcome is Outcome.ERROR for run in runs)
    for position, spec in enumerate(stack.specs()):
        rate = sum(_flagged(run, position) for run in runs) / len(runs)
        assert rate <= CAPS[name].get(spec.name, DEFAULT_CAP), spec.name
    for sample, run in zip(corpus, runs, strict=True):
        for verdict in run.verdicts:
            for finding in verdict.findings if verdict is not None else ():
                text = sample.prompt if finding.of == "prompt" else sample.response
                assert finding.span is None or text[slice(*finding.span)]


def _flagged(run: SampleVerdicts, position: int) -> bool:
    verdict = run.verdicts[position]
    return verdict is not None and verdict.outcome in (Outcome.FLAG, Outcome.FAIL)
