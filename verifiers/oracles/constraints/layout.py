"""Rules about the form of a text: its lists, sections, titles, beginning and end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from holdfast.db.models import Span
from holdfast.verifiers.oracles.constraints.rule import Arguments, Broken, Rule, plural, quoted
from holdfast.verifiers.shown import shown

CONSTRAINED_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")

_HIGHLIGHT = re.compile(r"\*[^\n*]*\*")
_DOUBLE_HIGHLIGHT = re.compile(r"\*\*[^\n*]*\*\*")
_SIX_STARS = "******"
_FENCES = ("```json", "```Json", "```JSON", "```")
_POSTSCRIPTS = {"P.S.": r"p\.\s?s\.", "P.P.S": r"p\.\s?p\.\s?s"}


def number_placeholders(text: str, arguments: Arguments) -> Broken | None:
    """At least so many placeholders in square brackets."""
    wanted = arguments.count("num_placeholders")
    count = sum(1 for _ in _bracketed(text))
    if count >= wanted:
        return None
    return Broken(f"asked for at least {plural(wanted, 'placeholder')} in square brackets; has {count:,}")


def postscript(text: str, arguments: Arguments) -> Broken | None:
    """A postscript behind the given marker."""
    marker = arguments.text("postscript_marker")
    pattern = _POSTSCRIPTS.get(marker) or re.escape(marker.lower())
    if re.search(pattern, text.lower()):
        return None
    return Broken(f"asked for a postscript after {shown(marker)}; has none")


def number_bullet_lists(text: str, arguments: Arguments) -> Broken | None:
    """Exactly so many bullet points, lines that begin with `*` or `-`."""
    wanted = arguments.count("num_bullets")
    spans = list(_bullets(text))
    if len(spans) == wanted:
        return None
    message = f"asked for {plural(wanted, 'bullet point')}; has {len(spans):,}"
    return Broken(message, tuple(spans[wanted:]))


def constrained_response(text: str, arguments: Arguments) -> Broken | None:
    """One of the three answers that are allowed: yes, no or maybe, in a set sentence."""
    if any(answer in text for answer in CONSTRAINED_ANSWERS):
        return None
    return Broken(f"asked for one of {', '.join(map(repr, CONSTRAINED_ANSWERS))}; has none of them")


def number_highlighted_sections(text: str, arguments: Arguments) -> Broken | None:
    """At least so many passages between asterisks."""
    wanted = arguments.count("num_highlights")
    single = sum(1 for found in _HIGHLIGHT.findall(text) if found.strip("*").strip())
    double = sum(1 for found in _DOUBLE_HIGHLIGHT.findall(text) if found[2:-2].strip())
    if single + double >= wanted:
        return None
    message = f"asked for at least {plural(wanted, 'highlighted section')} (*…*); has {single + double:,}"
    return Broken(message)


def multiple_sections(text: str, arguments: Arguments) -> Broken | None:
    """At least so many sections, each opened by the given word and a number."""
    marker, wanted = arguments.text("section_spliter"), arguments.count("num_sections")
    count = sum(1 for _ in re.finditer(re.escape(marker) + r"\s?\d+", text))
    if count >= wanted:
        return None
    named = shown(marker, 30)
    return Broken(f"asked for {plural(wanted, 'section')} marked '{named} 1', '{named} 2' …; has {count:,}")


def json_format(text: str, arguments: Arguments) -> Broken | None:
    """One JSON value and nothing else, but for a code fence."""
    value = text.strip()
    for fence in _FENCES:
        value = value.removeprefix(fence)
    value = value.removesuffix("```").strip()
    try:
        json.loads(value)
    except json.JSONDecodeError as error:
        at = min(text.find(value) + error.pos, len(text.rstrip()) - 1)
        message = f"asked for JSON and nothing else; at character {at + 1:,}: {error.msg[:1].lower() + error.msg[1:]}"
        return Broken(message, ((at, at + 1),))
    except (RecursionError, ValueError):
        return Broken("asked for JSON and nothing else; this nests too deeply, or has too long a number, to be read")
    return None


def title(text: str, arguments: Arguments) -> Broken | None:
    """A title in double angular brackets."""
    if "<<" in text and any(_has_title(line) for line in text.split("\n")):
        return None
    return Broken("asked for a title in double angular brackets, <<title>>; has none")


def two_responses(text: str, arguments: Arguments) -> Broken | None:
    """Two different answers, divided by six asterisks."""
    parts = [part.strip() for part in text.split(_SIX_STARS)]
    answers = [part for part in parts if part]
    asked = "asked for two answers divided by ******"
    if not all(parts[1:-1]):
        return Broken(f"{asked}; an empty one stands between two dividers", (_divider(text, 1),))
    if len(answers) != 2:
        return Broken(f"{asked}; has {len(answers):,}", (_divider(text, 1),) if len(answers) > 2 else ())
    if answers[0] == answers[1]:
        start = text.rindex(answers[1])
        return Broken(f"{asked}; the two are the same", ((start, start + len(answers[1])),))
    return None


def repeat_prompt(text: str, arguments: Arguments) -> Broken | None:
    """The request first, word for word."""
    request = arguments.text("prompt_to_repeat")
    start = len(text) - len(text.lstrip())
    given = text.strip()
    if given.lower().startswith(request.lower()):
        return None
    pairs = zip(given.lower(), request.lower(), strict=False)
    differs = next((at for at, (one, other) in enumerate(pairs) if one != other), len(given))
    at = start + min(differs, len(given) - 1)
    return Broken("asked to repeat the request first, word for word; it differs from here on", ((at, at + 1),))


def end_checker(text: str, arguments: Arguments) -> Broken | None:
    """The given phrase at the very end."""
    phrase = arguments.text("end_phrase")
    if text.strip().strip('"').lower().endswith(phrase.lower()):
        return None
    end = len(text.rstrip())
    last = text.split()[-1]
    return Broken(f"asked to end with {quoted(phrase)}; ends with {quoted(last)}", ((end - len(last), end),))


def quotation(text: str, arguments: Arguments) -> Broken | None:
    """Double quotation marks around the whole."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if text[start] != '"':
        return Broken("asked for double quotation marks around the whole; it begins without", ((start, start + 1),))
    if text[end - 1] != '"' or end - start < 2:
        return Broken("asked for double quotation marks around the whole; it ends without", ((end - 1, end),))
    return None


def _bracketed(text: str) -> Iterator[str]:
    """What stands between a square bracket and the next closing one of its line."""
    for line in text.split("\n"):
        at = line.find("[")
        while at >= 0 and (end := line.find("]", at + 1)) >= 0:
            yield line[at + 1 : end]
            at = line.find("[", end + 1)


def _bullets(text: str) -> Iterator[Span]:
    """The lines that are bullet points; a lone asterisk takes the line after it with it."""
    start, taken = 0, False
    for line in text.split("\n"):
        end = start + len(line)
        mark = line.lstrip()[:2]
        starred = mark.startswith("*") and mark != "**" and not taken
        if (starred and (len(mark) == 2 or end < len(text))) or mark.startswith("-"):
            yield end - len(line.lstrip()), end
        taken = starred and len(mark) == 1
        start = end + 1


def _has_title(line: str) -> bool:
    start, end = line.find("<<"), line.rfind(">>")
    return 0 <= start < end - 2 and bool(line[start:end].lstrip("<").rstrip(">").strip())


def _divider(text: str, number: int) -> Span:
    """The span of the divider with this number, from 0, or of the last one."""
    found = [match.span() for match in re.finditer(re.escape(_SIX_STARS), text)]
    return found[min(number, len(found) - 1)]


RULES: dict[str, Rule] = {
    "combination:repeat_prompt": repeat_prompt,
    "combination:two_responses": two_responses,
    "detectable_content:number_placeholders": number_placeholders,
    "detectable_content:postscript": postscript,
    "detectable_format:constrained_response": constrained_response,
    "detectable_format:json_format": json_format,
    "detectable_format:multiple_sections": multiple_sections,
    "detectable_format:number_bullet_lists": number_bullet_lists,
    "detectable_format:number_highlighted_sections": number_highlighted_sections,
    "detectable_format:title": title,
    "startend:end_checker": end_checker,
    "startend:quotation": quotation,
}
