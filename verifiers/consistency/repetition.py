"""Text that goes round in circles: a phrase repeated over and over, or most of the words said before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from holdfast.db.models import Sample, Span, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.reading import reading

FEWEST_WORDS = 20
"""Shorter texts are not judged: a refrain of a few words is no loop."""
FEWEST_FOR_SHARE = 40
"""Words that a text must have before the share of its words said before means anything."""

_LOOP_OFFSET = 12
_FEWEST_AGAIN = 10
_LEAST_SHARE = 0.15
"""Shares of words said before that are smaller are not measured: they are usual."""
_PLAIN_LOOP = 10
_SEEN_LENGTH = 8
_SYMBOL_WEIGHT = 0.2
_LETTERS_PER_WORD = 5
_LONG_TOKEN = 40
_LOOKED_AT = 2_000
_TAIL = 200_000

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
# In scripts without spaces a character takes the place of a word.
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_STUTTER = re.compile(r"([^\W\d_]|[^\W\d_].{1,19}?)\1{9,}")
_TABLE_LINE = re.compile(r"^[^\n]*(?:\|[^\n]*\||\t[^\n]*\t)[^\n]*$", re.MULTILINE)
_LITERALS = frozenset({"None", "True", "False", "null", "true", "false", "nan", "NaN", "NULL"})


class Loop(NamedTuple):
    """A sequence that follows itself: `weight` is the number of words that only repeat, `times` how often it comes."""

    weight: float
    span: Span
    phrase: str
    times: int


@verifier(layer="consistency", version="1")
def repetition(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.55)) -> Verdict:
    """Score how far a response repeats itself: by its longest loop, and by the share of its words said before.

    The score runs from 0 to 1: 15 words in a loop, or 55 % of the words in sequences that came before, reach 0.55. Of a
    very long response the end is judged, where loops are.

    Options:
        flag_at: how far a text may repeat itself, from 0 to 1
    """
    cut = max(0, len(sample.response) - _TAIL)
    text = sample.response[cut:]
    if not text.isascii() and _HAS_UNSPACED.search(text):
        words = _TOKEN.findall(text)
    else:
        words = text.split() if cut else reading(sample).words
    longest = max(map(len, words), default=0) if cut else reading(sample).longest_word
    loop = _stutter(text) if longest >= _LONG_TOKEN else _NO_LOOP
    share, span = 0.0, (0, 0)
    again = _said_again(words) if len(words) >= FEWEST_WORDS else 0
    if again >= _FEWEST_AGAIN:
        if any(end - start >= period for start, end, period in _runs(words)):
            loop = max(loop, _longest_loop(text), key=lambda one: one.weight)
        if again >= _LEAST_SHARE * len(words):
            share, span = _said_before(text)
    looped = loop.weight / (loop.weight + _LOOP_OFFSET)
    value = round(max(looped, share), 3)
    if value == 0:
        return _NO_REPETITION
    if looped >= share or loop.weight >= _PLAIN_LOOP:
        message = f"{_quoted(loop.phrase)} comes {loop.times} times in a row"
        return Verdict.score(value, code="loop", message=message, span=(loop.span[0] + cut, loop.span[1] + cut))
    message = f"{share:.0%} of the words repeat sequences of {_SEEN_LENGTH} or more that came before"
    return Verdict.score(value, code="repeats-itself", message=message, span=(span[0] + cut, span[1] + cut))


_NO_REPETITION = Verdict.score(0.0)


def _said_again(words: Sequence[str]) -> int:
    """How many sequences of four words come again; 0 where it cannot be enough for a closer look."""
    # A sequence of four that comes again brings two words that do, and those are quicker to count.
    if len(words) - 1 - len(set(pairwise(words))) < _FEWEST_AGAIN:
        return 0
    fours = zip(words, words[1:], words[2:], words[3:], strict=False)
    return len(words) - 3 - len(set(fours))


def _longest_loop(text: str) -> Loop:
    """The run of words, each the same as the one a fixed number of words before it, that weighs most."""
    places = [(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    best = _NO_LOOP
    for start, end, period in _runs([word for word, _, _ in places]):
        repeated = end - start
        if repeated < period or repeated <= best.weight:
            continue
        span = (places[start - period][1], places[end - 1][2])
        weight = repeated * (_SYMBOL_WEIGHT if _is_symbols(places[start - period : start], text[slice(*span)]) else 1)
        if weight > best.weight:
            phrase = text[places[start - period][1] : places[start - 1][2]]
            best = Loop(weight, span, phrase, repeated // period + 1)
    return best


_NO_LOOP = Loop(0.0, (0, 0), "", 0)


def _runs(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of words (start, end) whose every sequence of three last came the same number of words (period) before."""
    last: dict[tuple[str, str, str], int] = {}
    period, start = 0, 0
    threes = list(zip(words, words[1:], words[2:], strict=False))
    for at, three in enumerate(threes):
        before = last.get(three)
        last[three] = at
        distance = 0 if before is None else at - before
        if distance != period:
            if period:
                yield start, at + 2, period
            period, start = distance, at
    if period:
        yield start, len(threes) + 2, period


def _is_symbols(block: Sequence[tuple[str, int, int]], text: str) -> bool:
    """Whether a loop is of a kind that data, tables and code are full of: no letters, one literal, table cells."""
    words = [word for word, _, _ in block]
    if not any(letter.isalpha() for word in words for letter in word):
        return True
    if len(words) == 1 and words[0].strip(",;()[]{}") in _LITERALS:
        return True
    return _TABLE_LINE.search(text) is not None


def _said_before(text: str) -> tuple[float, Span]:
    """The share of words in sequences that came before (none of tables and symbols), and the longest stretch."""
    every = len(_TOKEN.findall(text))
    if "|" in text or "\t" in text:
        text = _TABLE_LINE.sub(lambda line: " " * len(line.group()), text)
    places = [match for match in _TOKEN.finditer(text) if any(letter.isalnum() for letter in match.group())]
    if len(places) < FEWEST_FOR_SHARE:
        return 0.0, (0, 0)
    stretches = list(_repeated_stretches([match.group() for match in places]))
    start, end = max(stretches, key=lambda one: one[1] - one[0], default=(0, 1))
    repeated = sum(end - start for start, end in stretches)
    return repeated / every, (places[start].start(), places[end - 1].end())


def _repeated_stretches(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Stretches of words (start, end) made of sequences that came before; sequences of numbers do not count."""
    named = [any(letter.isalpha() for letter in word) for word in words]
    seen: set[tuple[str, ...]] = set()
    start = end = 0
    for at in range(len(words) - _SEEN_LENGTH + 1):
        sequence = tuple(words[at : at + _SEEN_LENGTH])
        if sequence not in seen:
            seen.add(sequence)
        elif 2 * sum(named[at : at + _SEEN_LENGTH]) >= _SEEN_LENGTH:
            if at > end:
                if end > start:
                    yield start, end
                start = at
            end = at + _SEEN_LENGTH
    if end > start:
        yield start, end


def _stutter(text: str) -> Loop:
    """The longest repetition inside one long word (haha…); what it repeats counts as words of average length."""
    best = _NO_LOOP
    for match in re.finditer(rf"\S{{{_LONG_TOKEN},}}", text):
        found = _STUTTER.search(text, match.start(), min(match.end(), match.start() + _LOOKED_AT))
        if found is not None:
            weight = (len(found.group()) - len(found[1])) / _LETTERS_PER_WORD
            if weight > best.weight:
                best = Loop(weight, found.span(), found[1], len(found.group()) // len(found[1]))
    return best


def _quoted(phrase: str) -> str:
    phrase = " ".join(phrase.split())
    return repr(phrase if len(phrase) <= 60 else phrase[:59] + "…")
