"""What a model of text cannot have is found where a response pretends to it and where a prompt asks for it."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.format.unsupported_media import SHOWN, unsupported_media

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


@pytest.mark.parametrize(
    ("response", "code", "place"),
    [
        ("As shown in the image above, Oslo won.", "missing-media", "shown in the image above"),
        ("The photo you uploaded has three boats.", "missing-media", "The photo you uploaded"),
        ("See the attached file for more.", "missing-media", "See the attached file"),
        ("In this video, three boats race.", "missing-media", "In this video"),
        ("![the boats](boats.png)", "missing-media", "![the boats](boats.png)"),
        ("I searched the web, and Oslo won.", "live-data", "I searched the web"),
        ("According to my search results, Oslo won.", "live-data", "According to my search results"),
        ("As of today, Oslo leads.", "live-data", "As of today,"),
        ("The current weather in Oslo is mild.", "live-data", "The current weather in Oslo is"),
        ("More at https://www.oslo-boats.no/2023?x=1.", "invented-link", "https://www.oslo-boats.no/2023?x=1"),
        ("More at www.oslo-boats.no (in part).", "invented-link", "www.oslo-boats.no"),
    ],
)
def test_what_a_response_cannot_have_is_flagged_at_its_place(
    check: Check, sample: MakeSample, response: str, code: str, place: str
) -> None:
    verdict = check(unsupported_media, sample("Who won the boat race?", response))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert (finding.code, finding.of) == (code, "response")
    assert finding.span is not None
    assert response[slice(*finding.span)] == place


@pytest.mark.parametrize(
    ("prompt", "code", "place"),
    [
        ("How many boats are in the picture above?", "missing-media", "the picture above"),
        ("Describe this photo.", "missing-media", "Describe this photo"),
        ("Summarise the attached document.", "missing-media", "the attached document"),
        ("Which trend is depicted in the chart?", "missing-media", "depicted in the chart"),
        ("Transcribe the following recording.", "missing-media", "Transcribe the following recording"),
        ("What is the current price of tar?", "live-data", "What is the current price"),
        ("What's the weather in Oslo today?", "live-data", "weather in Oslo today"),
        ("Search the internet for boats.", "live-data", "Search the internet"),
        ("Summarize https://oslo-boats.no/news please", "live-data", "Summarize https://oslo-boats.no/news"),
    ],
)
def test_a_prompt_that_text_cannot_answer_is_flagged_there(
    check: Check, sample: MakeSample, prompt: str, code: str, place: str
) -> None:
    for provenance in ("synthetic", "human"):
        verdict = check(unsupported_media, sample(prompt, "Three.", provenance=provenance))
        assert verdict.outcome is Outcome.FLAG
        (finding,) = verdict.findings
        assert (finding.code, finding.of) == (code, "prompt")
        assert finding.span is not None
        assert prompt[slice(*finding.span)] == place


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Who won?", "Oslo, as said above, and a graph of it is drawn below the line."),
        ("Who won?", 'The caption read "as shown in the image above".'),
        ("Who won?", "Call `open('www.x.no')` or see https://example.com/boats."),
        ("Who won, says https://oslo-boats.no?", "See https://www.oslo-boats.no/news."),
        ("Write an email about the report.", "Please find the attached file."),
        ("Write a hook for a video on boats.", "In this video, three boats race."),
        ("How does a search engine rank?", "Based on the search results that people open."),
        ("Draw a figure out of paragraphs, photographs and maps.", "Done."),
        ("What does the diagram below show?\n```\na --> b\n```", "That a leads to b."),
        ("What does the chart below show?\n| a | b |\n|---|---|", "Two columns."),
        ("Olaf uploaded 72 pictures and a video game. How many?", "73"),
        ("", "More at https://www.oslo-boats.no, as shown in the image above."),
    ],
)
def test_other_texts_pass(
    check: Check, sample: MakeSample, turns: Callable[..., Sample], prompt: str, response: str
) -> None:
    made = sample(prompt, response) if prompt else turns(("assistant", response))
    assert check(unsupported_media, made).outcome is Outcome.PASS


def test_people_may_link_and_refer(check: Check, sample: MakeSample) -> None:
    real = {"provenance": "human", "model": None, "generation": None}
    text = "I searched the web: https://www.oslo-boats.no, as shown in the image above."
    assert check(unsupported_media, sample("Who won?", text, **real)).outcome is Outcome.PASS


def test_tools_and_media_that_come_with_the_sample_are_there(check: Check, sample: MakeSample) -> None:
    tools = {"metadata_json": orjson.dumps({"tools": [{"name": "weather"}]}).decode()}
    asked = sample("What's the weather in Oslo today?", "According to my search results, mild.", **tools)
    assert check(unsupported_media, asked).outcome is Outcome.PASS
    images = {"metadata_json": orjson.dumps({"images": ["boats.png"]}).decode()}
    assert check(unsupported_media, sample("Describe this photo.", "Boats.", **images)).outcome is Outcome.PASS


def test_links_of_the_reference_or_the_source_are_given(check: Check, sample: MakeSample) -> None:
    link = "See https://www.oslo-boats.no/a."
    assert check(unsupported_media, sample("Who?", link, reference="https://oslo-boats.no/b")).outcome is Outcome.PASS
    source = {"metadata_json": orjson.dumps({"source": "from oslo-boats.no"}).decode()}
    assert check(unsupported_media, sample("Who?", link, **source)).outcome is Outcome.PASS


def test_many_links_are_not_all_listed(check: Check, sample: MakeSample) -> None:
    verdict = check(unsupported_media, sample("Who?", "https://www.oslo-boats.no/a " * 1_000))
    assert len(verdict.findings) == SHOWN


@pytest.mark.parametrize(
    "piece",
    [
        "the attached ",
        "image above ",
        "https://",
        "www.a",
        "![",
        "search ",
        "weather ",
        "summarize http",
        "www.",
        "\n",
        " \n",
    ],
)
def test_long_texts_are_read_in_one_go(check: Check, sample: MakeSample, piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert check(unsupported_media, sample(text, text)).outcome in (Outcome.PASS, Outcome.FLAG)
    assert check(unsupported_media, sample(text + " in the image above", "x")).outcome in (Outcome.PASS, Outcome.FLAG)


def test_very_many_given_links_are_read_at_once(check: Check, sample: MakeSample) -> None:
    links = " ".join(f"https://boats{number}.no" for number in range(60_000))
    assert check(unsupported_media, sample(f"{'x ' * 500_000}{links}", links)).outcome is Outcome.PASS
