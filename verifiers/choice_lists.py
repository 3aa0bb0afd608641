"""Questions of choice: the options that a sample offers, and which of them a text names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.db.models import Sample, Span

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_MOST = len(LETTERS)
_LONGEST_OPTION = 1_000
_MARKS_OF_B = ("\nB.", "\nB)", "\nB:", "\nb)", "\nb.", "(B)", "(b)", "\n B.", "\n B)", " B)")
_LINE = re.compile(r"^[ \t]{0,8}[-*]?[ ]?\(?([A-Za-z])[.):]\)?[ \t]+(\S[^\n]*)$", re.MULTILINE)
_INLINE = re.compile(r"(?<!\w)\(?([A-Za-z])\)[ \t]*(\S[^()\n]*)")
_NAMED = re.compile(
    r"[\s*_`\"'“(\[{$]{0,40}(?:\\text\{)?(?:(?:option|choice|answer)[ ])?[\s*_\"'“(\[]{0,40}"
    r"([A-Za-z])(?![\w'’])(?:[\s*_`\"'”)\]}.:,;$-]|$)",
    re.IGNORECASE,
)
_MARKED = re.compile(r"(?<!\w)(?:\(([A-Z])\)|(?:[Oo]ption|[Cc]hoice|[Aa]nswer)[ ]\(?([A-Z])(?![\w'’]))")
_OUTER = " \t\r\n*_`\"'“”‘’.,;:!?()[]{}$"


def options_of(sample: Sample) -> tuple[str, ...]:
    """The options of a question of choice: `metadata.choices`, else the lettered lines of the prompt; else none."""
    if sample.metadata_json is not None and '"choices"' in sample.metadata_json:
        options = options_in(sample.metadata.get("choices"))
        if options:
            return options
    prompt = sample.prompt
    return lettered(prompt) if any(mark in prompt for mark in _MARKS_OF_B) else ()


def options_in(value: object) -> tuple[str, ...]:
    """A list of 2 to 26 texts, or a mapping of letters to texts, as options in order; else none."""
    if isinstance(value, dict) and isinstance(value.get("text"), list):
        value = value["text"]
    elif isinstance(value, dict):
        value = [value[key] for key in sorted(value)] if all(len(str(key)) == 1 for key in value) else None
    if not isinstance(value, list) or not 2 <= len(value) <= _MOST:
        return ()
    if not all(isinstance(one, str | int | float) for one in value):
        return ()
    return tuple(str(one) for one in value)


def lettered(text: str) -> tuple[str, ...]:
    """The options of the last list lettered from A on, one a line or in brackets within a line; none if below two."""
    for pattern in (_LINE, _INLINE):
        options: list[str] = []
        best: tuple[str, ...] = ()
        for match in pattern.finditer(text):
            place = LETTERS.find(match[1].upper())
            if place == 0:
                options = [match[2].strip()]
            elif place == len(options) and options:
                options.append(match[2].strip())
                if len(options) >= 2:
                    best = tuple(options)
            else:
                options = []
        if best:
            return best
    return ()


def chosen(text: str, part: Span, options: Sequence[str]) -> tuple[str, Span] | None:
    """The letter of the one option that a part of a text names, and where; None if none or several."""
    count = len(options) or _MOST
    named = _NAMED.match(text, *part)
    if named is not None and LETTERS.find(named[1].upper()) < count and _is_letter(text, named, part, options):
        return named[1].upper(), named.span(1)
    by_text = _by_text(text, part, options)
    if by_text is not None:
        return by_text
    marked = {(one[1] or one[2]): one for one in _MARKED.finditer(text, *part)}
    if len(marked) == 1:
        letter, match = next(iter(marked.items()))
        if LETTERS.find(letter) < count:
            return letter, match.span(1) if match[1] else match.span(2)
    return None


def same_text(one: str, other: str) -> bool:
    """Whether two texts say the same but for case, outer punctuation and white space."""
    return _folded(one) == _folded(other)


def _is_letter(text: str, named: re.Match[str], part: Span, options: Sequence[str]) -> bool:
    """Whether a first letter names an option: "A cat" and "I think" begin with words."""
    if named[1].upper() not in ("A", "I"):
        return True
    after = text[named.end(1) : named.end(1) + 1]
    rest = text[named.end(1) : part[1]].strip(_OUTER)
    return after not in (" ", "") or not rest or any(same_text(rest, option) for option in options)


def _by_text(text: str, part: Span, options: Sequence[str]) -> tuple[str, Span] | None:
    """The option whose text a part is, or the one option that a short part contains."""
    if part[1] - part[0] > _LONGEST_OPTION:
        return None
    said = text[slice(*part)]
    for place, option in enumerate(options):
        if same_text(said, option):
            return LETTERS[place], part
    lowered = said.lower()
    if len(lowered) != len(said):
        return None
    found = []
    for place, option in enumerate(options):
        wanted = option.strip(_OUTER).lower()
        match = re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", lowered) if wanted else None
        if match is not None:
            found.append((match.span(), place))
    # An option inside another one that is named too ("blue" in "dark blue") does not count.
    outer = [(span, place) for span, place in found if not any(_inside(span, other) for other, _ in found)]
    if len(outer) != 1:
        return None
    (start, end), place = outer[0]
    return LETTERS[place], (part[0] + start, part[0] + end)


def _inside(span: Span, other: Span) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _folded(text: str) -> str:
    words = " ".join(text.split())
    return (words.strip(_OUTER) or words).casefold()
