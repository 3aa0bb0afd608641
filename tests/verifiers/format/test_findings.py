"""Whatever the text: no check breaks, and what it finds lies in the text and is said in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.db.models import Message, Sample
from holdfast.verifiers import Context, Verifier
from holdfast.verifiers.format.encoding import encoding_damage
from holdfast.verifiers.format.json_text import json_text
from holdfast.verifiers.format.leaked_markup import leaked_markup
from holdfast.verifiers.format.message_roles import message_roles
from holdfast.verifiers.format.placeholder import empty_or_placeholder
from holdfast.verifiers.format.refusal import refusal
from holdfast.verifiers.format.truncation import truncation
from holdfast.verifiers.format.unsupported_media import unsupported_media

PIECES = st.sampled_from(
    [
        "I'm sorry, but I can't assist", "As an AI language model, I", "抱歉，我无法", "<|im_end|>", "</s>",
        "### Response:", "\nHuman: ", "\nInput: a\nOutput: b",
        "<think>", "<br />", "&amp;", "{", "}", '"', "a", ": ", ",", "[", "]",
        "```json\n", "```", "\n", " ", "İ", "ß", "🌊", "Ã©", "\u200b", "{{name}}", "{input}", "[Your Name]", "1",
        "lorem ipsum", "see the attached file", "https://a.no/x", "I searched the web", "in the image above", "the",
        "- ", "1. ", "JSON", "Answer in JSON only", "weather in Oslo today", ".", "(", "“",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize(
    "verifier",
    [
        refusal, truncation, message_roles, json_text, leaked_markup, unsupported_media, empty_or_placeholder,
        encoding_damage,
    ],
    ids=lambda one: one.name,
)  # fmt: skip
@settings(max_examples=60)
@given(asked=TEXTS, answered=TEXTS, role=st.sampled_from(["user", "system", "tool", "assistant"]))
def test_findings_lie_in_their_text(verifier: Verifier[...], asked: str, answered: str, role: str) -> None:
    turns = [("user", asked), (role, answered), ("assistant", answered)]
    messages = tuple(Message.model_validate({"role": role, "content": content}) for role, content in turns)
    sample = Sample.model_validate({"messages": messages, "provenance": "synthetic"})
    options: dict[str, Callable[..., object]] = {}
    settled = verifier.settings(options)
    verdict = verifier.function(sample, Context(), **settled.options, **settled.thresholds)
    for finding in verdict.findings:
        assert finding.message
        assert "\n" not in finding.message
        if finding.span is not None:
            start, end = finding.span
            text = sample.prompt if finding.of == "prompt" else sample.response
            assert 0 <= start < end <= len(text)
