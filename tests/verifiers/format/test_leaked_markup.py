"""Marks of the machinery are found at their place; code, quotations and texts about markup are left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.db.models import Outcome, Sample, Severity, Verdict
from holdfast.verifiers.format.leaked_markup import SHOWN, leaked_markup

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


@pytest.mark.parametrize(
    ("response", "code", "mark"),
    [
        ("Paris.<|im_end|>", "special-token", "<|im_end|>"),
        ("Paris.<|endoftext|>", "special-token", "<|endoftext|>"),
        ("Paris.</s>", "special-token", "</s>"),
        ("<s>Paris.", "special-token", "<s>"),
        ("[INST] Which? Paris.", "special-token", "[INST]"),
        ("<<SYS>> Be brief.", "special-token", "<<SYS>>"),
        ("Paris.<end_of_turn>", "special-token", "<end_of_turn>"),
        ("Paris.<｜end▁of▁sentence｜>", "special-token", "<｜end▁of▁sentence｜>"),
        ("The <unk> of Spain", "special-token", "<unk>"),
        ("Paris [PAD]", "special-token", "[PAD]"),
        ('"Paris, I think.<|eot_id|>"', "special-token", "<|eot_id|>"),
        ("Ġthe Ġcat Ġsat", "special-token", "Ġthe Ġcat Ġsat"),
        ("It▁is▁a▁city", "special-token", "▁is▁a▁city"),
        ("### Response:\nParis.", "chat-template", "### Response:"),
        ("Paris.\n\n### Instruction\nName it.", "chat-template", "### Instruction"),
        ("Assistant: Paris.", "chat-template", "Assistant:"),
        ("Paris.\n\nHuman: And Italy?", "further-turn", "Human:"),
        ("Paris.\nUser: And Italy?", "further-turn", "User:"),
        ("Paris.\n\nInput: Italy\nOutput: Rome", "further-turn", "Input:"),
        ("It is France, so</think>\nParis.", "thinking-tag", "</think>"),
        ("A city.<br /><br />A fine one.", "html-in-prose", "<br />"),
        ("A <b>fine</b> city.", "html-in-prose", "</b>"),
        ("Fish &amp; chips", "html-in-prose", "&amp;"),
        ("It costs &#163;5.", "html-in-prose", "&#163;"),
    ],
)
def test_marks_are_flagged_at_their_place(
    check: Check, sample: MakeSample, response: str, code: str, mark: str
) -> None:
    verdict = check(leaked_markup, sample("What is the capital of France?", response))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.code == code
    assert finding.span is not None
    assert response[slice(*finding.span)] == mark


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("x", "The <|endoftext|> token ends a document."),
        ("x", 'Look for "<|im_start|>" in the log.'),
        ("x", "Write `<think>` first, then:\n```\n<s>[INST] hi [/INST]\n```"),
        ("What is <think> for?", "Models write <think> before they answer."),
        ("How is text set in bold?", "Put the <b>words</b> between tags."),
        ("Write a web page.", "<p>Welcome</p>"),
        ("x", "<!DOCTYPE html>\n<html><body><p>Hi</p></body></html>"),
        ("x", "| a<br>b | c |\n|---|---|"),
        ("x", "where x<y, y<z and List<int> holds a[I], see <HOLDING> & co; or <<3+4=7>>7"),
        ("x", "### Summary\nAll well.\n### Outputs of the mill\nFlour."),
        ("Write a dialogue.", "Human: Who goes?\nAssistant: A friend."),
        ("x", "The report names each User: and Assistant: in bold."),
        ("Explain the exercise.", "Reverse it.\nExample:\nInput: abc\nOutput: cba\nInput: x\nOutput: x"),
        ("x", "See [NASA] and [1] and &c; R&D;"),
    ],
)
def test_markup_that_belongs_there_passes(check: Check, sample: MakeSample, prompt: str, response: str) -> None:
    assert check(leaked_markup, sample(prompt, response)).outcome is Outcome.PASS


def test_a_transcript_that_is_answered_with_further_turns_is_flagged(check: Check, sample: MakeSample) -> None:
    verdict = check(leaked_markup, sample("Human: Hello there.\nAssistant:", " Hello.\nHuman: How are you?"))
    assert [one.code for one in verdict.findings] == ["further-turn"]


def test_a_template_in_the_prompt_is_flagged_there(check: Check, sample: MakeSample) -> None:
    prompt = "<|im_start|>user\nHello"
    (finding,) = check(leaked_markup, sample(prompt, "Hello!")).findings
    assert (finding.code, finding.of, finding.span) == ("chat-template", "prompt", (0, 12))
    asked = sample("Which tokens stand around [INST] here?", "None.")
    assert check(leaked_markup, asked).outcome is Outcome.PASS


def test_html_of_people_is_only_noted(check: Check, sample: MakeSample) -> None:
    verdict = check(leaked_markup, sample(response="Fine.<br />Very.", provenance="human", model=None, generation=None))
    assert verdict.outcome is Outcome.PASS
    assert [one.severity for one in verdict.findings] == [Severity.INFO]


def test_many_marks_are_not_all_listed(check: Check, sample: MakeSample) -> None:
    verdict = check(leaked_markup, sample(response="Paris.<|pad|>" * 1_000 + "<br>" * 10))
    assert [one.code for one in verdict.findings] == ["special-token"] * SHOWN + ["html-in-prose"]
    assert "the first of 10" in verdict.findings[-1].message


@pytest.mark.parametrize(
    "piece", ["<|a", "<a ", "[", "Ġ", "▁a", "aĊ ", "wĠ", "### ", "\nInput:", "\nHuman: ", "&amp", "<br", "</"]
)
def test_long_texts_are_read_in_one_go(check: Check, sample: MakeSample, piece: str) -> None:
    text = piece * (200_000 // len(piece))
    verdict = check(leaked_markup, sample(response=text + "Ċ ▁ Ġ"))
    assert verdict.outcome in (Outcome.PASS, Outcome.FLAG)


def test_very_many_marks_that_the_prompt_gives_are_read_at_once(check: Check, sample: MakeSample) -> None:
    marks = " ".join(f"<|mark {number}|>" for number in range(60_000))
    assert check(leaked_markup, sample(f"{'x ' * 500_000}{marks}", f"{marks} <|im_end|>")).outcome is not Outcome.ERROR
