"""What a locked hold-out holds is found in prompts and responses, wherever it stands."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.errors import UsageError
from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Context, Verifier
from holdfast.verifiers.consistency.contamination import contamination
from holdfast.verifiers.consistency.holdout import Holdout, frozen
from holdfast.verifiers.project_file import ProjectFile

MakeSample = Callable[..., Sample]
Run = Callable[..., Verdict]

QUESTION = (
    "A harbour pilot boards a ship two miles off the mole at seven in the morning and brings it to its berth at "
    "twenty to nine; how fast was the ship on average if it waited ten minutes for the tide?"
)
ANSWER = "It moved for ninety minutes and covered two miles, so its average speed was one and a third miles an hour."
SHORT = "Which planet has rings?"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Check a sample against a hold-out file of this name and content."""

    def checked(sample: Sample, content: bytes, name: str = "holdout.jsonl") -> Verdict:
        (tmp_path / name).write_bytes(content)
        verifier: Verifier[...] = contamination
        chosen = verifier.settings({"holdout": [name]}, root=tmp_path)
        state = orjson.loads(verifier.freeze([sample], chosen))
        return contamination(sample, Context({"contamination": state}), **chosen.options)

    return checked


def lines(*records: Any) -> bytes:
    """Records as JSON Lines."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


RECORDS = lines({"id": "one", "question": SHORT, "answer": "Saturn"}, {"id": "two", "q": [QUESTION], "a": ANSWER})


def test_a_copied_question_is_found_in_the_prompt(run: Run, sample: MakeSample) -> None:
    prompt = f"Solve this. {QUESTION.upper()} Think step by step."
    verdict = run(sample(prompt, "One and a third."), RECORDS)
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.of == "prompt"
    assert finding.span is not None
    assert prompt[slice(*finding.span)] == QUESTION.upper().rstrip("?")
    assert finding.message == "41 words in a row stand in the hold-out holdout.jsonl, line 2"


def test_an_excerpt_in_the_response_is_marked_where_it_stands(run: Run, sample: MakeSample) -> None:
    excerpt = "covered two miles — so its *average* speed was one and a third miles"
    text = f"First some words of my own, which nobody has seen. The ship {excerpt} per instant, I think."
    (finding,) = run(sample("How fast?", text), RECORDS).findings
    assert finding.span is not None
    assert text[slice(*finding.span)] == excerpt
    assert finding.message.startswith("13 words in a row")


def test_twelve_words_are_no_match(run: Run, sample: MakeSample) -> None:
    text = "And so it was: two miles, so its average speed was one and a third, they say, of a knot or so."
    assert run(sample("How fast?", text), RECORDS).outcome is Outcome.PASS


@pytest.mark.parametrize("prompt", [SHORT, "which planet\nhas RINGS"])
def test_short_items_match_as_a_whole(run: Run, sample: MakeSample, prompt: str) -> None:
    (finding,) = run(sample(prompt, "Saturn"), RECORDS).findings
    assert finding.message == "the whole prompt, 4 words, stands in the hold-out holdout.jsonl, line 1"
    assert finding.span == (0, len(prompt))


def test_short_answers_that_everybody_gives_are_none(run: Run, sample: MakeSample) -> None:
    held = lines({"answer": "Yes, it is."}, {"answer": "Saturn"})
    assert run(sample("Is it?", "Yes, it is."), held).outcome is Outcome.PASS
    assert run(sample("Which?", "Saturn"), held).outcome is Outcome.PASS
    assert run(sample("Saturn", "What is Saturn like?"), held).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("held.jsonl.gz", gzip.compress(RECORDS), "held.jsonl.gz, line 2"),
        ("held.json", b"[" + RECORDS.strip().replace(b"\n", b",") + b"]", "held.json, record 2"),
        ("held.txt", f"{SHORT}\n\n{QUESTION}\n".encode(), "held.txt, line 3"),
    ],
)
def test_hold_outs_come_in_several_forms(run: Run, sample: MakeSample, name: str, content: bytes, place: str) -> None:
    (finding,) = run(sample(QUESTION), content, name).findings
    assert finding.message.endswith(place)


def test_instructions_that_many_items_share_are_no_contamination(run: Run, sample: MakeSample) -> None:
    asked = "Answer the multiple choice question below with the letter of the one right answer and nothing else."
    held = lines(*({"prompt": f"{asked} Item {number}: what is {number} times seven?"} for number in range(11)))
    assert run(sample(f"{asked} What is the capital of Peru?"), held).outcome is Outcome.PASS
    assert run(sample(f"{asked} Item 3: what is 3 times seven?"), held).outcome is Outcome.FLAG


def test_without_a_hold_out_it_abstains(sample: MakeSample) -> None:
    verifier: Verifier[...] = contamination
    assert verifier.freeze([sample()], verifier.settings({})) == b"null"
    assert contamination(sample(), Context({"contamination": None})).outcome is Outcome.ABSTAIN


def test_what_cannot_be_read_is_named(run: Run, sample: MakeSample) -> None:
    with pytest.raises(UsageError, match=r"hold-out holdout\.jsonl:2 is not JSON"):
        run(sample(), b'{"a": "b"}\nno json\n')
    with pytest.raises(UsageError, match=r"hold-out held\.txt\.gz cannot be read"):
        run(sample(), b"not packed", "held.txt.gz")


@settings(max_examples=50)
@given(start=st.integers(0, 60), length=st.integers(13, 30), lead=st.integers(0, 20))
def test_a_run_is_found_wherever_it_begins(tmp_path_factory: Any, start: int, length: int, lead: int) -> None:
    dice = random.Random(1)
    text = [f"w{dice.randrange(10_000)}" for _ in range(100)]
    path = tmp_path_factory.mktemp("held") / "held.txt"
    path.write_text(" ".join(text))
    known = Holdout(frozen([ProjectFile("held.txt", "", path)]))
    others = [f"x{number}" for number in range(lead)]
    assert list(known.matches([*others, *text[start : start + length], *others])) == [(lead, lead + length, 0)]
