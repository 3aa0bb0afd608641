"""The chosen option against the reference, in each way to write either; what is unclear is left alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.oracles.choices import choices

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

DATA = Path(__file__).parents[4] / "shared" / "data" / "mmlu_redux.jsonl.gz"
CITIES = json.dumps({"choices": ["Kiel", "Bremen", "Emden", "New Emden"]})
LETTERED = "Which port?\nA. Kiel\nB. Bremen\nC. Emden\nD. New Emden"


@pytest.mark.parametrize("reference", ["B", "b)", "(B)", "1", "Bremen", "B. Bremen", " bremen. "])
@pytest.mark.parametrize("response", ["B", "(B)", "B. Bremen", "bremen", "The answer is B.", "It has to be Bremen."])
def test_the_option_of_the_reference_passes(check: Check, sample: MakeSample, response: str, reference: str) -> None:
    for asked in (
        sample("Which port?", response, metadata_json=CITIES, reference=reference),
        sample(LETTERED, response, reference=reference),
    ):
        assert check(choices, asked).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("response", "said", "letter"),
    [
        ("😀\nThe answer is C.", "C", "C"),
        ("D) New Emden", "D", "D"),
        ("I take Emden, of course.", "Emden", "C"),
        ("a", "a", "A"),
    ],
)
def test_another_option_fails_at_its_place(
    check: Check, sample: MakeSample, response: str, said: str, letter: str
) -> None:
    verdict = check(choices, sample(LETTERED, response, reference="1"))
    assert verdict.outcome is Outcome.FAIL
    (finding,) = verdict.findings
    assert finding.code == "wrong-choice"
    assert finding.message.startswith(f"chooses {letter} (")
    assert finding.message.endswith("; the reference says B (Bremen)")
    assert finding.span is not None
    assert response[slice(*finding.span)] == said


@pytest.mark.parametrize("response", ["E", "Hamburg", "Kiel or Bremen", "I do not know."])
def test_a_short_response_that_names_no_option_is_flagged(check: Check, sample: MakeSample, response: str) -> None:
    verdict = check(choices, sample("Which port?", response, metadata_json=CITIES))
    assert [one.code for one in verdict.findings] == ["no-choice"]
    assert verdict.outcome is Outcome.FLAG


def test_a_letter_with_another_options_text_is_flagged(check: Check, sample: MakeSample) -> None:
    verdict = check(choices, sample(LETTERED, "A. Bremen", reference="B"))
    assert [one.code for one in verdict.findings] == ["letter-and-text-differ"]
    minus = json.dumps({"choices": ["-19", "19"]})
    assert check(choices, sample("How much?", "A. -19", reference="A", metadata_json=minus)).outcome is Outcome.PASS


def test_an_index_that_is_also_an_option_fails_only_what_is_wrong_both_ways(check: Check, sample: MakeSample) -> None:
    numbers = json.dumps({"choices": ["0", "2", "4", "3"]})
    outcomes = [
        check(choices, sample("How many?", letter, reference="2", metadata_json=numbers)).outcome for letter in "ABCD"
    ]
    assert outcomes == [Outcome.FAIL, Outcome.ABSTAIN, Outcome.ABSTAIN, Outcome.FAIL]


def test_indices_can_count_from_one_and_options_lie_elsewhere(check: Check, sample: MakeSample) -> None:
    asked = sample("Which port?", "B", reference="2", metadata_json=json.dumps({"extra": json.loads(CITIES)}))
    assert check(choices, asked).outcome is Outcome.ABSTAIN
    assert check(choices, asked, within="extra").outcome is Outcome.FAIL
    assert check(choices, asked, within="extra", first_index=1).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("prompt", "response", "reference"),
    [
        ("Which port?", "B", "B"),
        (LETTERED, "B", None),
        (LETTERED, "B", "Ask the harbour master, who knows."),
        (LETTERED, "All of them have their merits, and the tide decides.", "B"),
    ],
)
def test_where_it_cannot_tell_it_abstains(
    check: Check, sample: MakeSample, prompt: str, response: str, reference: str | None
) -> None:
    assert check(choices, sample(prompt, response, reference=reference)).outcome is Outcome.ABSTAIN


def test_options_that_are_letters_leave_it_open_which_is_meant(check: Check, sample: MakeSample) -> None:
    listed = json.dumps({"choices": ["B", "A", "C"]})
    for response in ("A", "B"):
        verdict = check(choices, sample("Which vitamin?", response, reference="A", metadata_json=listed))
        assert verdict.outcome is Outcome.ABSTAIN
    assert check(choices, sample("Which?", "C", reference="A", metadata_json=listed)).outcome is Outcome.FAIL


def test_an_empty_response_has_no_place_to_point_at(check: Check, sample: MakeSample) -> None:
    (finding,) = check(choices, sample("Which?", " ", metadata_json=json.dumps({"choices": ["x", "y"]}))).findings
    assert finding.span is None


@pytest.mark.parametrize(
    "text",
    [
        "\nA. x\nB. y" * 20_000,
        "(A) (B) " * 25_000,
        "A" * 200_000,
        " B) " * 50_000,
        "\nB." + " " * 200_000,
        "(" * 200_000,
        '"' * 200_000,
        "\u3000" * 200_000,
    ],
)
def test_hostile_texts_are_judged_at_once(check: Check, sample: MakeSample, text: str) -> None:
    assert check(choices, sample(text, text, reference="B")).outcome is not Outcome.ERROR
    listed = json.dumps({"choices": [text, "y" * 100_000, "z"]})
    assert check(choices, sample("x", text, reference=text, metadata_json=listed)).outcome is not Outcome.ERROR


@pytest.mark.skipif(not DATA.is_file(), reason="the shared data sets are not here")
def test_corrected_keys_fail_and_confirmed_ones_pass(check: Check, sample: MakeSample) -> None:
    confirmed = passed = corrected = failed = 0
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if not str(row.get("reference")).isdecimal():
                continue
            asked = sample(row["prompt"], row["response"], reference=row["reference"])
            verdict = check(choices, asked)
            if row["labels"]["error_type"] == "ok":
                confirmed += 1
                passed += verdict.outcome is Outcome.PASS
            elif row["labels"]["error_type"] == "wrong_groundtruth":
                corrected += 1
                failed += verdict.outcome is Outcome.FAIL
    assert passed >= 0.97 * confirmed > 0
    assert failed >= 0.95 * corrected > 0
