"""How many numeric answers a second one core compares with their references; float() and math-verify beside it."""

from __future__ import annotations

import gzip
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from common import arguments

from holdfast.db.models import Message, Outcome, Provenance, Sample
from holdfast.verifiers import Context
from holdfast.verifiers.oracles.math_answer import math_answer

GSM8K = Path(__file__).parents[2] / "shared" / "data" / "gsm8k_solutions.jsonl.gz"
GOAL = 50_000
FEW = 500
"""How many answers math-verify compares: it is some hundred times slower."""

_NUMBER = re.compile(r"-?[\d,]*\.?\d+")


def main() -> None:
    """Compare answers in interleaved runs and print medians."""
    options = arguments(__doc__ or "", samples=20_000, runs=5)
    numbered = answers(options.samples)
    length = sum(len(one.messages[-1].content) for one in numbered) // len(numbered)
    print(f"{len(numbered)} answers of {length} characters")
    oracle, plainly = [], []
    for _ in range(options.runs):
        oracle.append(rate(by_oracle, numbered))
        plainly.append(rate(by_float, numbered))
    ours, plain = median(oracle), median(plainly)
    print(f"math_answer              {ours:9,.0f} answers/s  (goal {GOAL:,}: {'met' if ours >= GOAL else 'MISSED'})")
    print(f"float of the last number {plain:9,.0f} answers/s  (math_answer has {ours / plain:.2f} of its rate)")
    library = by_math_verify()
    if library is not None:
        slow = rate(library, numbered[:FEW])
        print(f"math-verify              {slow:9,.0f} answers/s  (math_answer has {ours / slow:,.0f} times its rate)")


def answers(number: int) -> list[Sample]:
    """Text answers with references: real ones where the data is at hand, else made ones of the same shape."""
    rows = _real() if GSM8K.is_file() else _made(2_000)
    return [_sample(*rows[place % len(rows)]) for place in range(number)]


def rate(judge: Callable[[Sample], bool], numbered: Sequence[Sample]) -> float:
    """Answers a second of processor time, on samples that were not read before."""
    fresh = [one.model_copy() for one in numbered]
    start = time.process_time()
    for one in fresh:
        judge(one)
    return len(fresh) / (time.process_time() - start)


def by_oracle(sample: Sample) -> bool:
    """The verifier as the stack calls it."""
    return math_answer.function(sample, _NOTHING).outcome is Outcome.PASS


def by_float(sample: Sample) -> bool:
    """The least that a check can do: the last number of each text, as a float."""
    return _last(sample.response) == _last(sample.reference or "")


def by_math_verify() -> Callable[[Sample], bool] | None:
    """The library on the same answers, without its timers; None where it is not installed."""
    try:
        from math_verify import parse, verify
    except ImportError:
        return None
    import logging

    logging.disable(logging.WARNING)

    def judge(sample: Sample) -> bool:
        gold, given = (parse(text, parsing_timeout=None) for text in (sample.reference or "", sample.response))
        return bool(verify(gold, given, timeout_seconds=None))

    return judge


_NOTHING = Context()


def _last(text: str) -> float | None:
    found = _NUMBER.findall(text)
    return float(found[-1].replace(",", "")) if found else None


def _real() -> list[tuple[str, str, str]]:
    with gzip.open(GSM8K, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [row for row in rows if not row["source"]["model"].startswith("codex")]
    return [(row["prompt"], row["response"], row["reference"]) for row in texts]


def _made(number: int) -> list[tuple[str, str, str]]:
    chance = random.Random(1)
    rows = []
    for _ in range(number):
        one, other = chance.randint(2, 900), chance.randint(2, 900)
        total = one + other + (chance.random() < 0.5)
        prompt = f"There are {one} shells on one beach and {other} on the next. How many are there on both of them?"
        response = f"On the first beach there are {one}, on the other {other}.\n{one} + {other} = {total}\nA: {total:,}"
        rows.append((prompt, response, f"{one} + {other} = {one + other}\nA: {one + other}"))
    return rows


def _sample(prompt: str, response: str, reference: str) -> Sample:
    messages = (Message(role="user", content=prompt), Message(role="assistant", content=response))
    return Sample(messages=messages, provenance=Provenance.SYNTHETIC, model="model-a", reference=reference)


if __name__ == "__main__":
    main()
