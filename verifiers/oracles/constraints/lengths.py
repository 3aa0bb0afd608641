"""Rules about how long a text is, and how many parts it has."""

from __future__ import annotations

import re

from holdfast.db.models import Span
from holdfast.verifiers.oracles.constraints import counting
from holdfast.verifiers.oracles.constraints.rule import Arguments, Broken, Rule, plural, quoted

_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_ENDS_FIRST_WORD = re.compile(r"[.,?!'\"]")


def number_words(text: str, arguments: Arguments) -> Broken | None:
    """At least, or fewer than, so many words."""
    limit = arguments.limit("num_words", "relation")
    count = counting.words(text)
    if limit.allows(count):
        return None
    first_beyond = None if limit.at_least else counting.word_at(text, max(0, limit.number - 1))
    spans = () if first_beyond is None else ((first_beyond[0], len(text.rstrip())),)
    return Broken(f"asked for {limit} words; has {count:,}", spans)


def number_sentences(text: str, arguments: Arguments) -> Broken | None:
    """At least, or fewer than, so many sentences."""
    limit = arguments.limit("num_sentences", "relation")
    spans = counting.sentences(text)
    if limit.allows(len(spans)):
        return None
    return Broken(f"asked for {limit} sentences; has {len(spans):,}", limit.beyond(spans))


def number_paragraphs(text: str, arguments: Arguments) -> Broken | None:
    """Exactly so many paragraphs, divided by `***`; none of them empty."""
    wanted = arguments.count("num_paragraphs")
    dividers = [match.span() for match in _DIVIDER.finditer(text)]
    starts = [0, *(end for _, end in dividers)]
    ends = [*(start for start, _ in dividers), len(text)]
    blank = [not text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    if any(blank[1:-1]):
        at = blank.index(True, 1)
        message = f"asked for {plural(wanted, 'paragraph')} divided by ***; paragraph {at + 1} is empty"
        return Broken(message, (dividers[at],))
    count = len(blank) - blank[0] - (blank[-1] and len(blank) > 1)
    if count == wanted:
        return None
    return Broken(f"asked for {plural(wanted, 'paragraph')} divided by ***; has {count:,}")


def nth_paragraph_first_word(text: str, arguments: Arguments) -> Broken | None:
    """Exactly so many paragraphs, divided by blank lines; the n-th begins with the given word."""
    wanted, nth = arguments.count("num_paragraphs"), arguments.count("nth_paragraph")
    word = arguments.text("first_word").lower()
    paragraphs = text.split("\n\n")
    count = sum(1 for paragraph in paragraphs if paragraph.strip())
    if count != wanted:
        return Broken(f"asked for {plural(wanted, 'paragraph')} divided by blank lines; has {count:,}")
    if not 1 <= nth <= count or not paragraphs[nth - 1].strip():
        return Broken(f"asked for paragraph {nth} to begin with {quoted(word)}; there is none")
    first = paragraphs[nth - 1].split()[0]
    if _ENDS_FIRST_WORD.split(first.lstrip("'").lstrip('"').lower())[0] == word:
        return None
    message = f"asked for paragraph {nth} to begin with {quoted(word)}; it begins with {quoted(first)}"
    return Broken(message, (_first_word_span(text, paragraphs, nth),))


def _first_word_span(text: str, paragraphs: list[str], nth: int) -> Span:
    offset = sum(len(paragraph) + 2 for paragraph in paragraphs[: nth - 1])
    paragraph = paragraphs[nth - 1]
    start = offset + len(paragraph) - len(paragraph.lstrip())
    return start, start + len(paragraph.split()[0])


RULES: dict[str, Rule] = {
    "length_constraints:nth_paragraph_first_word": nth_paragraph_first_word,
    "length_constraints:number_paragraphs": number_paragraphs,
    "length_constraints:number_sentences": number_sentences,
    "length_constraints:number_words": number_words,
}
