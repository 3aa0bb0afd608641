"""Labels that a task does not have, and labels that a keyword contradicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from holdfast.db.errors import UsageError
from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.oracles.label_rules import label_rules

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

MOODS = {"mood": ["calm", "rough"], "*": ["yes", "no"]}


@pytest.mark.parametrize(
    ("fields", "response", "outcome"),
    [
        ({"task": "mood", "label": "calm"}, "calm", Outcome.PASS),
        ({"task": "mood"}, " rough\n", Outcome.PASS),
        ({"task": "tide", "label": "yes"}, "yes", Outcome.PASS),
        ({"task": "mood", "label": "Calm"}, "x", Outcome.FLAG),
        ({"label": "calm"}, "calm", Outcome.FLAG),
        ({"task": "mood"}, "", Outcome.ABSTAIN),
    ],
)
def test_allowed_labels_by_task(
    check: Check, sample: MakeSample, fields: dict[str, Any], response: str, outcome: Outcome
) -> None:
    assert check(label_rules, sample("How is the sea?", response, **fields), allowed=MOODS).outcome is outcome


def test_a_label_that_is_not_allowed_is_shown_at_its_place(check: Check, sample: MakeSample) -> None:
    verdict = check(label_rules, sample("How is the sea?", "It is: clam", task="mood", label="clam"), allowed=MOODS)
    (finding,) = verdict.findings
    assert (finding.code, finding.span) == ("label-not-allowed", (7, 11))
    assert finding.message == "'clam' is no label of task 'mood'; did you mean 'calm'?"


def test_a_rule_is_named_with_the_keyword_at_its_place_in_the_prompt(check: Check, sample: MakeSample) -> None:
    rules = {r"(?i)gale|storm": "rough"}
    verdict = check(label_rules, sample("😀 A Storm is coming.", "calm"), rules=rules)
    (finding,) = verdict.findings
    assert verdict.outcome is Outcome.FLAG
    assert (finding.code, finding.of, finding.span) == ("label-rule", "prompt", (4, 9))
    assert finding.message == "rule '(?i)gale|storm' asks for 'rough', the label is 'calm'"
    assert check(label_rules, sample("A Storm is coming.", "rough"), rules=rules).outcome is Outcome.PASS
    assert check(label_rules, sample("No wind.", "calm"), rules=rules).outcome is Outcome.ABSTAIN


def test_without_rules_it_abstains_and_a_bad_pattern_is_refused(check: Check, sample: MakeSample) -> None:
    assert check(label_rules, sample()).outcome is Outcome.ABSTAIN
    with pytest.raises(UsageError, match="label_rules"):
        label_rules.settings({"rules": {"(": "rough"}})
