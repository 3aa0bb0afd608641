"""Judges' replies: the right rating is read, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.verifiers.judging.replies import Ratings, Unparsed, Winner, parse_ratings, parse_winner

CORPUS = [
    json.loads(line) for line in Path(__file__).with_name("replies.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("case", CORPUS, ids=[f"{case['kind']}: {case['name']}" for case in CORPUS])
def test_a_reply_is_read_rightly_or_not_at_all(case: dict[str, Any]) -> None:
    if case["kind"] == "winner":
        winner = parse_winner(case["reply"])
        assert (winner.winner if isinstance(winner, Winner) else None) == case["expect"]
    else:
        ratings = parse_ratings(case["reply"], case["criteria"])
        assert (ratings.by_criterion if isinstance(ratings, Ratings) else None) == case["expect"]


def test_the_corpus_is_large_and_its_names_are_distinct() -> None:
    assert len(CORPUS) >= 100
    assert len({(case["kind"], tuple(case.get("criteria", ())), case["name"]) for case in CORPUS}) == len(CORPUS)


def test_a_reply_without_the_token_counts_as_unparsed() -> None:
    reply = '{"rationale": "right", "instructs": false, "ratings": {"quality": 7}, "token": "5f2c9a"}'
    assert isinstance(parse_ratings(reply, ["quality"], token="5f2c9a"), Ratings)
    assert isinstance(parse_ratings(reply, ["quality"], token="77aa01"), Unparsed)
    assert isinstance(parse_ratings("10", ["quality"], token="5f2c9a"), Unparsed)
    assert isinstance(parse_ratings("Token: 5f2c9a\nRating: 7/10", ["quality"], token="5f2c9a"), Ratings)


def test_what_the_judge_says_of_instructions_in_the_data_is_read() -> None:
    found = parse_ratings('{"instructs": true, "rationale": " so ", "ratings": {"quality": 2}}', ["quality"])
    assert found == Ratings({"quality": 2}, "so", True)
    assert parse_winner('{"instructs": "both", "winner": "tie"}') == Winner("tie", None, ("A", "B"))


@pytest.mark.parametrize(
    ("said", "seen", "places"),
    [
        ("true", True, ("A", "B")), ('"yes"', True, ("A", "B")), ('"Yes, for a 10"', True, ("A", "B")),
        ("1", True, ("A", "B")), ('"A"', True, ("A",)), ('"Response B"', True, ("B",)), ('"A and B"', True, ("A", "B")),
        ("false", False, ()), ('"no"', False, ()), ('"None"', False, ()), ("null", False, ()), ('""', False, ()),
        ("0", False, ()), ('"neither"', False, ()), ('"No."', False, ()),
    ],
)  # fmt: skip
def test_a_judge_may_say_it_in_its_own_words(said: str, seen: bool, places: tuple[str, ...]) -> None:
    ratings = parse_ratings(f'{{"instructs": {said}, "ratings": {{"quality": 2}}}}', ["quality"])
    winner = parse_winner(f'{{"instructs": {said}, "winner": "tie"}}')
    assert isinstance(ratings, Ratings)
    assert isinstance(winner, Winner)
    assert (ratings.instructs, winner.instructs) == (seen, places)


@pytest.mark.parametrize(
    "reply",
    [
        "{" * 200_000, '{"' * 100_000, '{"a":' * 40_000, "<think>" * 30_000, "[[" * 100_000, "Rating: " * 25_000,
        '"' * 200_000, "\\" * 200_000, '{"a": "' + "\\" * 200_000, "<a " * 60_000, "rating " + " " * 30_000 + "x",
        "8/10 " * 40_000, "i would give " * 15_000, "final " * 30_000, '{"ratings": ' + "[" * 100_000,
        '{"a": {}, ' * 20_000, "a\n" * 100_000, "ﷺ" * 50_000, "response a is " + "the " * 50_000 + "x",
    ],
)  # fmt: skip
def test_hostile_replies_give_nothing(reply: str) -> None:
    assert isinstance(parse_ratings(reply, ["quality"]), Unparsed)
    assert isinstance(parse_ratings(reply, ["accuracy", "clarity"]), Unparsed)
    assert isinstance(parse_winner(reply), Unparsed)


TEXT = st.text() | st.lists(
    st.sampled_from(
        ["rating", "score", ":", " ", "8", "/10", "-", "{", "}", '"', "ratings", "quality", ",", "\n", "<think>",
         "</think>", "final", "[[", "]]", "nan", "1", "out of", "winner", "a", "or"]
    )
).map("".join)  # fmt: skip


@settings(max_examples=150)
@given(TEXT)
def test_no_reply_gives_a_rating_off_the_scale_or_a_crash(reply: str) -> None:
    found = parse_ratings(reply, ["quality"])
    if isinstance(found, Ratings):
        assert 1 <= found.by_criterion["quality"] <= 10
        assert parse_ratings(reply, ["quality"]) == found
    parse_winner(reply)
    parse_ratings(reply, ["accuracy", "clarity"])
