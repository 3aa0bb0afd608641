"""Where a text stops too early is found; labels, lists, code, verse and unpunctuated styles are left alone."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.format.truncation import truncation

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

STORY = (
    "The ferry left the harbour at noon, and the wind was fair. We sat on deck and counted the gulls that followed us "
)
CHINESE = (
    "渡轮中午离开港口，风很顺。我们坐在甲板上数着跟随我们的海鸥，"
    "孩子们在栏杆旁边笑着，船长吹响了汽笛，远处的山慢慢变小，"
)


@pytest.mark.parametrize(
    ("response", "place"),
    [
        (STORY + "until the", "the"),
        (STORY + "because of", "of"),
        (STORY + "past the lighthouse,", "lighthouse,"),
        (STORY + "past the light-", "light-"),
        (STORY + "with these three things in mind:", ":"),
        (STORY + "past the lighthouse (which is the oldest one", "("),
        ("Take these:\n\n1. a rope\n2. a lamp\n3.", "3."),
        ("Take these:\n- a rope\n- a lamp\n-", "-"),
        ("Run this:\n\n```python\nprint('ahoy')\n", "```"),
        ("First:\n```\na\n```\nThen:\n```sh\nmake all.\n", "```"),
    ],
)
def test_a_text_that_stops_early_is_flagged_where_it_stops(
    check: Check, sample: MakeSample, response: str, place: str
) -> None:
    verdict = check(truncation, sample(response=response))
    assert verdict.outcome is Outcome.FLAG
    assert verdict.value == 1
    (finding,) = verdict.findings
    assert finding.code == "cut-off"
    assert finding.span is not None
    assert response[slice(*finding.span)] == place


def test_a_bare_marker_is_one_however_long_the_prompt_is(check: Check, sample: MakeSample) -> None:
    asked = sample("Name three things to take on a ferry, one on a line, and say nothing else.", "1. rope\n2. lamp\n3.")
    assert check(truncation, asked).outcome is Outcome.FLAG


@pytest.mark.parametrize(
    "response",
    [
        STORY + "home.",
        STORY + "home .",
        STORY + 'and said: "Home!"',
        STORY + "home (at last).",
        STORY + "home [1] [2]",
        STORY + "home… 🌊",
        CHINESE + "大家都很高兴。",
        "positive",
        "42",
        "the",
        "A: 18",
        "3.",
        "https://example.org/a-page-about-the",
        "def area(r):\n    return 3.14 * r * r",
        "| port | boats |\n|---|---|\n| north | 4 |",
        "salt, rope, tar, oil, lamps, and",
        "Roses are red\nViolets are blue\nThe ferry is late\nAnd so are you",
        STORY.strip() + ".\n\nKind regards,\n[a name]",
        STORY.strip() + ".\n\nSee you soon,",
        STORY.strip() + ".\n\nHoping to hear from you soon",
        "The total is:\n```\n42\n```",
        "- a rope\n- a lamp\n- some bread and a great deal of the best cheese from the farm above the bay",
        STORY + "all the way, and that was the day that was :(",
    ],
)
def test_ends_that_are_no_cuts_pass(check: Check, sample: MakeSample, response: str) -> None:
    assert check(truncation, sample(response=response)).outcome in (Outcome.PASS, Outcome.ABSTAIN)


@pytest.mark.parametrize(
    "cut",
    [
        STORY + "past the lighth",
        CHINESE + "然后我们看到了",
        STORY.strip() + ".\n\nThen the wind turne",
        STORY.strip() + ". Then th",
    ],
)
def test_a_missing_full_stop_counts_where_the_source_is_used_to_set_it(
    check: Check, sample: MakeSample, cut: str
) -> None:
    corpus = [sample(f"q{number}", f"{number} {STORY}home.") for number in range(30)]
    verdict = check(truncation, sample(response=cut), corpus)
    assert verdict.outcome is Outcome.FLAG
    assert verdict.value == 1
    assert "100% of model-a (reference: batch) end with some" in verdict.findings[0].message
    careless = [sample(f"q{number}", f"{number} {STORY}home") for number in range(30)]
    assert check(truncation, sample(response=cut), careless).outcome is Outcome.PASS
    assert check(truncation, sample(response=cut), corpus[:19]).outcome is Outcome.ABSTAIN
    assert check(truncation, sample(response=cut)).outcome is Outcome.ABSTAIN


def test_a_source_that_is_always_cut_is_held_against_real_samples(check: Check, sample: MakeSample) -> None:
    real = {"provenance": "human", "model": None, "generation": None}
    corpus = [sample(f"q{number}", f"{number} {STORY}home.", **real) for number in range(60)]
    corpus += [sample(f"q{number}", f"{number} {STORY}past the lighth") for number in range(60)]
    verdict = check(truncation, corpus[-1], corpus)
    assert verdict.outcome is Outcome.FLAG
    assert "100% of real samples (reference: real) end with some" in verdict.findings[0].message


def test_people_may_leave_the_last_full_stop_out_and_give_excerpts(check: Check, sample: MakeSample) -> None:
    real = {"provenance": "human", "model": None, "generation": None}
    corpus = [sample(f"q{number}", f"{number} {STORY}home.", **real) for number in range(60)]
    assert check(truncation, sample(response=STORY + "home", **real), corpus).outcome is Outcome.ABSTAIN
    assert check(truncation, sample(response=STORY + "and the", **real), corpus).outcome is Outcome.FLAG
    excerpts = [sample(f"q{number}", f"{number} {STORY}and the", **real) for number in range(60)]
    assert check(truncation, excerpts[0], excerpts).outcome is Outcome.ABSTAIN


def test_a_response_may_stop_as_its_prompt_does(check: Check, sample: MakeSample) -> None:
    corpus = [sample(f"q{number}", f"{number} {STORY}home.") for number in range(30)]
    source = "Die Fähre fuhr mittags los und der Wind stand gut. Wir saßen an Deck und zählten die Möwen hinter uns"
    assert check(truncation, sample(source, STORY.strip()), corpus).outcome is Outcome.PASS
    assert check(truncation, sample(source + ":", STORY.strip() + ":"), corpus).outcome is Outcome.PASS
    assert check(truncation, sample(source, STORY.strip() + ":"), corpus).outcome is Outcome.FLAG
    assert check(truncation, sample(source + " Stunde", STORY + "the"), corpus).outcome is Outcome.FLAG


def test_what_the_source_says_of_its_stop_decides(check: Check, sample: MakeSample) -> None:
    def made(**metadata: object) -> Sample:
        return sample(response="Forty-two.", metadata_json=orjson.dumps(metadata).decode())

    verdict = check(truncation, made(finish_reason="length"))
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].message == "its source stopped at a limit of length (length)"
    assert check(truncation, made(usage={"stop_reason": "max_tokens"})).outcome is Outcome.FLAG
    assert check(truncation, made(finish_reason="stop", length="length")).outcome is Outcome.PASS


def test_the_limit_moves_without_a_new_check(check: Check, sample: MakeSample) -> None:
    corpus = [sample(f"q{number}", f"{number} {STORY}home" + "." * (number % 10 > 0)) for number in range(40)]
    cut = sample(response=STORY + "past the lighth")
    assert check(truncation, cut, corpus, flag_at=0.85).outcome is Outcome.FLAG
    assert check(truncation, cut, corpus, flag_at=0.95).outcome is Outcome.PASS


@pytest.mark.parametrize("piece", ["```\n", "- \n", "( ", "a", "1.\n", "the ", "  \n", "海"])
def test_long_texts_are_read_in_one_go(check: Check, sample: MakeSample, piece: str) -> None:
    verdict = check(truncation, sample(response=piece * (200_000 // len(piece))))
    assert verdict.outcome in (Outcome.PASS, Outcome.FLAG, Outcome.ABSTAIN)
