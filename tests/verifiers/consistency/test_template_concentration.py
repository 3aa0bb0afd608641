"""A source that writes to a template is told, at the template; the form of a task is not."""

from __future__ import annotations

import random
from collections.abc import Callable

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Verifier
from holdfast.verifiers.consistency.template_concentration import template_concentration

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

SAILING = "tide quay mast rope sail crew harbour storm chart keel port anchor deck crane cargo pilot lamp wind"
WORDS = SAILING.split(" ")


def prose(seed: int, length: int = 40) -> str:
    """A text that begins and ends like no other."""
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def source(
    sample: MakeSample, count: int, templated: int, made: Callable[[int], str], **fields: object
) -> list[Sample]:
    """Samples of which the first few are made to a template."""
    return [
        sample(f"{prose(number, 12)}?", made(number) if number < templated else prose(number + 1000), **fields)
        for number in range(count)
    ]


def real(sample: MakeSample, count: int = 60) -> list[Sample]:
    """Human samples without any template."""
    return source(sample, count, 0, str, provenance="human", model=None, generation=None)


def opened(number: int) -> str:
    """A response with the usual opening of a chat model."""
    return f"Sure! Here is {prose(number)}"


def test_an_opening_that_real_samples_lack_is_named_with_its_share(check: Check, sample: MakeSample) -> None:
    corpus = [*real(sample), *source(sample, 100, 31, opened, model="model-2")]
    verdict = check(template_concentration, corpus[60], corpus)
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == "templated-response"
    assert finding.message == (
        "31% of the responses of model-2 begin 'Sure! Here is'; the commonest opening of real samples: 2% "
        "(reference: real)"
    )
    assert finding.span == (0, len("Sure! Here is"))
    untouched = check(template_concentration, corpus[-1], corpus)
    assert (untouched.outcome, untouched.value) == (Outcome.PASS, 0.0)


def test_an_opening_is_shown_as_far_as_it_goes(check: Check, sample: MakeSample) -> None:
    corpus = [*real(sample), *source(sample, 100, 40, lambda n: f"It is important to note that {prose(n)}")]
    (finding,) = check(template_concentration, corpus[60], corpus).findings
    assert "40% of the responses of model-a begin 'It is important to note that';" in finding.message


def test_what_real_samples_do_as_well_is_no_template(check: Check, sample: MakeSample) -> None:
    human = source(sample, 60, 30, opened, provenance="human", model=None, generation=None)
    corpus = [*human, *source(sample, 100, 50, opened)]
    assert check(template_concentration, corpus[60], corpus).outcome is Outcome.PASS
    assert check(template_concentration, human[0], corpus).outcome is Outcome.ABSTAIN


def test_without_real_samples_other_sources_say_what_is_usual(check: Check, sample: MakeSample) -> None:
    plain = source(sample, 60, 0, str, model="model-b")
    corpus = [*plain, *source(sample, 100, 31, opened)]
    (finding,) = check(template_concentration, corpus[60], corpus).findings
    assert finding.message.endswith("the commonest opening of other sources: 2% (reference: batch)")
    alike = [*source(sample, 60, 20, opened, model="model-b"), *source(sample, 100, 31, opened)]
    assert check(template_concentration, alike[60], alike).outcome is Outcome.PASS


def test_of_a_single_source_one_template_among_variety_is_flagged_and_the_form_of_the_task_is_not(
    check: Check, sample: MakeSample
) -> None:
    some, most = source(sample, 100, 31, opened), source(sample, 100, 80, opened)
    assert check(template_concentration, some[0], some).outcome is Outcome.FLAG
    assert check(template_concentration, most[0], most).outcome is Outcome.PASS


def test_names_and_numbers_are_masked(check: Check, sample: MakeSample) -> None:
    names = ["Ann", "Ben", "Cora", "Dan", "Eve"]

    def problem(number: int) -> str:
        one, other = names[number % 5], names[(number + 2) % 5]
        return f"{one} has {number} ropes, and {other} gives her {number + 3} more of {prose(number)}"

    corpus = [*real(sample), *source(sample, 100, 40, problem)]
    (finding,) = check(template_concentration, corpus[61], corpus).findings
    assert "40% of the responses of model-a begin like 'Ben has 1 ropes, and Dan gives her'" in finding.message


def test_closings_and_prompts_count_too(check: Check, sample: MakeSample) -> None:
    ending = "I hope that this helps you!"
    corpus = [*real(sample), *source(sample, 100, 40, lambda number: f"{prose(number)} {ending}")]
    (finding,) = check(template_concentration, corpus[60], corpus).findings
    assert "end in 'hope that this helps you'" in finding.message
    asked = [sample(f"Tell me all about {prose(n, 10)}" if n < 40 else prose(n, 15), prose(n)) for n in range(100)]
    (finding,) = check(template_concentration, asked[0], [*real(sample), *asked]).findings
    assert (finding.code, finding.of, finding.span) == ("templated-prompt", "prompt", (0, len("Tell me all about")))


def test_with_few_samples_or_none_it_abstains(check: Check, sample: MakeSample) -> None:
    corpus = source(sample, 19, 10, opened)
    assert check(template_concentration, corpus[0], corpus).outcome is Outcome.ABSTAIN
    assert check(template_concentration, corpus[0]).outcome is Outcome.ABSTAIN


def test_the_state_is_the_same_for_any_order_and_bounded(sample: MakeSample) -> None:
    corpus = source(sample, 1200, 400, opened)
    verifier: Verifier[...] = template_concentration
    plain = verifier.settings({})
    state = verifier.freeze(corpus, plain)
    assert state == verifier.freeze(random.Random(3).sample(corpus, len(corpus)), plain)
    assert len(state) < 1000
