"""The answer that a text gives: its number, choice, label, JSON value or few words, in a form that compares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import orjson

from holdfast.db.models import Sample, Span
from holdfast.verifiers.choice_lists import chosen, options_of
from holdfast.verifiers.numbers import number_in, numbers, plain, whole_number

__all__ = [
    "Answer",
    "Kind",
    "number_answer",
    "number_in",
    "read_answer",
    "read_text_answer",
    "stated_number",
    "stated_part",
]

Kind = Literal["number", "choice", "label", "json", "text"]

LONGEST_TEXT = 80
"""Most characters of an answer that is compared as text."""
MOST_WORDS = 8
"""Most words of an answer that is compared as text."""
LONGEST_LABEL = 200
"""Most characters of a label."""
LONGEST_JSON = 1_000_000
"""Most characters of a JSON answer."""

_TAIL = 20_000
_STATEMENT = 300
_PLAIN_LAST_LINE = re.compile(
    r"(?:####|(?:\*\*)?(?:[Ff]inal )?(?:[Aa]nswer|A):(?:\*\*)?)\s*"
    r"([-−])?\$?(\d{1,3}(?:,\d{3})+|\d{1,30})(?:\.(\d{1,30}))?$"
)
_MARK = re.compile(
    r"\\boxed\s?\{|\#{4}[ \t]|"
    r"(?:^|(?<=[.!?]\s))[ \t*_#>]{0,8}(?:(?:the[ ])?(?:(?:final|correct)[ ])?answer|ans|a)[*_]{0,2}[ ]?:|"
    r"\banswer(?:[ ][\w'’]{1,20}){0,8}?[ ](?:is|was|equals|would[ ]be|will[ ]be|should[ ]be)\b[ ]?:?",
    re.IGNORECASE | re.MULTILINE,
)
_FIRST_OF_PROGRAM = re.compile(r"import |from \w|def \w|class \w|```|#!|[a-z_]\w{2,} = ")
_LAST_OF_PROGRAM = re.compile(r"\s*(?:[a-z_]\w{2,} [-+*/]?= [^$]*$|return\b|print\(|```)")
_SIGN = re.compile(r"\s*(?:[-+*/×÷·^xX−]|\*\*)\s*[($]{0,2}")
_FORMULA = re.compile(r"[\\^√π]")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")
_OUTER = " \t\r\n*_`\"'“”‘’.,;:!?()[]{}$\\"
_FENCED = re.compile(r"\s*```(?:json|JSON)?[ \t]*\n(.*?)\n?```\s*", re.DOTALL)


class Answer(NamedTuple):
    """An answer as it compares: equal answers of one kind have equal values; `span` is its place in the text.

    `unit` is the word or sign behind a number, lower case; `stated` is False for a number that merely comes last.
    """

    kind: Kind
    value: str
    span: Span | None = None
    unit: str | None = None
    stated: bool = True


def read_answer(sample: Sample, *, choices: Sequence[str] | None = None) -> Answer | None:
    """The answer of a sample's response, read as what its prompt, reference and label ask for; None if unclear.

    `choices` are the options of a question of choice where `metadata.choices` and the prompt do not give them.
    """
    text = sample.response
    options = choices if choices is not None else options_of(sample)
    if options:
        return read_text_answer(text, kind="choice", choices=options)
    if sample.label is not None:
        return read_text_answer(text, kind="label")
    reference = sample.reference
    if reference is not None:
        if stated_number(reference) is not None:
            return number_answer(text)
        return read_text_answer(text, kind=_kind_of(reference))
    if (number := stated_number(text)) is not None:
        return number
    return read_text_answer(text, kind=_kind_of(text))


def read_text_answer(text: str, *, kind: Kind, choices: Sequence[str] = ()) -> Answer | None:
    """The answer of the given kind that a text gives, or None; a choice may need the options, in order."""
    if kind == "number":
        return number_answer(text)
    if kind == "choice":
        return _choice(text, choices)
    if kind == "json":
        return _json(text)
    if kind == "label":
        value = folded(text) if len(text) <= LONGEST_LABEL else ""
        return Answer("label", value, _trimmed(text, (0, len(text)))) if value else None
    return _words(text)


def number_answer(text: str) -> Answer | None:
    """The number that a text states as its answer, else its last one; None where unclear, and of a program."""
    plainly = _plainly_stated(text)
    if plainly is not None:
        return plainly
    if looks_like_program(text):
        return None
    return stated_number(text) or _last_number(text)


def stated_number(text: str) -> Answer | None:
    """The number that a text is, or states as its final answer; None where it does neither."""
    plainly = _plainly_stated(text)
    if plainly is not None:
        return plainly
    part = stated_part(text)
    if part is None:
        number = whole_number(text)
        return None if number is None else Answer("number", number.value, number.span, number.unit)
    return _number_of(text, part)


def stated_part(text: str) -> Span | None:
    """Where a text states its final answer: behind "A:", "####", "the answer is", inside \\boxed{}; None if nowhere."""
    cut = max(0, len(text) - _TAIL)
    lowered = text[cut:].lower()
    if not ("a:" in lowered or "answer" in lowered or "boxed" in lowered or "####" in lowered or "ans" in lowered):
        return None
    last = boxed = None
    for match in _MARK.finditer(text, cut):
        last = match
        if match.group()[0] == "\\":
            boxed = match
    if boxed is not None:
        return _boxed(text, boxed.end())
    return None if last is None else _statement(text, last.end())


def looks_like_program(text: str) -> bool:
    """Whether a text begins or ends like code, whose answer is what it computes."""
    end = len(text.rstrip())
    last = text.rfind("\n", 0, end) + 1
    return bool(_FIRST_OF_PROGRAM.match(text) or _LAST_OF_PROGRAM.match(text, last, end))


def folded(text: str) -> str:
    """A short text as it compares: without case, outer punctuation and surplus white space."""
    words = " ".join(text.split())
    return (words.strip(_OUTER) or words).casefold()


def _plainly_stated(text: str) -> Answer | None:
    """The number of a last line such as "A: 1,234.50" or "#### 18": most answers of most data sets."""
    end = len(text)
    while end and text[end - 1] in " \n\r\t.":
        end -= 1
    match = _PLAIN_LAST_LINE.match(text, text.rfind("\n", 0, end) + 1, end)
    if match is None or "\\boxed" in text:
        return None
    sign, whole, tail = match.groups()
    if "," in whole:
        whole = whole.replace(",", "")
    at = match.start(1) if sign is not None else match.start(2)
    return Answer("number", plain(sign is not None, whole, tail or ""), (at, match.end()))


def _number_of(text: str, part: Span) -> Answer | None:
    """The one number of a statement; of an equation what stands behind the last sign; None where it is unclear."""
    said = text[slice(*part)]
    if _FORMULA.search(said):
        whole = whole_number(said)
        if whole is None:
            return None
        return Answer("number", whole.value, (part[0] + whole.span[0], part[0] + whole.span[1]), whole.unit)
    found = list(numbers(text, *part))
    if len(found) > 1 and "=" in said:
        equals = text.rindex("=", *part)
        found = [one for one in found if one.span[0] > equals]
        if len(found) > 1 and _SIGN.fullmatch(text, found[0].span[1], found[1].span[0]):
            return None  # 75 = 3 * 25
        found = found[:1]
    if not found or len({(one.value, one.unit) for one in found}) > 1:
        return None
    return Answer("number", found[0].value, found[0].span, found[0].unit)


def _last_number(text: str) -> Answer | None:
    part = stated_part(text)
    if part is not None and any(mark.isdigit() for mark in text[slice(*part)]):
        return None
    last = None
    for last in numbers(text, max(0, len(text) - _TAIL // 10)):  # noqa: B007
        pass
    return None if last is None else Answer("number", last.value, last.span, last.unit, False)


def _choice(text: str, choices: Sequence[str]) -> Answer | None:
    part = stated_part(text)
    if part is not None:
        found = chosen(text, part, choices)
        if found is not None:
            return Answer("choice", *found)
    found = chosen(text, _trimmed(text, (0, len(text))), choices)
    return None if found is None else Answer("choice", *found)


def _words(text: str) -> Answer | None:
    part = stated_part(text) or (0, len(text))
    if part[1] - part[0] > LONGEST_TEXT:
        return None
    value = folded(text[slice(*part)])
    if value.count(" ") >= MOST_WORDS or looks_like_program(text):
        return None
    return Answer("text", value, _trimmed(text, part)) if value else None


def _kind_of(text: str) -> Kind:
    return "json" if _json(text) is not None else "text"


def _json(text: str) -> Answer | None:
    fenced = _FENCED.fullmatch(text) if "```" in text else None
    span = fenced.span(1) if fenced else _trimmed(text, (0, len(text)))
    if text[span[0] : span[0] + 1] not in ("{", "["):
        return None
    if span[1] - span[0] > LONGEST_JSON:
        return None
    try:
        value = _settled(orjson.loads(text[slice(*span)]))
        return Answer("json", orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode(), span)
    except (ValueError, TypeError, RecursionError):
        return None


def _settled(value: Any) -> Any:
    """JSON with its whole floats as integers, so that 1 and 1.0 compare equal."""
    if isinstance(value, dict):
        return {key: _settled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_settled(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _boxed(text: str, start: int) -> Span | None:
    """The content of \\boxed{…}, to the brace that closes it."""
    depth = 1
    for at in range(start, min(len(text), start + _STATEMENT)):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return start, at
    return None


def _statement(text: str, start: int) -> Span | None:
    """What follows a mark, to the end of its sentence; from the next line where its own says nothing."""
    while start < len(text) and text[start] in " \t\r\n*_:":
        start += 1
    limit = min(len(text), start + _STATEMENT)
    end = _SENTENCE_END.search(text, start, limit)
    stop = end.start() if end is not None else limit
    return _trimmed(text, (start, stop)) if stop > start else None


def _trimmed(text: str, span: Span) -> Span:
    """A span without white space and bold marks at its ends."""
    part = text[slice(*span)]
    start = span[0] + len(part) - len(part.lstrip(" \t\r\n*_"))
    return start, max(start, span[0] + len(part.rstrip(" \t\r\n*_")))
