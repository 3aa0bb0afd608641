"""Each kind of rule is kept and broken as its public description says; a broken one is pointed at."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.db.models import Outcome, Sample, Severity, Verdict
from holdfast.verifiers.oracles.constraints import counting
from holdfast.verifiers.oracles.instruction_constraints import RULES, instruction_constraints

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]

DATA = Path(__file__).parents[4] / "shared" / "data" / "ifeval_gpt4.jsonl.gz"

MORE = {"relation": "at least"}
FEWER = {"relation": "less than"}
ENGLISH = "The harbour wall was repaired in the spring, and the boats are back."

# Rule, arguments, a text that keeps to it, one that breaks it, what is said, the passage that is pointed at.
CASES: list[tuple[str, dict[str, Any], str, str, str, str | None]] = [
    ("length_constraints:number_words", {"num_words": 3, **MORE}, "one two-three", "one two",
     "asked for at least 3 words; has 2", None),
    ("length_constraints:number_words", {"num_words": 3, **FEWER}, "one two", "one two three four ",
     "asked for fewer than 3 words; has 4", "three four"),
    ("length_constraints:number_sentences", {"num_sentences": 2, **MORE}, "It is. We go!", "Dr. Weed goes",
     "asked for at least 2 sentences; has 1", None),
    ("length_constraints:number_sentences", {"num_sentences": 2, **FEWER}, "Only one, e.g. this.", "One. Two! Three?",
     "asked for fewer than 2 sentences; has 3", "Two!"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\none\n***\ntwo", "one",
     "asked for 2 paragraphs divided by ***; has 1", None),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one *** two ***", "one\n***\n \n*** two",
     "asked for 2 paragraphs divided by ***; paragraph 2 is empty", "\n*** "),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Tide"},
     "one\n\n'tide, low", "one\n\n Wave two", "asked for paragraph 2 to begin with 'tide'; it begins with 'Wave'",
     "Wave"),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "a"},
     "a b\n\nc", "a b", "asked for 2 paragraphs divided by blank lines; has 1", None),
    ("detectable_content:number_placeholders", {"num_placeholders": 2.0}, "[name], [day]", "[name] [",
     "asked for at least 2 placeholders in square brackets; has 1", None),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Yours.\n\np. s. Buy salt", "Yours. PS: salt",
     "asked for a postscript after P.S.; has none", None),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.P.S later", "P.S. now",
     "asked for a postscript after P.P.S; has none", None),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b\n**c**", "* a\n * b\n- c",
     "asked for 2 bullet points; has 3", "- c"),
    ("detectable_format:constrained_response", {}, " My answer is maybe.", "Maybe.",
     "asked for one of 'My answer is yes.', 'My answer is no.', 'My answer is maybe.'; has none of them", None),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "*a* and * * and b*",
     "asked for at least 2 highlighted sections (*…*); has 1", None),
    ("detectable_format:multiple_sections", {"section_spliter": "Day", "num_sections": 2}, "Day 1 a Day 2 b", "Day 1",
     "asked for 2 sections marked 'Day 1', 'Day 2' …; has 1", None),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', '{"a": 1} so',
     "asked for JSON and nothing else; at character 10: extra data", "s"),
    ("detectable_format:title", {}, "<<Low tide>>\nText", "<Low tide> <<>>",
     "asked for a title in double angular brackets, <<title>>; has none", None),
    ("combination:two_responses", {}, "one\n******\ntwo", "one",
     "asked for two answers divided by ******; has 1", None),
    ("combination:two_responses", {}, "******a******b******", "one ****** one",
     "asked for two answers divided by ******; the two are the same", "one"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Name a tide."}, "name a tide. Neap.", "Name two.",
     "asked to repeat the request first, word for word; it differs from here on", "t"),
    ("startend:end_checker", {"end_phrase": "That is all."}, 'So.\n"THAT is all."', "That is all. Bye.",
     "asked to end with 'That is all.'; ends with 'Bye.'", "Bye."),
    ("startend:quotation", {}, ' "all of it" ', '"not all" of it',
     "asked for double quotation marks around the whole; it ends without", "t"),
    ("keywords:existence", {"keywords": ["kelp", "rope"]}, "Kelps are roped", "kelp",
     "asked for the keyword 'rope'; not there", None),
    ("keywords:frequency", {"keyword": "tide", "frequency": 2, **MORE}, "Tide and riptide", "tide",
     "asked for the word 'tide' at least 2 times; comes 1 time", None),
    ("keywords:frequency", {"keyword": "tide", "frequency": 2, **FEWER}, "tide", "tide, Tide",
     "asked for the word 'tide' fewer than 2 times; comes 2 times", "Tide"),
    ("keywords:forbidden_words", {"forbidden_words": ["sea", "salt"]}, "seaside", "the Sea, salt, sea",
     "asked to avoid the words 'sea', 'salt'; used, 3 times", "Sea"),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 2, "let_relation": "less than"}, "ebb", "eel",
     "asked for the letter 'e' fewer than 2 times; comes 2 times", "e"),
    ("change_case:capital_word_frequency", {"capital_frequency": 3, "capital_relation": "at least"},
     "DON'T STOP", "A STOP sign", "asked for at least 3 words in capital letters; has 2", None),
    ("change_case:english_capital", {}, ENGLISH.upper(), ENGLISH.upper().replace("BACK", "back"),
     "asked for capital letters alone; 1 word with lower-case letters", "back"),
    ("change_case:english_lowercase", {}, ENGLISH.lower(), ENGLISH,
     "asked for lower-case letters alone; 1 word with capital letters", "The"),
    ("change_case:english_lowercase", {}, ENGLISH.lower(), "die boote sind nach dem winter wieder im hafen gelandet.",
     "asked for English; this is German", None),
    ("punctuation:no_comma", {}, "no comma; none", "one, two,", "asked for no commas; has 2", ","),
    ("language:response_language", {"language": "de"}, "Die Boote sind nach dem Winter wieder im Hafen.", ENGLISH,
     "asked for German; this is English", None),
]  # fmt: skip


def asked(rule: str, arguments: dict[str, Any]) -> str:
    return json.dumps({"instructions": [{"id": rule, "kwargs": arguments}]})


@pytest.mark.parametrize(("rule", "arguments", "kept", "broken", "message", "passage"), CASES)
def test_a_rule_is_kept_or_broken(
    check: Check,
    sample: MakeSample,
    rule: str,
    arguments: dict[str, Any],
    kept: str,
    broken: str,
    message: str,
    passage: str | None,
) -> None:
    fine = check(instruction_constraints, sample(response=kept, metadata_json=asked(rule, arguments)))
    assert (fine.outcome, fine.findings) == (Outcome.PASS, ())
    verdict = check(instruction_constraints, sample(response=broken, metadata_json=asked(rule, arguments)))
    assert verdict.outcome is Outcome.FLAG
    first, *others = verdict.findings
    assert (first.code, first.message) == (rule.replace(":", "-").replace("_", "-"), message)
    assert (broken[slice(*first.span)] if first.span else None) == passage
    assert all(other.severity is Severity.INFO and other.code == first.code for other in others)


def test_every_kind_of_rule_has_a_case() -> None:
    assert {rule for rule, *_ in CASES} == set(RULES)
    assert len(RULES) == 25


def test_each_broken_rule_has_one_finding_that_warns(check: Check, sample: MakeSample) -> None:
    metadata = {
        "instruction_ids": ["punctuation:no_comma", "length_constraints:number_words", "detectable_format:title"],
        "kwargs": [{"num_words": None}, {"num_words": 9, "relation": "at least", "letter": None}, {}],
    }
    verdict = check(instruction_constraints, sample(response="a, b, <<c>>", metadata_json=json.dumps(metadata)))
    warned = [one.code for one in verdict.findings if one.severity is Severity.WARN]
    assert warned == ["punctuation-no-comma", "length-constraints-number-words"]
    as_text = {name: json.dumps(value) for name, value in metadata.items()}
    written = sample(response="a, b, <<c>>", metadata_json=json.dumps(as_text))
    assert check(instruction_constraints, written) == verdict
    nested = sample(response="a, b, <<c>>", metadata_json=json.dumps({"extra": metadata}))
    assert check(instruction_constraints, nested).outcome is Outcome.ABSTAIN
    assert check(instruction_constraints, nested, within="extra") == verdict


def test_a_blank_response_keeps_to_no_rule(check: Check, sample: MakeSample) -> None:
    for rule, arguments, *_ in CASES:
        verdict = check(instruction_constraints, sample(response=" \n", metadata_json=asked(rule, arguments)))
        assert [one.message for one in verdict.findings] == ["the response is empty"]


@pytest.mark.parametrize(
    "metadata",
    [{}, {"instructions": []}, {"instructions": ["Answer in French"]}, {"instructions": "be brief"}, {"kwargs": [{}]}],
)
def test_without_rules_it_abstains(check: Check, sample: MakeSample, metadata: dict[str, Any]) -> None:
    assert (
        check(instruction_constraints, sample(response="fine", metadata_json=json.dumps(metadata))) == Verdict.abstain()
    )


def test_an_unknown_rule_is_only_noted(check: Check, sample: MakeSample) -> None:
    verdict = check(instruction_constraints, sample(response="fine", metadata_json=asked("poetry:sonnet", {})))
    assert verdict.outcome is Outcome.ABSTAIN
    assert verdict.findings[0].message == "no check knows the rule 'poetry:sonnet'"


@pytest.mark.parametrize(
    ("rule", "arguments", "message"),
    [
        ("length_constraints:number_words", {"relation": "at least"}, "num_words is missing"),
        ("length_constraints:number_words", {"num_words": "many", **MORE}, "should be a whole number, not \"'many'\""),
        ("length_constraints:number_words", {"num_words": 3, "relation": "about"}, "'at least' or 'less than'"),
        ("detectable_content:number_placeholders", {"num_placeholders": True}, "should be a whole number, not 'True'"),
        ("keywords:existence", {"keywords": "kelp"}, "should be a list of texts"),
        ("keywords:letter_frequency", {"letter": "ab", "let_frequency": 1, "let_relation": "at least"}, "one letter"),
        ("startend:end_checker", {"end_phrase": " "}, "end_phrase should be a text"),
    ],
)
def test_a_bad_argument_is_an_error_that_names_it(
    check: Check, sample: MakeSample, rule: str, arguments: dict[str, Any], message: str
) -> None:
    verdict = check(instruction_constraints, sample(response="fine", metadata_json=asked(rule, arguments)))
    assert verdict.outcome is Outcome.ERROR
    assert repr(rule) in verdict.findings[0].message
    assert message in verdict.findings[0].message


@pytest.mark.parametrize(
    "metadata",
    [
        {"instruction_ids": ["punctuation:no_comma"], "kwargs": []},
        {"instruction_ids": "punctuation:no_comma"},
        {"instructions": [{"id": "punctuation:no_comma"}, "be brief"]},
        {"instructions": [{"id": 3}]},
        {"instructions": [{"id": "punctuation:no_comma", "kwargs": "none"}]},
    ],
)
def test_rules_that_cannot_be_read_are_an_error(check: Check, sample: MakeSample, metadata: dict[str, Any]) -> None:
    verdict = check(instruction_constraints, sample(response="fine", metadata_json=json.dumps(metadata)))
    assert verdict.outcome is Outcome.ERROR
    assert verdict.findings[0].message.startswith("the rules cannot be read: ")


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Mr. Reef met Dr. Shore at 5 p.m. on Jan. 3. They spoke.", 2),
        ('"Go!" she said. "Now?"', 3),
        ("Wait... what? No... It is late.", 3),
        ("1. Rinse the pan. 2. Dry it.", 4),
        ("A. Choose one.\nB. Choose two.", 4),
        ("The price rose by 3. the rest fell", 1),
        ("The U.S. Navy left. So did J. Tern.", 2),
        ("I saw the sun. Then J. K. Tern said “no.” to us and left at 9 a.m. by ship.", 2),
        ("Plan\n  A. Basic ropes\n  B. Advanced ropes", 3),
        ('It is 8.\n" Then', 2),
        ("See example.org for more. end", 2),
        ("Really?! Yes.", 3),
        ("End.* Next\n\nand so on", 2),
        ("", 0),
    ],
)
def test_sentences_are_cut_as_punkt_cuts_them(text: str, cut: int) -> None:
    spans = counting.sentences(text)
    assert len(spans) == cut
    assert "".join("".join(text[slice(*span)].split()) for span in spans) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "shouted"),
    [
        ("A NASA-wide plan, U.S. and GPT-4", ["A", "U.S.", "GPT-4"]),
        ("**WARNING:** (STOP)", ["WARNING", "STOP"]),
        ("IT'S what I'LL DO, I'm sure", ["IT", "'S", "I", "'LL", "DO", "I"]),
        ("DON'T, IBM's, don't", ["DO", "N'T", "IBM"]),
        ("10:30 AM, 5,000 KM/H", ["AM", "KM/H"]),
        ("none here 123", []),
    ],
)
def test_shouted_words_are_counted_as_the_treebank_cuts_them(text: str, shouted: list[str]) -> None:
    assert [text[slice(*span)] for span in counting.shouted(text)] == shouted


@pytest.mark.parametrize("unit", ["[", "<<", "*\n", "\n", ". ", "'", "-", "{", ",", "."])
def test_hostile_text_is_judged(check: Check, sample: MakeSample, unit: str) -> None:
    rules = [{"id": rule, "kwargs": arguments} for rule, arguments, *_ in CASES]
    verdict = check(
        instruction_constraints,
        sample(response=unit * (200_000 // len(unit)) + "x", metadata_json=json.dumps({"instructions": rules})),
    )
    assert verdict.outcome is Outcome.FLAG
    assert len(verdict.findings) <= 20 * len(rules)


@pytest.mark.skipif(not DATA.is_file(), reason="the shared data sets are not here")
def test_the_official_verdicts_are_met(check: Check, sample: MakeSample) -> None:
    compared = agreed = 0
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            extra = row["extra"]
            for rule, given, kept in zip(
                extra["instruction_ids"], extra["kwargs"], row["labels"]["per_instruction_strict"], strict=True
            ):
                verdict = check(
                    instruction_constraints, sample(response=row["response"], metadata_json=asked(rule, given))
                )
                compared += 1
                agreed += (verdict.outcome is Outcome.PASS) == kept
                for finding in verdict.findings:
                    assert finding.span is None or row["response"][slice(*finding.span)]
    assert compared > 400
    assert agreed / compared >= 0.99
