"""Several answers to one prompt: who contradicts whom, and how much that counts."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.agreement.answer_agreement import answer_agreement
from holdfast.verifiers.agreement.answer_groups import MOST_ANSWERS, AnswerGroups, Gathering, group_key
from holdfast.verifiers.sandbox import Unavailable, available

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

DATA = Path(__file__).parents[4] / "shared" / "data"
PROMPT = "How many eggs are sold?"


def answered(sample: MakeSample, *numbers: object, prompt: str = PROMPT) -> list[Sample]:
    """One sample a model, each with the number that it gives."""
    names = ("kelp-7b", "wrack-1", "dulse-2", "fucus-3", "laver-4", "nori-5", "wakame-6")
    pairs = zip(names, numbers, strict=False)
    return [sample(prompt, f"So many.\nA: {number}", model=name) for name, number in pairs]


def test_four_of_five_say_otherwise(check: Check, sample: MakeSample) -> None:
    corpus = answered(sample, 26, 18, 18, 18, 18, 20)
    verdict = check(answer_agreement, corpus[0], corpus)
    assert verdict.outcome is Outcome.FLAG
    finding = verdict.findings[0]
    assert finding.message == "answers 26; four of five other models say 18"
    assert finding.span is not None
    assert corpus[0].response[slice(*finding.span)] == "26"
    assert check(answer_agreement, corpus[1], corpus).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((26, 18, 18), "answers 26; both other models say 18"),
        ((26, 18, 18, 18), "answers 26; all three other models say 18"),
        ((26, 18, 20, 24), "answers 26; no other model does, nor do two agree: 18, 20, 24"),
        ((26, 1, 2, 3, 4, 5, 6), "answers 26; no other model does, nor do two agree: 1, 2, 3, 4, …"),
    ],
)
def test_what_the_others_say_is_named(check: Check, sample: MakeSample, numbers: tuple[int, ...], message: str) -> None:
    corpus = answered(sample, *numbers)
    assert check(answer_agreement, corpus[0], corpus).findings[0].message == message


def test_equal_numbers_agree_however_they_are_written(check: Check, sample: MakeSample) -> None:
    corpus = answered(sample, "1,200.50", "1200.5", "$1,200.50")
    assert [check(answer_agreement, one, corpus).value for one in corpus] == [0, 0, 0]


def test_contradictions_that_agree_count_more_than_scattered_ones(check: Check, sample: MakeSample) -> None:
    values = []
    for numbers in ((26, 18, 18, 18), (26, 18, 18, 20), (26, 18, 20, 24), (26, 26, 20, 24)):
        corpus = answered(sample, *numbers)
        values.append(check(answer_agreement, corpus[0], corpus).value or 0.0)
    assert values == sorted(values, reverse=True)
    assert values[0] == 1


def test_one_other_answer_alone_gives_a_score_and_no_flag(check: Check, sample: MakeSample) -> None:
    apart, together = answered(sample, 26, 18), answered(sample, 18, 18)
    verdict = check(answer_agreement, apart[0], apart)
    assert verdict.outcome is Outcome.PASS
    assert verdict.value == 0.6
    assert not verdict.findings
    assert check(answer_agreement, together[0], together).value == 0


def test_without_others_the_check_abstains(check: Check, sample: MakeSample) -> None:
    corpus = answered(sample, 26, 18)
    assert check(answer_agreement, corpus[0], []).outcome is Outcome.ABSTAIN
    assert check(answer_agreement, corpus[0]).outcome is Outcome.ABSTAIN
    assert check(answer_agreement, sample("", "A: 1"), answered(sample, 1, 2, 3, prompt="")).outcome is Outcome.ABSTAIN


def test_a_group_ties_prompts_that_are_worded_differently(check: Check, sample: MakeSample) -> None:
    corpus = [
        sample(f"How many eggs? ({number})", f"A: {answer}", model=f"m{number}", group="eggs")
        for number, answer in enumerate((26, 18, 18))
    ]
    assert check(answer_agreement, corpus[0], corpus).outcome is Outcome.FLAG
    loose = [one.model_copy(update={"group": None}) for one in corpus]
    assert check(answer_agreement, loose[0], loose).outcome is Outcome.ABSTAIN


def test_a_person_counts_more_than_a_model(check: Check, sample: MakeSample) -> None:
    models = answered(sample, 26, 26, 18)
    human = sample(PROMPT, "A: 18", provenance="human", model=None, generation=0)
    with_human = check(answer_agreement, models[0], [*models, human])
    with_model = check(answer_agreement, models[0], answered(sample, 26, 26, 18, 18))
    assert (with_human.value or 0) > (with_model.value or 0)
    corpus = [*answered(sample, 26, 18), human]
    message = check(answer_agreement, corpus[0], corpus).findings[0].message
    assert message == "answers 26; both other sources say 18, a person's among them"


def test_models_that_all_differ_say_nothing_against_a_person(check: Check, sample: MakeSample) -> None:
    human = sample(PROMPT, "A: 55", provenance="human", model=None, generation=0)
    assert check(answer_agreement, human, [human, *answered(sample, 1, 2, 3)]).outcome is Outcome.PASS
    assert check(answer_agreement, human, [human, *answered(sample, 2, 2, 2)]).outcome is Outcome.FLAG


def test_the_own_family_counts_less(check: Check, sample: MakeSample) -> None:
    others = answered(sample, 26, 18, 18)[1:]
    cousin = sample(PROMPT, "A: 26", model="kelp-13b")
    stranger = sample(PROMPT, "A: 26", model="agar-13b")
    mine = sample(PROMPT, "A: 26", model="kelp-7b")
    backed = [check(answer_agreement, mine, [mine, one, *others]).value or 0 for one in (cousin, stranger)]
    assert backed[0] > backed[1]
    declared = sample(PROMPT, "A: 26", model="agar-13b", family="Kelp")
    mine_too = sample(PROMPT, "A: 26", model="kelp-7b", family="kelp")
    assert check(answer_agreement, mine_too, [mine_too, declared, *others]).value == pytest.approx(backed[0])


def test_a_source_that_is_mostly_alone_counts_less(check: Check, sample: MakeSample) -> None:
    corpus = []
    for number in range(40):
        corpus += answered(sample, 5, 5, 5, 5, 6 + number, prompt=f"Question {number}?")
    tie = answered(sample, 1, 1, 2, 2, 2, prompt="The last one?")
    good, bad = [*tie[:3], tie[4]], [*tie[:3], tie[3]]
    with_bad = check(answer_agreement, good[0], [*corpus, *good]).value or 0
    with_good = check(answer_agreement, bad[0], [*corpus, *bad]).value or 0
    assert with_bad < with_good


def test_several_answers_of_one_model_share_its_weight(check: Check, sample: MakeSample) -> None:
    mine, *others = answered(sample, 26, 26, 18)
    again = [sample(PROMPT, f"Again {number}.\nA: 18", model=others[1].model) for number in range(6)]
    once = check(answer_agreement, mine, [mine, *others]).value
    assert check(answer_agreement, mine, [mine, *others, *again]).value == pytest.approx(once, abs=0.15)


def test_an_edited_answer_is_compared_without_the_one_it_came_from(check: Check, sample: MakeSample) -> None:
    corpus = answered(sample, 26, 18, 18)
    revision = sample(PROMPT, "A: 18", model=corpus[0].model, provenance="human-edited", parents=(corpus[0].uid,))
    assert check(answer_agreement, revision, corpus).value == 0


def test_labels_choices_and_json_are_compared_as_such(check: Check, sample: MakeSample) -> None:
    for given_, expected in (
        ([sample("Mood?", text, model=text, label="x") for text in ("sad", "Happy.", "happy")], "answers sad"),
        (
            [sample("Which?\nA. one\nB. two", text, model=text) for text in ("A", "B. two", "The answer is (B).")],
            "answers A; both other models say B",
        ),
        (
            [sample("JSON!", text, model=text) for text in ('{"a": 1}', '{"b": 2, "c": 3}', '{"c":3,"b":2}')],
            "both other models say",
        ),
    ):
        verdict = check(answer_agreement, given_[0], given_)
        assert verdict.outcome is Outcome.FLAG
        assert expected in verdict.findings[0].message
        assert check(answer_agreement, given_[1], given_).outcome is Outcome.PASS


def test_json_of_which_no_two_agree_has_no_one_answer(check: Check, sample: MakeSample) -> None:
    corpus = [sample("Invent one.", json.dumps({"name": name}), model=name) for name in ("a", "b", "c", "d")]
    assert {check(answer_agreement, one, corpus).outcome for one in corpus} == {Outcome.ABSTAIN}


def test_a_long_value_is_not_spelt_out(check: Check, sample: MakeSample) -> None:
    corpus = [sample("JSON!", json.dumps([digit * 90]), model=f"m{n}") for n, digit in enumerate("122")]
    (finding,) = check(answer_agreement, corpus[0], corpus).findings
    assert finding.message == "has an answer of its own; both other models agree on another"


def test_words_are_unlike_only_where_the_others_are_alike(check: Check, sample: MakeSample) -> None:
    answers = ("Good evening.", "Bonsoir.", "bonsoir", "Bonsoir !")
    corpus = [sample("Good evening in French?", text, model=f"m{n}") for n, text in enumerate(answers)]
    verdict = check(answer_agreement, corpus[0], corpus)
    assert verdict.outcome is Outcome.FLAG
    assert verdict.findings[0].code == "text-disagrees"
    assert verdict.findings[0].message == "unlike three other answers, which have 100% of their words in common"
    assert check(answer_agreement, corpus[1], corpus).outcome is Outcome.PASS
    scattered = [sample("A colour?", text, model=f"m{n}") for n, text in enumerate(("red", "blue", "green"))]
    assert check(answer_agreement, scattered[0], scattered).value == 0


def test_a_whole_text_may_say_it_in_other_words(check: Check, sample: MakeSample) -> None:
    alike = "It opens the window slowly and doubles it with every round trip until something gets lost on the way."
    other = "Bananas are berries, botanically speaking, whereas strawberries certainly aren't, which surprises people."
    texts = (other, alike, alike + " Yes.", alike + " Indeed it does.")
    corpus = [sample("Why?", text, model=f"m{n}") for n, text in enumerate(texts)]
    values = [check(answer_agreement, one, corpus).value or 0.0 for one in corpus]
    assert max(values[1:]) < values[0] <= 0.5
    assert check(answer_agreement, corpus[0], corpus).outcome is Outcome.PASS


def test_a_very_large_group_is_bounded(check: Check, sample: MakeSample) -> None:
    corpus = [sample(PROMPT, f"A: {number % 3}", model=f"m-{number}") for number in range(3 * MOST_ANSWERS)]
    state = orjson.loads(answer_agreement.freeze(corpus, answer_agreement.settings({})))
    key = group_key(corpus[0])
    assert key is not None
    assert len(AnswerGroups(state).answers(key)) == MOST_ANSWERS
    assert check(answer_agreement, corpus[0], corpus).value is not None


def test_a_state_of_nothing_can_be_asked(check: Check, sample: MakeSample) -> None:
    assert AnswerGroups(Gathering().state()).answers(7) == {}
    assert check(answer_agreement, sample(), [sample(response="")]).outcome is Outcome.ABSTAIN


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from("abc"), st.integers(0, 3)), max_size=30, unique=True),
    st.randoms(use_true_random=False),
)
def test_the_state_depends_on_the_samples_not_on_their_order(rows: list[tuple[int, str, int]], dice: object) -> None:
    from holdfast.db.models import Message

    corpus = []
    for prompt, model, number in rows:
        turns = (Message(role="user", content=f"q{prompt}"), Message(role="assistant", content=f"A: {number}"))
        corpus.append(Sample(messages=turns, provenance="synthetic", model=model))  # type: ignore[arg-type]
    frozen = answer_agreement.freeze(corpus, answer_agreement.settings({}))
    dice.shuffle(corpus)  # type: ignore[attr-defined]
    assert answer_agreement.freeze(corpus, answer_agreement.settings({})) == frozen


def test_the_state_does_not_depend_on_the_hash_seed() -> None:
    code = """if True:
        from holdfast.db.models import Message, Sample
        from holdfast.verifiers.agreement.answer_agreement import answer_agreement
        made = [Sample(messages=(Message(role="user", content=f"q{n // 3}"),
                Message(role="assistant", content="A: 7" if n % 2 else f"words of {n} and more")),
                provenance="synthetic", model=f"m{n % 3}") for n in range(30)]
        print(answer_agreement.freeze(made, answer_agreement.settings({})))"""
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
def test_wrong_solutions_stand_out_against_other_systems(check: Check, sample: MakeSample) -> None:
    corpus, wrong = [], []
    with gzip.open(DATA / "gsm8k_solutions.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if "codex" not in row["source"]["model"]:
                group = row["extra"]["group"]
                corpus.append(sample(row["prompt"], row["response"], model=row["source"]["model"], group=group))
                wrong.append(not row["labels"]["correct"])
    values = [verdict.value or 0.0 for verdict in _judged(check, corpus)]
    for model, least in (("gpt3-175b_finetuning", 0.9), ("gpt3-6b_finetuning", 0.9)):
        of_model = [(value, bad) for value, bad, one in zip(values, wrong, corpus, strict=True) if one.model == model]
        assert _auc(of_model) > least


def _judged(check: Check, corpus: list[Sample]) -> list[Verdict]:
    from holdfast.verifiers import Context

    options = answer_agreement.settings({})
    ctx = Context({answer_agreement.name: orjson.loads(answer_agreement.freeze(corpus, options))})
    return [answer_agreement(one, ctx) for one in corpus]


def _auc(pairs: list[tuple[float, bool]]) -> float:
    """How often a wrong solution scores above a right one, ties half."""
    ranked = sorted(pairs)
    bad = [value for value, is_bad in ranked if is_bad]
    good = [value for value, is_bad in ranked if not is_bad]
    from bisect import bisect_left, bisect_right

    wins = sum(bisect_left(good, value) + bisect_right(good, value) for value in bad)
    return wins / 2 / len(bad) / len(good)


def test_programs_are_compared_by_what_they_compute(check: Check, sample: MakeSample) -> None:
    if isinstance(available(), Unavailable):
        pytest.skip("no sandbox here")
    programs = ("total_eggs = 16\nans = total_eggs * 2 - 6", "eggs_a = 9\neggs_b = 2\nans = eggs_a * eggs_b")
    corpus = [sample(PROMPT, text, model=f"coder-{n}") for n, text in enumerate(programs)]
    corpus += answered(sample, 18, 18)
    verdict = check(answer_agreement, corpus[0], corpus, execute=True)
    assert verdict.findings[0].message == "answers 26; all three other models say 18"
    assert check(answer_agreement, corpus[1], corpus, execute=True).outcome is Outcome.PASS
    assert check(answer_agreement, corpus[0], corpus).outcome is Outcome.ABSTAIN


def test_what_cannot_be_seen_is_written_out_in_the_message(check: Check, sample: MakeSample) -> None:
    hostile = "\x1b]0;owned\x07"
    corpus = [sample("Mood?", text, model=f"m{n}", label="x") for n, text in enumerate(("sad", hostile, hostile))]
    for verdict in (check(answer_agreement, one, corpus) for one in corpus):
        assert all(finding.message.isprintable() for finding in verdict.findings)


@pytest.mark.parametrize("odd", ["17.5", "-3"])
def test_a_form_that_no_other_answer_has_counts_in_full(check: Check, sample: MakeSample, odd: str) -> None:
    scattered = answered(sample, odd, 18, 20, 24)
    whole = answered(sample, 26, 18, 20, 24)
    assert check(answer_agreement, scattered[0], scattered).value == 1
    assert (check(answer_agreement, whole[0], whole).value or 0) < 1
    shared = answered(sample, odd, 18, 20.5, 24)
    assert (check(answer_agreement, shared[0], shared).value or 0) < 1
    lone = answered(sample, odd, 18)
    assert check(answer_agreement, lone[0], lone).outcome is Outcome.PASS
    assert check(answer_agreement, lone[0], lone).value == pytest.approx(0.7)


@pytest.mark.skipif(isinstance(available(), Unavailable) and not os.environ.get("CI"), reason="no sandbox here")
def test_a_program_without_an_answer_stands_out_among_numbers(check: Check, sample: MakeSample) -> None:
    corpus = [sample(PROMPT, "x = 1 / 0\nans = x", model="coder-1"), *answered(sample, 18, 18, 20)]
    verdict = check(answer_agreement, corpus[0], corpus, execute=True)
    assert verdict.findings[0].message == "its program computes no answer; three others have a number"
    assert check(answer_agreement, corpus[0], corpus).outcome is Outcome.ABSTAIN
    essay = [sample(PROMPT, "It depends on the hens.", model="coder-1"), *answered(sample, 18, 18)]
    assert check(answer_agreement, essay[0], essay, execute=True).outcome is Outcome.ABSTAIN
