"""What a model of text cannot honour: links nobody gave it, searches it never made, pictures and files nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from holdfast.db.models import PASS, Finding, Provenance, Sample, Severity, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.format.passages import is_quoted, without_code
from holdfast.verifiers.reading import reading

SHOWN = 3
"""Most findings of one kind in one text."""

_SEEN = r"(?:image|picture|photo(?:graph)?|screenshot|video|clip|audio|recording|attachment|pdf)"
_DRAWN = r"(?:figure|diagram|chart|graph|map|illustration|drawing)"
_FILE = (
    r"(?:image|picture|photo(?:graph)?|screenshot|video|audio|recording|pdf|file|document|spreadsheet|diagram|chart)s?"
)
_MEDIA = re.compile(
    rf"\b(?:the|this|these|your) (?:attached {_FILE}|{_SEEN}s? (?:(?:shown |given |provided |attached )?(?:above|below)"
    rf"|(?:that )?you(?:['’]ve| have)? uploaded))\b"
    rf"|\b(?:see|find|as|shown|depicted|illustrated|pictured) (?:in |on )?(?:the |this )?"
    rf"(?:attached {_FILE}|{_SEEN} (?:above|below|attached|provided)|{_DRAWN} (?:above|below))\b"
    rf"|\b(?:above|below) {_SEEN}\b|\bin this video\b|!\[[^\]\n]{{0,100}}\]\([^()\s]{{1,300}}\)",
    re.IGNORECASE,
)
_SEARCHED = re.compile(
    r"\b(?:according to|based on|from) (?:my|the|these)(?: (?:web|internet|online|google|bing))? search(?:es| results)?"
    r"\b(?! (?:engine|term|quer))"
    r"|\bi(?:['’]ve| have)? (?:just )?searched (?:the (?:web|internet)|online|for your|google|bing)\b"
    r"|\bas of today(?:['’]s date)?,"
    r"|\bthe current (?:weather|temperature|time|date)(?: (?:in|at|for) [^.,\n]{1,40})? is\b",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"(?:https?://|\bwww\.)([\w.-]{1,100}\.[a-z]{2,20})(?::\d+)?[^\s<>\"'`)\]}]{0,300}(?<![.,;:!?])", re.IGNORECASE
)
_NOBODYS = ("example.com", "example.org", "example.net", "w3.org", "json-schema.org", "schema.org", "xmlsoap.org")

_ASKS_MEDIA = re.compile(
    rf"\b(?:the|this|these|following|given) {_SEEN}s? (?:above|below|attached|provided|shown)\b"
    rf"|\b(?:the|this) {_DRAWN} (?:above|below|attached|provided|shown)\b"
    rf"|\b(?:the |an |see |this )attached {_FILE}\b"
    rf"|\b(?:shown|depicted|illustrated|pictured) in (?:the|this) (?:{_DRAWN}|{_SEEN})\b(?! of\b)"
    rf"|\b(?:describe|caption|look at|transcribe|watch|listen to|analy[sz]e) (?:the|this) (?:following )?{_SEEN}"
    rf"\b(?! (?:of|that|which|game))|\b(?:in|from) (?:this|the following) {_SEEN}\b",
    re.IGNORECASE,
)
_ASKS_NOW = re.compile(
    r"\bwhat(?:['’]s| is| are) (?:today['’]s|the (?:current|latest)) (?:\w+ ){0,2}?"
    r"(?:weather|temperature|date|time|news|headlines|price|score|exchange rate)\b"
    r"|\b(?:weather|forecast)\b[^.?!\n]{0,40}\b(?:today|tomorrow|right now)\b|\bwhat time is it\b"
    r"|\bsearch the (?:web|internet)\b"
    r"|\b(?:summari[sz]e|open|visit|read|watch|describe|translate)\b[^.?!\n]{0,60}https?://\S{1,300}",
    re.IGNORECASE,
)
_GIVEN_AS_TEXT = re.compile(
    r"^[ \t]*\||-->|```|!\[|<(?:img|svg)\b|\bcaption:|\bdata:image", re.MULTILINE | re.IGNORECASE
)
_WRITES = re.compile(
    r"\b(?:e-?mails?|letters?|messages?|posts?|captions?|videos?|scripts?|memos?|replies|reply|respond|announcement|blog|ads?"
    r"|youtube|titles?|hooks?|markdown|html|attach\w*|template)\b",
    re.IGNORECASE,
)
# One of these is in every text that the patterns match; the patterns are then tried around it.
_MEDIA_WORDS = (" above", " below", "attach", "![", "in this video", "uploaded")
_SEARCH_WORDS = (" search", "as of today", "the current ")
_POINTS_WORDS = _MEDIA_WORDS + _SEARCH_WORDS
_ASKS_MEDIA_WORDS = (
    "image", "picture", "photo", "video", "audio", "attached", "diagram", "chart", "figure", " graph", "recording",
)  # fmt: skip
_ASKS_NOW_WORDS = ("weather", "today's", "the current", "the latest", "what time", "http", "search the")
_ASKS_WORDS = _ASKS_MEDIA_WORDS + _ASKS_NOW_WORDS
_NEAR = 100
_LOOKED_AT = 500
"""Most links of a response that are looked for in the prompt."""
_ENDS_OF_PROMPT = 400


@verifier(layer="format", version="1")
def unsupported_media(sample: Sample, ctx: Context) -> Verdict:
    """Flag links, web searches, live data, pictures, recordings and files that a model of text cannot have.

    Responses of people, and those of a source of plain texts without a prompt, are not judged; prompts always are,
    unless tools or media come with the sample.
    """
    findings: list[Finding] = []
    asked = sample.prompt
    if len(asked) > 2 * _ENDS_OF_PROMPT:
        asked = asked[:_ENDS_OF_PROMPT] + asked[-_ENDS_OF_PROMPT:]
    asked = asked.lower()
    if any(map(asked.__contains__, _ASKS_WORDS)):
        findings += _unanswerable(sample)
    if asked and sample.provenance not in (Provenance.HUMAN, Provenance.HUMAN_EDITED):
        lowered = reading(sample).lowered
        if any(map(lowered.__contains__, _POINTS_WORDS)):
            findings += _pretended(sample, lowered)
        if "http" in lowered or "www." in lowered:
            findings += _links(sample)
    return Verdict.found(findings) if findings else PASS


def _around(pattern: re.Pattern[str], text: str, lowered: str, words: Iterable[str]) -> list[re.Match[str]]:
    """The pattern's first matches near the first places of the words, in order."""
    found: dict[int, re.Match[str]] = {}
    for word in words:
        at = lowered.find(word)
        for _ in range(SHOWN):
            if at < 0:
                break
            for match in pattern.finditer(text, max(0, at - _NEAR), at + _NEAR):
                found[match.start()] = match
            at = lowered.find(word, at + len(word))
    return [found[at] for at in sorted(found)]


def _each(
    places: Iterable[re.Match[str]], code: str, message: str, of: Literal["response", "prompt"] = "response"
) -> Iterator[Finding]:
    for found in islice(places, SHOWN):
        shown = " ".join(found.group().split())
        shown = repr(shown if len(shown) <= 80 else shown[:79] + "…")
        yield Finding(code, Severity.WARN, message.format(shown), found.span(), of)


def _unanswerable(sample: Sample) -> Iterator[Finding]:
    """What a prompt asks for or points at that text does not hold."""
    prompt = sample.prompt
    lowered = prompt.lower()
    media = _around(_ASKS_MEDIA, prompt, lowered, _ASKS_MEDIA_WORDS)
    now = _around(_ASKS_NOW, prompt, lowered, _ASKS_NOW_WORDS)
    if not (media or now):
        return
    metadata = sample.metadata
    if "tools" in metadata or any(message.tool_calls for message in sample.messages):
        return
    if not _GIVEN_AS_TEXT.search(prompt) and not any(key in metadata for key in ("image", "images", "audio", "video")):
        yield from _each(media, "missing-media", "points at what is not here: {}", "prompt")
    yield from _each(now, "live-data", "asks for live data or a page of the web: {}", "prompt")


def _pretended(sample: Sample, lowered: str) -> Iterator[Finding]:
    """Where a response points at media that it does not hold, or claims a search or live data."""
    text, prompt = sample.response, sample.prompt
    plain = without_code(text)
    media = _around(_MEDIA, plain, lowered, _MEDIA_WORDS)
    if media and not _WRITES.search(prompt):
        media = [found for found in media if not is_quoted(text, found.start())]
        yield from _each(media, "missing-media", "points at what is not here: {}")
    claims = _around(_SEARCHED, plain, lowered, _SEARCH_WORDS)
    if claims and "tools" not in sample.metadata and "search" not in prompt.lower():
        claims = [found for found in claims if not is_quoted(text, found.start())]
        yield from _each(claims, "live-data", "claims a search or live data: {}")


def _links(sample: Sample) -> Iterator[Finding]:
    """Links to hosts that neither the prompt nor the reference names."""
    given = (sample.prompt + " " + (sample.reference or "") + " " + (sample.metadata_json or "")).lower()
    looked = islice(_LINK.finditer(without_code(sample.response)), _LOOKED_AT)
    links = (found for found in looked if not _is_given(found[1].lower(), given))
    yield from _each(links, "invented-link", "a link that the prompt does not give: {}")


def _is_given(host: str, given: str) -> bool:
    host = host.removeprefix("www.")
    return host in given or host.endswith(_NOBODYS)
