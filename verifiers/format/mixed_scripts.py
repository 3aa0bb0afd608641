"""Words that hide letters of another script, and passages in a script that the text is not written in."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

from holdfast.db.models import PASS, Finding, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.format.scripts import CYRILLIC_LIKE, LATIN_LIKE, OTHER_THAN_LATIN, RUN, script_of
from holdfast.verifiers.reading import reading

SHOWN = 5
"""Most findings of one kind in one text."""

_LATIN = "A-Za-zÀ-ÖØ-öø-ɏ"
_LOOKALIKES = f"{''.join(LATIN_LIKE)}\u0400-\u052f"
_MEETING = re.compile(f"[{_LATIN}](?=[{_LOOKALIKES}])|[{_LOOKALIKES}](?=[{_LATIN}])")
_LETTERS = re.compile(r"[^\W\d_]+")
_LONGEST_WORD = 60

_MAIN_SHARE = 0.8
_FEWEST_OF_MAIN = 40
_FEWEST_STRAY = {"Chinese": 2, "Japanese": 2, "Korean": 2}
_FEWEST_STRAY_ELSE = 4
_EAST_ASIAN = {"Chinese", "Japanese", "Korean"}
_WORTH = 3
"""Letters of an alphabet that say as much as one of these scripts."""
_NEAR = 3
_SET_OFF = frozenset("\"'“”‘’«»„‹›()[]{}（）【】《》「」『』〈〉<>*_`:：=/|~→-–—•#")
_ABOUT_LANGUAGE = re.compile(
    r"translat|language|script|alphabet|letter|character|word|pronounc|spell|unicode|phrase|greet|name|\bsay\b"
    r"|arab|chin|japan|korea|russ|ukrain|bulgar|greek|greece|hebr|israel|hindi|india|thai|persia|iran|urdu|nepal|sinhal"
    r"|tamil|bengal|georgia|armen|serb|kanji|mandarin|cyrillic",
    re.IGNORECASE,
)


class _Passage(NamedTuple):
    script: str
    span: Span
    letters: int


@verifier(layer="format", version="1")
def mixed_scripts(sample: Sample, ctx: Context) -> Verdict:
    """Flag letters of another script that look the same inside a word, and stray passages in another script."""
    seen = reading(sample)
    if seen.ascii and sample.prompt.isascii():
        return PASS
    findings = [*_disguised(seen.response, "response"), *_disguised(sample.prompt, "prompt")]
    findings += _stray(seen.response, sample.prompt)
    return Verdict.found(findings)


def _disguised(text: str, of: Literal["response", "prompt"]) -> Iterator[Finding]:
    """A finding at each letter, or run of them, that makes a word look like another."""
    if text.isascii() or OTHER_THAN_LATIN.search(text) is None:
        return
    yield from islice(_disguises(text, of), SHOWN)


def _disguises(text: str, of: Literal["response", "prompt"]) -> Iterator[Finding]:
    done = 0
    for meeting in _MEETING.finditer(text):
        at = meeting.start()
        if at < done:
            continue
        start, done = _word_around(text, at)
        for span in _odd_letters(text, start, done):
            letter = text[span[0]]
            others = "Latin" if letter in LATIN_LIKE else "Cyrillic"
            named = f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".rstrip()
            message = f"{text[start:done]!r} mixes scripts: {letter!r} is {named} among {others} letters"
            yield Finding("mixed-script-word", Severity.WARN, message, span, of)


def _word_around(text: str, at: int) -> Span:
    """The run of letters that holds the place, no longer than a word can be."""
    first = max(0, at - _LONGEST_WORD)
    for word in _LETTERS.finditer(text, first, at + _LONGEST_WORD):
        if word.end() > at:
            return word.span()
    return at, at + 1


def _odd_letters(text: str, start: int, end: int) -> Iterator[Span]:
    """The letters of a word that look like letters of its other script, where all of their own script do."""
    word = text[start:end]
    scripts = [script_of(letter) for letter in word]
    own, *other = [script for script, _ in Counter(scripts).most_common()]
    if len(other) != 1 or "Latin" not in (own, other[0]):
        return
    script = other[0]
    looks = CYRILLIC_LIKE if script == "Latin" else LATIN_LIKE
    odd = [letter for letter, its in zip(word, scripts, strict=True) if its == script]
    if not all(letter in looks for letter in odd) or (script == "Latin" and own != "Cyrillic"):
        return
    if _is_inflected(word, scripts):
        return
    at = scripts.index(script)
    stop = next((index for index in range(at, len(word)) if scripts[index] != script), len(word))
    yield start + at, start + stop


def _is_inflected(word: str, scripts: list[str]) -> bool:
    """Whether a name in Latin capitals has the ending of another language (SMSа), which is how one writes there."""
    turn = next((at for at, script in enumerate(scripts) if script != "Latin"), 0)
    return turn >= 2 and word[:turn].isupper() and word[turn:].islower() and "Latin" not in scripts[turn:]


def _stray(text: str, prompt: str) -> Iterator[Finding]:
    """A finding at each passage of another script that nothing in the prompt or around it explains."""
    if OTHER_THAN_LATIN.search(text) is None:
        return
    passages = list(_passages(text))
    counts = Counter({"Latin": sum(map(str.isalpha, text))})
    for script, _, letters in passages:
        counts[script] += letters * (_WORTH if script in _EAST_ASIAN else 1)
        counts["Latin"] -= letters
    main, most = counts.most_common(1)[0]
    if most < _FEWEST_OF_MAIN or most < _MAIN_SHARE * counts.total():
        return
    stray = [one for one in passages if one.script != main and not ({one.script, main} <= _EAST_ASIAN)]
    if not stray or _ABOUT_LANGUAGE.search(prompt):
        return
    asked = {script_of(letter) for letter in prompt}
    for script, span, _ in islice((one for one in stray if _is_out_of_place(text, one, asked)), SHOWN):
        message = f"a passage in {script} letters stands in a text in {main} letters: {_shown(text[slice(*span)])}"
        yield Finding("stray-script", Severity.WARN, message, span)


def _is_out_of_place(text: str, passage: _Passage, asked: set[str]) -> bool:
    """Whether a passage is long enough to be no symbol, and neither quoted nor explained where it stands."""
    if passage.script in asked or passage.letters < _FEWEST_STRAY.get(passage.script, _FEWEST_STRAY_ELSE):
        return False
    start, end = passage.span
    around = text[max(0, start - _NEAR) : start] + text[end : end + _NEAR]
    return not any(mark in _SET_OFF for mark in around)


def _passages(text: str) -> Iterator[_Passage]:
    """Runs of letters of one script, joined over the spaces and punctuation between them."""
    open_one: _Passage | None = None
    for run in RUN.finditer(text):
        script, (start, end) = script_of(run.group()[0]), run.span()
        if open_one is not None and open_one.script == script and start - open_one.span[1] <= 2:
            open_one = _Passage(script, (open_one.span[0], end), open_one.letters + end - start)
            continue
        if open_one is not None:
            yield open_one
        open_one = _Passage(script, (start, end), end - start)
    if open_one is not None:
        yield open_one


def _shown(passage: str) -> str:
    return repr(passage if len(passage) <= 30 else passage[:29] + "…")
