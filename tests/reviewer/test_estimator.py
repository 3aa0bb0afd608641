"""The estimate that a sample is bad: what it adds up to, what it says, and what hostile text cannot do to it."""

from __future__ import annotations

import random
from math import exp
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rankables import made, seen

from holdfast.reviewer.policy.estimator import Estimator
from holdfast.reviewer.policy.features import words_of
from holdfast.reviewer.policy.rule import Rule, rule_state

AGREEMENT: dict[str, Any] = {"name": "answer_agreement", "layer": "agreement", "limit": 0.7}
LEARNED = {
    "curve": [[0.0, -0.5], [1.0, 0.9]],
    "rule": 0.8,
    "base": 0.1,
    "numbers": {"answer_agreement|score": [0.5, 0.7], "length|prompt": [3.0, 0.2]},
    "kinds": {"arithmetic|wrong-sum": 1.5, "past decisions on its domain|maths": -0.4},
    "prompt": {"eggs": 2.0},
    "response": {"eighteen": 3.0, "the": 0.1},
}


def test_without_a_state_findings_and_scores_speak() -> None:
    plain = Estimator({}).estimate(made())
    assert plain.p_bad == pytest.approx(0.1)
    assert plain.contributions[0][0] == "any sample"
    blocked = made(seen("arithmetic", findings=(("wrong-sum", "block"),)))
    flagged = made(seen("arithmetic", findings=(("wrong-sum", "warn"),)))
    noted = made(seen("arithmetic", letter="p", findings=(("ran", "info"),)))
    ranked = [Estimator({}).estimate(one).p_bad for one in (blocked, flagged, noted)]
    assert ranked == sorted(ranked, reverse=True)
    assert Estimator({}).estimate(blocked).contributions[1][0] == "arithmetic: wrong-sum"


def test_a_score_counts_by_degrees_below_its_limit_too() -> None:
    values = [0, 0.2, 0.4, 0.6, 0.69, 0.71, 0.9, 1]
    p = [Estimator({}).estimate(made(seen(**AGREEMENT, value=value))).p_bad for value in values]
    assert p == sorted(p)
    assert len(set(p)) == len(p)
    assert p[0] < 0.1 < p[-1]


@pytest.mark.parametrize(("side", "limit"), [("above", 3.5), ("below", 0.2), ("above", 0.0), ("below", -1.0)])
def test_a_score_beyond_its_limit_is_worse_on_whichever_side_that_is(side: str, limit: float) -> None:
    sign = 1 if side == "above" else -1
    p = [
        Estimator({}).estimate(made(seen("z", value=limit + sign * step, limit=limit, side=side))).p_bad
        for step in (-0.1, 0.1, 1.0)
    ]
    assert p == sorted(p)
    assert p[0] < p[1]


def test_the_judges_vote_counts_less_where_judges_are_divided_as_a_rule() -> None:
    chance = random.Random(1)
    corpus = [
        made(
            seen("label_disagreement", layer="agreement", value=chance.uniform(*spread), limit=0.9),
            seen("label_votes", layer="agreement", value=0.1, limit=0.6),
            uid=f"{number:064x}",
            domain=domain,
        )
        for number in range(200)
        for domain, spread in (("calm", (0, 0.1)), ("divided", (0.7, 0.9)))
    ]
    rule = Rule(rule_state(corpus))
    against = seen("label_votes", layer="agreement", value=0.9, limit=0.6)
    calm, divided = (sum(value for _, value in rule.terms(made(against, domain=one))) for one in ("calm", "divided"))
    assert calm > divided


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 60), st.floats(-5, 5)), min_size=1, max_size=60), st.randoms())
def test_the_spread_of_scores_does_not_depend_on_the_order_of_reading(
    found: list[tuple[int, float]], chance: random.Random
) -> None:
    corpus = [
        made(seen("z", value=round(value, 3), limit=3.5), uid=f"{number:064x}", domain=f"d{number % 2}")
        for number, value in dict(found).items()
    ]
    mixed = chance.sample(corpus, len(corpus))
    assert orjson.dumps(rule_state(corpus)) == orjson.dumps(rule_state(mixed))


def test_terms_add_up_to_the_logit_that_is_calibrated() -> None:
    one = made(
        seen(**AGREEMENT, value=0.9, findings=(("answer-disagrees", "warn"),)),
        seen("arithmetic", findings=(("wrong-sum", "warn"),)),
        domain="maths",
        prompt="How many eggs?",
        response="The answer is eighteen",
    )
    found = Estimator({"rule": rule_state([one] * 20), "learned": LEARNED}).estimate(one)
    total = sum(value for _, value in found.contributions)
    assert found.p_bad == pytest.approx(1 / (1 + exp(-(1.4 * total - 0.5))), abs=1e-5)
    terms = dict(found.contributions)
    assert len(terms) <= 9
    assert terms["words of the text"] == pytest.approx(2 / 3**0.5 + 3.1 / 2)
    assert terms["past decisions on its domain"] == pytest.approx(-0.4)
    assert terms["arithmetic: wrong-sum"] == pytest.approx(0.8 * 1.5 + 1.5)


def test_many_small_terms_are_one() -> None:
    one = made(*(seen(f"check_{number}", findings=(("odd", "warn"),)) for number in range(20)))
    found = Estimator({}).estimate(one).contributions
    assert len(found) <= 9
    assert found[-1][0] == "everything else"
    assert sum(value for _, value in found) == pytest.approx(Estimator({}).score(one))


@pytest.mark.parametrize(
    "text",
    [
        "a" * 3_000_000,
        "a " * 1_500_000,
        "\u0301" * 500_000,
        "İ" * 500_000,
        "\ud800",
        "",
        "漢" * 500_000,
        "\0\x1b[2J" * 9,
    ],
)
def test_the_work_on_a_text_is_bounded(text: str) -> None:
    assert len(words_of(text)) <= 400
    one = made(prompt=text, response=text)
    found = Estimator({"rule": rule_state([one]), "learned": LEARNED}).estimate(one)
    assert 0 < found.p_bad < 1


def test_one_by_one_is_as_all_at_once() -> None:
    samples = [made(seen(**AGREEMENT, value=value / 10), response=f"{value} eighteen") for value in range(10)]
    estimator = Estimator({"learned": LEARNED})
    assert estimator.estimate_many(samples) == [estimator.estimate(one) for one in samples]


def test_what_was_learned_of_a_verifier_stands_with_what_it_says() -> None:
    learned: dict[str, Any] = {**LEARNED, "kinds": {"arithmetic|wrong-sum": -2.0}, "numbers": {}, "prompt": {}}
    one = made(seen("arithmetic", findings=(("wrong-sum", "warn"),)))
    before, after = (dict(Estimator({"learned": said}).estimate(one).contributions) for said in ({}, learned))
    assert before["arithmetic: wrong-sum"] > 0 > after["arithmetic: wrong-sum"]
    assert "arithmetic: wrong-sum" not in dict(
        Estimator({"learned": learned}).estimate(one._replace(verdicts=())).contributions
    )
