"""Words, sentences and shouted words, counted as the published checker of these rules counts them.

It cuts sentences with Punkt (Kiss and Strunk 2006) and words as the Penn Treebank does. Both are written out here in
the little that a count needs: Punkt's own tables are a download, so ours are the common abbreviations of English and
the words that open its sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from holdfast.db.models import Span

_WORD = re.compile(r"\w+")

_ABBREVIATION_LIST = """
adm ala ann approx apr apt ariz assn asst atty aug ave bros calif capt cmdr co col colo conn corp cpl ct dec dept dr
esq est etc feb fla gen gov hon inc jan jr jul jun ky lt ltd md messrs mich mr mrs ms mt nev nov oct okla ph.d prof
rep reps rev sec sen sens sept sgt sr st tenn tex thurs tues vol vs wis
"""
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
"""Without their last period, in lower case."""

_OPENER_LIST = """
a about after again all also although an and another any are as at because before both but by can can't could did do
does don't each even every few first for from had has have he her here hers his how however i'm if in is it it's its
just let let's many may maybe more most much my no nor not now of on once one only or other our out over perhaps
please put she should since so some soon still such take than thank that that's the their then there there's these
they this those though thus to today too under until up use very was we were what what's when where whether which
while who why will with without would yes yet you you're your
"""
_OPENERS = frozenset(_OPENER_LIST.split())
"""Words that are written with a capital letter only because a sentence begins."""

_END = re.compile(r"[.?!](?=[?!)\";}\]*:@'({\[]|\s+\S)")
_CLOSING = re.compile(r"\s*[\"')\]}]+(?=\s|--|\Z)")
_INITIALS = re.compile(r"(?!(?:p\.)+s\Z)(?:[^\W\d_]\.)+[^\W\d_]")
_NUMBER = re.compile(r"-?[.,]?\d[\d,.-]*$")
_BETWEEN_TOKENS = re.compile(r"[?!)\";}\]*:@'({\[]")
_LONGEST_TOKEN = 80

_APART = re.compile(r"[\s*()\[\]{}<>;@#$%&?!\"“”«»„‘’`]+|--+|\.\.+|[:,](?!\d)")
_CONTRACTION = re.compile(r"(?:'(?:S|s|M|m|D|d|LL|ll|RE|re|VE|ve)|N'T|n't)$")


def words(text: str) -> int:
    """How many words there are: runs of letters, digits and underscores."""
    return sum(1 for _ in _WORD.finditer(text))


def word_at(text: str, number: int) -> Span | None:
    """Where the word with this number (from 0) stands; None where there are not so many."""
    for index, match in enumerate(_WORD.finditer(text)):
        if index == number:
            return match.span()
    return None


def sentences(text: str) -> list[Span]:
    """The spans of the sentences, without the white space around them."""
    spans, start = [], 0
    for end in _breaks(text):
        closing = _CLOSING.match(text, end)
        end = end if closing is None else closing.end()
        if end > start and not text[start:end].isspace():
            spans.append(_trimmed(text, start, end))
            start = end
    if text[start:].strip():
        spans.append(_trimmed(text, start, len(text)))
    return spans


def shouted(text: str) -> Iterator[Span]:
    """The spans of the words in capital letters alone; a contraction counts as two words (DO|N'T)."""
    start = 0
    for gap in _APART.finditer(text):
        yield from _shouted_parts(text, start, gap.start())
        start = gap.end()
    yield from _shouted_parts(text, start, len(text))


def _shouted_parts(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    if not piece or piece.islower():
        return
    tail = _CONTRACTION.search(piece) if "'" in piece else None
    cut = end if tail is None or not tail.start() else start + tail.start()
    for one in ((start, cut), (cut, end)):
        if text[slice(*one)].isupper():
            yield one


def _breaks(text: str) -> Iterator[int]:
    """The offsets behind the marks that end a sentence, but for the text's last."""
    for found in _END.finditer(text):
        at = found.start()
        if text[at] != "." or _ends_sentence(text, at):
            yield at + 1


def _ends_sentence(text: str, at: int) -> bool:
    """Whether the period there ends a sentence: not after an abbreviation, an initial or dots, unless one begins."""
    token = _token_before(text, at)
    following = _token_after(text, at + 1)
    if text[at - 1 : at] == ".":
        return _opens(following)
    if len(token) == 1 and token.isalpha():
        first = max(0, at - _LONGEST_TOKEN)
        _, newline, line = text[first : at - 1].rpartition("\n")
        marks_item = not line.strip() and (newline or first == 0)
        return bool(marks_item) or _opens(following)
    if _NUMBER.match(token):
        return not following[:1].islower() and following[:1] not in (";", ":", ",", ".", "!", "?")
    plain = token.lower()
    if _INITIALS.fullmatch(plain) or plain in _ABBREVIATIONS or plain.rpartition("-")[2] in _ABBREVIATIONS:
        return _opens(following)
    return True


def _token_before(text: str, at: int) -> str:
    words = text[max(0, at - _LONGEST_TOKEN) : at].split()
    return _BETWEEN_TOKENS.split(words[-1])[-1].lstrip("`&#-,") if words else ""


def _token_after(text: str, at: int) -> str:
    rest = text[at : at + _LONGEST_TOKEN].split(maxsplit=1)
    return rest[0] if rest else ""


def _opens(token: str) -> bool:
    """Whether a token has a capital letter that only the beginning of a sentence explains."""
    return token[:1].isupper() and token.rstrip(".,;:!?").lower() in _OPENERS


def _trimmed(text: str, start: int, end: int) -> Span:
    sentence = text[start:end]
    return start + len(sentence) - len(sentence.lstrip()), end - len(sentence) + len(sentence.rstrip())
