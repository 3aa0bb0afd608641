"""What decisions teach: planted signals are found and named, noise changes no order, and the log alone decides."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from rankables import made, seen

from holdfast.db.ranking import Rankable
from holdfast.reviewer.policy.estimator import Estimator
from holdfast.reviewer.policy.learning import Decided, learned_state, rule_state

WORDS = [
    "hens",
    "eggs",
    "boxes",
    "farm",
    "sold",
    "kept",
    "market",
    "price",
    "dozen",
    "morning",
    "week",
    "total",
    "gives",
]


def corpus(count: int, *, seed: int = 1, plant: Callable[[int, random.Random], dict[str, Any]] = lambda *_: {}) -> Any:
    """Samples of random words with a score that says something; `plant` may set fields of them."""
    chance = random.Random(seed)
    samples = []
    for number in range(count):
        planted = plant(number, chance)
        text = " ".join(chance.choices(WORDS, k=12))
        value = round(chance.random() ** 3, 4)
        verdicts = [seen("answer_agreement", layer="agreement", letter="p", value=value, limit=0.7)]
        verdicts += planted.pop("verdicts", ())
        fields = {"prompt": f"{text} {number}?", "response": f"{text} {number} {planted.pop('says', '')}", **planted}
        samples.append(made(*verdicts, uid=f"{chance.getrandbits(256):064x}", **fields))
    return samples


def decided(samples: list[Rankable], bad: Callable[[Rankable], float], seed: int = 2) -> list[Decided]:
    chance = random.Random(seed)
    return [Decided(one, chance.random() < bad(one), 1.0, seq) for seq, one in enumerate(samples)]


def value_of(one: Rankable) -> float:
    return next(said.value or 0.0 for said in one.verdicts if said.check.name == "answer_agreement")


def by_score(one: Rankable) -> float:
    return 0.05 + 0.8 * value_of(one)


def taught(samples: list[Rankable], known: list[Decided]) -> tuple[Estimator, dict[str, Any], dict[str, Any]]:
    rule = rule_state(samples)
    learned, report = learned_state(rule, known)
    return Estimator({"rule": rule, "learned": orjson.loads(orjson.dumps(learned))}), learned, report


@pytest.mark.parametrize(("count", "bad"), [(49, 20), (200, 9), (200, 191)])
def test_few_decisions_teach_nothing(count: int, bad: int) -> None:
    samples = corpus(count)
    known = [Decided(one, place < bad, 1.0, place) for place, one in enumerate(samples)]
    learned, report = learned_state(rule_state(samples), known)
    assert learned == {}
    assert (report["decisions"], report["bad"], report["learned"], report["held_out"]) == (count, bad, False, None)


def a_word(number: int, _: random.Random) -> dict[str, Any]:
    return {"says": "presumably" if number % 4 == 0 else ""}


def a_source(number: int, _: random.Random) -> dict[str, Any]:
    return {"source": f"source-{number % 4}"}


def a_check(number: int, _: random.Random) -> dict[str, Any]:
    return {"verdicts": [seen("grumbler", findings=(("dislikes-it", "warn"),))] if number % 2 else []}


def a_number(_: int, chance: random.Random) -> dict[str, Any]:
    return {"measures": (("logprob", round(chance.gauss(-1, 0.5), 4)),)}


PLANTED: dict[str, tuple[Any, Callable[[Rankable], float], str]] = {
    "a word": (a_word, lambda one: 0.7 if "presumably" in one.response else 0.06, "words of the text"),
    "a source": (a_source, lambda one: 0.7 if one.source == "source-3" else 0.06, "past decisions on its source"),
    "a verifier that is always wrong": (
        a_check,
        lambda one: 0.06 if len(one.verdicts) > 1 else 0.6,
        "grumbler: dislikes-it",
    ),
    "a number of the metadata": (a_number, lambda one: 0.7 if one.measures[0][1] < -1.2 else 0.06, "metadata logprob"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_signal_is_learned_and_named(what: str) -> None:
    plant, bad, term = PLANTED[what]
    samples = corpus(700, plant=plant)
    estimator, _, report = taught(samples, decided(samples[:500], bad))
    assert report["blend"] > 0
    worse = [one for one in samples[500:] if bad(one) > 0.5]
    better = [one for one in samples[500:] if bad(one) < 0.5]
    mean = [sum(estimator.estimate(one).p_bad for one in part) / len(part) for part in (worse, better)]
    assert mean[0] > 2 * mean[1]
    named = [dict(estimator.estimate(one).contributions).get(term, 0.0) for one in samples[500:]]
    assert max(map(abs, named)) > 0.3
    held_out = report["held_out"]
    assert held_out["n"] == 100
    assert held_out["auc"] > held_out["rule_auc"]
    assert held_out["brier"] < held_out["rule_brier"]
    assert held_out["log_loss"] < held_out["rule_log_loss"]
    assert sum(one["n"] for one in held_out["reliability"]) == 100


def test_shuffled_decisions_keep_the_order() -> None:
    samples = corpus(400, plant=a_source)
    known = decided(samples, by_score)
    rule = rule_state(samples)
    cold = Estimator({"rule": rule})
    order = sorted(samples, key=cold.score)
    for seed in range(3):
        verdicts = random.Random(seed).sample([one.bad for one in known], len(known))
        mixed = [Decided(one.rankable, bad, 1.0, one.seq) for one, bad in zip(known, verdicts, strict=True)]
        learned, report = learned_state(rule, mixed)
        assert report["blend"] == 0
        assert sorted(samples, key=Estimator({"rule": rule, "learned": learned}).score) == order


def test_probabilities_are_calibrated_even_where_the_order_stays() -> None:
    samples = corpus(1_500)
    estimator, _, report = taught(samples, decided(samples[:900], by_score))
    assert report["learned"]
    rest = samples[900:]
    expected = sum(map(by_score, rest)) / len(rest)
    assert sum(estimator.estimate(one).p_bad for one in rest) / len(rest) == pytest.approx(expected, abs=0.05)


def test_rare_looks_weigh_as_much_as_they_stand_for() -> None:
    samples = corpus(800)
    flagged = [one for one in samples if value_of(one) > 0.5]
    drawn = [one for one in samples if value_of(one) <= 0.5][::5]
    known = [
        Decided(one.rankable, one.bad, 5.0 if value_of(one.rankable) <= 0.5 else 1.0, one.seq)
        for one in decided(flagged + drawn, by_score)
    ]
    estimator, _, _ = taught(samples, known)
    expected = sum(map(by_score, samples)) / len(samples)
    assert sum(estimator.estimate(one).p_bad for one in samples) / len(samples) == pytest.approx(expected, abs=0.05)


def test_the_same_decisions_give_the_same_state_in_whatever_order_they_are_read() -> None:
    samples = corpus(300, plant=a_word)
    known = decided(samples, PLANTED["a word"][1])
    rule = rule_state(samples)
    first = learned_state(rule, known)
    again = learned_state(rule, random.Random(3).sample(known, len(known)))
    assert orjson.dumps(first) == orjson.dumps(again)


SCRIPT = """
import hashlib, sys
sys.path[:0] = {paths!r}
import orjson
from test_learning import PLANTED, corpus, decided, taught
plant, bad, _ = PLANTED["a word"]
samples = corpus(300, plant=plant)
estimator, learned, report = taught(samples, decided(samples[:250], bad))
found = [[one.p_bad, one.contributions] for one in estimator.estimate_many(samples)]
print(hashlib.sha256(orjson.dumps([learned, report, found])).hexdigest())
"""


def test_the_same_in_every_process() -> None:
    here = os.path.dirname(__file__)
    script = SCRIPT.format(paths=[here, os.path.join(here, "..", "support")])
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_an_estimators_score_is_the_blend_that_was_tried_out() -> None:
    from holdfast.reviewer.policy.design import design_of
    from holdfast.reviewer.policy.fitting import fit, parts
    from holdfast.reviewer.policy.rule import BASE, Rule

    np = pytest.importorskip("numpy")
    samples = corpus(200, plant=a_number)
    known = decided(samples, PLANTED["a number of the metadata"][1])
    rule = rule_state(samples)
    design = design_of(samples, Rule(rule))
    bad, rows = np.array([float(one.bad) for one in known]), np.arange(len(known))
    fitted = fit(design, rows, bad, np.ones(len(known)))
    for blend in (0.25, 1.0):
        estimator = Estimator({"rule": rule, "learned": parts(design, fitted, blend)})
        wanted = (1 - blend) * (design.rule + BASE) + blend * fitted.scores(design, rows)
        assert [estimator.score(one) for one in samples] == pytest.approx(wanted.tolist(), abs=2e-3)
