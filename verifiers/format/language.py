"""Is a response in the language that was asked for, and in the one that the source's responses usually have?"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from holdfast.db.models import PASS, Sample, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.languages import (
    NAMES,
    alike,
    has_english,
    language_of,
    letters,
    name_of,
    plainly_english,
    plainly_foreign,
)
from holdfast.verifiers.reading import reading
from holdfast.verifiers.sources import source_key, source_name

FEWEST = 20
"""Responses to prompts in one language that a source must have before its usual language is known."""
LEARNED_FROM = 300
"""Samples of a source and task that are looked at, drawn by hash."""

_LEAST_CONFIDENCE = 0.6
_FEWEST_LETTERS = 25
_SHORTEST = 9
_USUAL = 0.8
_ALMOST_ALWAYS = 0.95
_UNUSUAL = 0.05
_LOOKED_AT = 2_000
_MOST_NAMES = 0.65
_MOST_PARTS = 20

_CODES = {name: code for code, name in NAMES.items() if code not in ("nb", "nn")}
_REQUEST = re.compile(
    r"\b(?:translat|respon[ds]|answer|repl[yi]|writ|output|explain|summari[sz]e|generate|compose)"
    rf"[^.?!\n]{{0,80}}? (?:in|into|to) (?P<name>{'|'.join(sorted(_CODES))})"
    r"(?= language|\s*(?:[.,;:!?()\"'\n]|$)| (?:about|with|using|only|please|for|and|that|so|while|no|without)\b)",
    re.IGNORECASE,
)
_BEFORE_A_NAME = re.compile(
    f" (?:in|into|to) (?:{'|'.join(f'[{name[0]}{name[0].lower()}]{name[1:]}' for name in sorted(_CODES))})"
)
_NAMES = re.compile(
    rf"\b(?:{'|'.join(sorted(_CODES))}|languages?|translat\w*|tradu\w+|übersetz\w*|перев[оеё]\w+"
    r"|anglais|français|allemand|espagnol|ingl[eé]s|español|francés|alemán|inglês|englisch\w*|deutsch\w*|französisch\w*"
    r"|spanisch\w*|inglese|italiano|francese|tedesco|английск\w+|русск\w+|немецк\w+|французск\w+)\b"
    r"|翻译|翻譯|翻訳|英语|英文|英語|中文|汉语|法语|德语|日语|日本語|영어|한국어",
    re.IGNORECASE,
)
"""What a prompt holds that may well want another language than its own."""
_PARTS = re.compile(r"\n+|(?<=[.:;?!。：？！])\s*")
_NO_PROSE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\$\$?[^$\n]+\$|<[^<>\n]{1,200}>|\b(?:https?://|www\.)\S+", re.DOTALL
)


class _Row(NamedTuple):
    """How often a source answers prompts in one language in which languages."""

    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def share(self, language: str) -> float:
        """The share of responses in the language or one that is close to it."""
        return sum(count for code, count in self.counts.items() if alike(code, language)) / self.total

    @property
    def usual(self) -> str:
        return max(sorted(self.counts), key=self.counts.__getitem__)


@verifier(layer="format", version="1", fit_cost=12)
def language(sample: Sample, ctx: Context) -> Verdict:
    """Flag a response in another language than the prompt asks for, is written in, or its source usually answers in.

    Code, formulas and addresses are left out; short texts and those whose language is unsure are not judged.
    """
    learned = (ctx.state("language") or {}).get(source_key(sample))
    found = _response_language(sample, thorough=learned is not None and not _english(learned))
    if found is None:
        return Verdict.abstain()
    asked = _asked_for(sample.prompt)
    if asked:
        if any(alike(found, one) for one in asked):
            return PASS
        wanted = " or ".join(name_of(one) for one in sorted(asked))
        return Verdict.flag("other-language", f"the prompt asks for {wanted}; the response is in {name_of(found)}")
    return _compared(sample, found, _prompt_language(sample), learned)


def _compared(sample: Sample, found: str, prompted: str, learned: Mapping[str, Mapping[str, int]] | None) -> Verdict:
    """The response's language against what its source does, or against the prompt's where that is not known."""
    row = _Row((learned or {}).get(prompted, {}))
    needed = _USUAL
    if row.total < FEWEST:
        if alike(found, prompted):
            return PASS
        row, needed = _Row(_added(learned or {})), _ALMOST_ALWAYS
    known = row.total >= FEWEST and row.share(row.usual) >= needed
    if known and row.share(found) < _UNUSUAL:
        whose = f"{row.share(row.usual):.0%} of the responses of {source_name(sample)}"
        message = f"in {name_of(found)}; {whose} are in {name_of(row.usual)}"
    elif prompted and not alike(found, prompted) and row.total < FEWEST:
        message = f"the prompt is in {name_of(prompted)}, the response in {name_of(found)}"
    else:
        return PASS
    changes = alike(found, prompted) and known
    if _NAMES.search(sample.prompt) or (not changes and _holds(sample.prompt, found)):
        return PASS
    return Verdict.flag("other-language", message)


def _added(learned: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The counts over prompts in all languages."""
    counts: Counter[str] = Counter()
    for row in learned.values():
        counts.update(row)
    return dict(counts)


def _holds(prompt: str, language: str) -> bool:
    """Whether part of the prompt is in that language too: an instruction before a text, or a text after it."""
    if language == "en":
        return has_english(prompt[:_LOOKED_AT].split())
    parts = (language_of(part) for part in _PARTS.split(prompt[:_LOOKED_AT])[:_MOST_PARTS] if part)
    return any(alike(part[0], language) for part in parts if part is not None)


@language.fit
def _usual_languages(samples: Iterable[Sample]) -> dict[str, dict[str, dict[str, int]]]:
    """Counts by source, language of the prompt (empty: unsure) and language of the response."""
    drawn: defaultdict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for sample in samples:
        draw = drawn[source_key(sample)]
        text = f"{sample.prompt}\0{sample.response}".encode("utf-8", "replace")
        # Negated, so that the heap gives up the greatest hash first.
        rank = -int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
        if len(draw) >= LEARNED_FROM and rank <= draw[0][0]:
            continue
        found = _response_language(sample, thorough=False)
        if found is not None:
            prompted = _prompt_language(sample)
            (heapq.heappush if len(draw) < LEARNED_FROM else heapq.heapreplace)(draw, (rank, prompted, found))
    return {source: _counted(draw) for source, draw in drawn.items() if len(draw) >= FEWEST}


def _counted(draw: Sequence[tuple[int, str, str]]) -> dict[str, dict[str, int]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for _, prompted, found in draw:
        counts[prompted][found] += 1
    return {prompted: dict(found) for prompted, found in counts.items()}


def _english(learned: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether most responses of a source are in English."""
    counts = [counts.get("en", 0) / sum(counts.values()) for counts in learned.values()]
    return min(counts) > 0.5


def _response_language(sample: Sample, *, thorough: bool) -> str | None:
    text = sample.response
    if len(text) < _SHORTEST or (text[0] in "{[" and text.rstrip()[-1:] in "}]"):
        return None
    return _language(text, reading(sample).words, thorough)


def _prompt_language(sample: Sample) -> str:
    """The language of the prompt, empty where it is not sure."""
    start = sample.prompt[:_LOOKED_AT]
    return _language(start, start.split(), False) or ""


def _language(text: str, words: Sequence[str], thorough: bool) -> str | None:
    """The language of a text's prose where it is long enough and sure.

    Unless it is to be thorough, the identifier, which takes some 100 µs, is not asked about texts that are plainly
    English, nor about those without a foreign letter or common word: they are code, names or figures.
    """
    if not thorough:
        if plainly_english(words):
            return "en"
        if text.isascii() and not plainly_foreign(words):
            return None
    prose = _NO_PROSE.sub(" ", text[:_LOOKED_AT])
    if letters(prose) < _FEWEST_LETTERS or _mostly_names(words):
        return None
    found = language_of(prose)
    return found[0] if found is not None and found[1] >= _LEAST_CONFIDENCE else None


def _mostly_names(words: Sequence[str]) -> bool:
    """Whether most words have a capital letter but not all letters are capitals: names and titles, in any language."""
    begun = [word for word in words[:200] if word[0].isupper() or word[0].islower()]
    capital = sum(word[0].isupper() for word in begun)
    return capital > _MOST_NAMES * len(begun) and not all(word.isupper() for word in begun)


def _asked_for(prompt: str) -> set[str]:
    """The languages that a prompt asks the response to be in."""
    if _BEFORE_A_NAME.search(prompt) is None:
        return set()
    return {_CODES[match["name"].capitalize()] for match in _REQUEST.finditer(prompt)}
