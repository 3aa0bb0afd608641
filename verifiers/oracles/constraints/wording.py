"""Rules about the words of a text, their letters and their language."""

from __future__ import annotations

import re

from holdfast.db.models import Span
from holdfast.verifiers.languages import language_of, name_of
from holdfast.verifiers.oracles.constraints import counting
from holdfast.verifiers.oracles.constraints.rule import Arguments, BadArgumentError, Broken, Rule, plural, quoted
from holdfast.verifiers.shown import shown

_WORD = re.compile(r"\w+")


def existence(text: str, arguments: Arguments) -> Broken | None:
    """Each of the given words, in any case and inside longer words too."""
    missing = [word for word in arguments.texts("keywords") if not _places(word, text)]
    if not missing:
        return None
    return Broken(f"asked for the {_listed('keyword', missing)}; not there")


def frequency(text: str, arguments: Arguments) -> Broken | None:
    """The given word at least, or fewer than, so many times, in any case and inside longer words too."""
    limit, word = arguments.limit("frequency", "relation"), arguments.text("keyword")
    spans = _places(word, text)
    if limit.allows(len(spans)):
        return None
    message = f"asked for the word {quoted(word)} {limit} times; comes {plural(len(spans), 'time')}"
    return Broken(message, limit.beyond(spans))


def forbidden_words(text: str, arguments: Arguments) -> Broken | None:
    """None of the given words as a whole word, in any case."""
    found = {word: _places(word, text, whole=True) for word in arguments.texts("forbidden_words")}
    used = sorted((spans[0], word) for word, spans in found.items() if spans)
    if not used:
        return None
    spans = sorted(span for places in found.values() for span in places)
    times = f", {len(spans):,} times" if len(spans) > len(used) else ""
    return Broken(f"asked to avoid the {_listed('word', [word for _, word in used])}; used{times}", tuple(spans))


def letter_frequency(text: str, arguments: Arguments) -> Broken | None:
    """The given letter at least, or fewer than, so many times, in any case."""
    limit, letter = arguments.limit("let_frequency", "let_relation"), arguments.text("letter").lower()
    if len(letter) > 1:
        raise BadArgumentError(f"letter should be one letter, not {quoted(letter)}")
    lowered = text.lower()
    count = lowered.count(letter)
    if limit.allows(count):
        return None
    spans = _places(letter, text) if len(lowered) == len(text) else []
    message = f"asked for the letter {quoted(letter)} {limit} times; comes {plural(count, 'time')}"
    return Broken(message, limit.beyond(spans))


def capital_word_frequency(text: str, arguments: Arguments) -> Broken | None:
    """At least, or fewer than, so many words in capital letters alone."""
    limit = arguments.limit("capital_frequency", "capital_relation")
    spans = list(counting.shouted(text))
    if limit.allows(len(spans)):
        return None
    return Broken(f"asked for {limit} words in capital letters; has {len(spans):,}", limit.beyond(spans))


def english_capital(text: str, arguments: Arguments) -> Broken | None:
    """English, in capital letters alone."""
    return _one_case(text, "capital") or _not_english(text)


def english_lowercase(text: str, arguments: Arguments) -> Broken | None:
    """English, in lower-case letters alone."""
    return _one_case(text, "lower-case") or _not_english(text)


def no_comma(text: str, arguments: Arguments) -> Broken | None:
    """No comma."""
    if "," not in text:
        return None
    spans = [match.span() for match in re.finditer(",", text)]
    return Broken(f"asked for no commas; has {len(spans):,}", tuple(spans))


def response_language(text: str, arguments: Arguments) -> Broken | None:
    """The given language, by its ISO 639-1 code."""
    wanted = arguments.text("language").lower().partition("-")[0]
    found = language_of(text)
    if found is None or found[0] == wanted:
        return None
    return Broken(f"asked for {shown(name_of(wanted))}; this is {name_of(found[0])}")


def _one_case(text: str, wanted: str) -> Broken | None:
    """How a text breaks the rule that all its letters are `capital` or `lower-case`; the spans are words."""
    capital = wanted == "capital"
    if text.isupper() if capital else text.islower():
        return None
    spans: list[Span] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word != (word.upper() if capital else word.lower()):
            spans.append(match.span())
    if not spans:
        return Broken(f"asked for {wanted} letters alone; has none")
    wrong = "lower-case" if capital else "capital"
    return Broken(f"asked for {wanted} letters alone; {plural(len(spans), 'word')} with {wrong} letters", tuple(spans))


def _not_english(text: str) -> Broken | None:
    """The published checker wants English to be recognised, not merely no other language."""
    found = language_of(text)
    if found is None:
        return Broken("asked for English; too short, or too few words, for its language to be told")
    return None if found[0] == "en" else Broken(f"asked for English; this is {name_of(found[0])}")


def _places(word: str, text: str, *, whole: bool = False) -> list[Span]:
    edge = r"\b" if whole else ""
    return [match.span() for match in re.finditer(edge + re.escape(word) + edge, text, re.IGNORECASE)]


def _listed(thing: str, words: list[str]) -> str:
    return f"{thing}{'s' if len(words) > 1 else ''} {', '.join(quoted(word) for word in words)}"


RULES: dict[str, Rule] = {
    "change_case:capital_word_frequency": capital_word_frequency,
    "change_case:english_capital": english_capital,
    "change_case:english_lowercase": english_lowercase,
    "keywords:existence": existence,
    "keywords:forbidden_words": forbidden_words,
    "keywords:frequency": frequency,
    "keywords:letter_frequency": letter_frequency,
    "language:response_language": response_language,
    "punctuation:no_comma": no_comma,
}
