"""Characters that damage or disguise a text: lost bytes, mojibake, control, bidi and invisible characters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

from holdfast.db.models import PASS, Finding, Outcome, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.shown import shown

SHOWN = 5
"""Most findings of one kind in one text; the last of them says how many there are in all."""

_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_BIDI = "\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f"
# Mojibake: UTF-8 bytes read as Windows-1252. A lead byte, then as many continuation bytes as it asks for.
_TAIL = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_MOJIBAKE = f"(?:[Â-ß]{_TAIL}|[à-ï]{_TAIL}{{2}}|[ð-ô]{_TAIL}{{3}})+"
# Cyrillic letters of UTF-8 read as Windows-1251: Р or С before each of them, three times at least.
_TAIL_1251 = "".join(map(re.escape, bytes(range(0x80, 0xC0)).decode("cp1251", errors="ignore")))
_CYRILLIC = f"(?:[РС][{_TAIL_1251}]){{3,}}"
_HIDDEN = f"{_CONTROL}\ufffd{_BIDI}{_INVISIBLE}"
_SUSPECT = re.compile(
    f"(?P<mojibake>{_MOJIBAKE})|(?P<cyrillic>{_CYRILLIC})|(?P<control>[{_CONTROL}]+)|(?P<lost>\ufffd+)|(?P<bidi>[{_BIDI}])"
    f"|(?P<invisible>[{_INVISIBLE}]+)"
)
# Two quick searches, one of which finds something in every text in which the slow one above does.
_ANY_HIDDEN = re.compile(f"[{_HIDDEN}]")
_ANY_LEAD = re.compile(f"[Â-ôРС](?=[{_TAIL[1:-1]}{_TAIL_1251}])")

_REGION_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_CONTROLS = re.compile(f"[{_CONTROL}]+")
_SYMBOLS = "€ƒ†‡¡¢£¤¥¦§¨©¬®¯°±²³´µ¶·¸¹¼½¾¿"
_JOINERS = "\u200c\u200d"
_MARKS = "\u061c\u200e\u200f"
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_JOINING = re.compile("[\u0600-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc\U00011000-\U000117ff]")
"""Scripts whose spelling uses joiners: Arabic, Syriac, the Indic scripts, Tibetan, Myanmar, Khmer, Mongolian."""
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1980-\u19df\u2e80-\u9fff\uf900-\ufaff]")
"""Scripts without spaces between words, where a zero-width space marks a place to break the line."""


class _Kind(NamedTuple):
    code: str
    severity: Severity
    what: str


_KINDS = {
    "mojibake": _Kind("mojibake", Severity.WARN, "bytes of UTF-8 read as Windows-1252"),
    "cyrillic": _Kind("mojibake", Severity.WARN, "bytes of UTF-8 read as Windows-1251"),
    "control": _Kind("control-character", Severity.WARN, "control character"),
    "lost": _Kind("lost-character", Severity.WARN, "a character was lost (U+FFFD stands in its place)"),
    "bidi": _Kind("bidi-control", Severity.WARN, "changes the direction in which the text is shown"),
    "invisible": _Kind("invisible-character", Severity.WARN, "invisible character"),
    "soft-hyphen": _Kind("soft-hyphen", Severity.INFO, "soft hyphen, invisible inside a line"),
}


@verifier(layer="format", version="2")
def encoding_damage(sample: Sample, ctx: Context) -> Verdict:
    """Flag lost characters, mojibake, and control, bidi and invisible characters that the script does not need."""
    findings = [*damage(sample.response, "response"), *damage(sample.prompt, "prompt")]
    if not findings:
        return PASS
    flagged = any(finding.severity is Severity.WARN for finding in findings)
    return Verdict(Outcome.FLAG if flagged else Outcome.PASS, None, tuple(findings))


def damage(text: str, of: Literal["response", "prompt"]) -> list[Finding]:
    """A finding for each damaged place of a text, in order, at most SHOWN of a kind."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").replace("\r", "").isprintable():
        return []
    if _ANY_HIDDEN.search(text) is None and _ANY_LEAD.search(text) is None:
        return []
    counts: Counter[str] = Counter()
    shown: list[tuple[str, Span, str]] = []
    for kind, span, detail in _places(text):
        counts[kind] += 1
        if counts[kind] <= SHOWN:
            shown.append((kind, span, detail))
    findings, number = [], Counter[str]()
    for kind, span, detail in shown:
        number[kind] += 1
        code, severity, what = _KINDS[kind]
        more = f"; {counts[kind]} in all" if number[kind] == SHOWN < counts[kind] else ""
        findings.append(Finding(code, severity, f"{what}{detail}{more}", span, of))
    return findings


def _places(text: str) -> Iterator[tuple[str, Span, str]]:
    right_to_left = _RIGHT_TO_LEFT.search(text) is not None
    for match in _SUSPECT.finditer(text):
        kind, span, found = str(match.lastgroup), match.span(), match.group()
        if kind == "mojibake":
            meant = _meant(text, span)
            if meant:
                yield kind, span, f": '{shown(found)}' was '{shown(meant)}'"
            else:
                yield from (("control", at.span(), _named(at.group())) for at in _CONTROLS.finditer(text, *span))
        elif kind == "cyrillic":
            meant = _read(found, "cp1251")
            if meant:
                yield kind, span, f": '{shown(found)}' was '{shown(meant)}'"
        elif kind == "control":
            yield kind, span, _named(found)
        elif kind == "lost":
            yield kind, span, ""
        elif kind == "bidi":
            if found in "\u202d\u202e" or not right_to_left:
                yield kind, span, f": {_code_points(found)}"
        else:
            yield from _invisible(text, span, right_to_left)


def _invisible(text: str, span: Span, right_to_left: bool) -> Iterator[tuple[str, Span, str]]:
    """The parts of a run of invisible characters that have no use where they stand."""
    for at in range(*span):
        if _has_use(text, at, right_to_left):
            continue
        kind = "soft-hyphen" if text[at] == "\u00ad" else "invisible"
        detail = "" if kind == "soft-hyphen" else f" {_code_points(text[at])}"
        yield kind, (at, at + 1), detail


def _has_use(text: str, at: int, right_to_left: bool) -> bool:
    mark, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if mark in _MARKS:
        return right_to_left
    if mark in _JOINERS:
        joined = bool(before) and _JOINING.match(before) is not None
        return joined or (mark == "\u200d" and _is_emoji_part(before) and _is_emoji_part(after))
    if mark == "\u200b":
        return bool(_UNSPACED.match(before) or _UNSPACED.match(after))
    if "\U000e0020" <= mark <= "\U000e007f":
        return _in_flag_emoji(text, at)
    return False


def _is_emoji_part(mark: str) -> bool:
    return bool(mark) and (mark == "\ufe0f" or unicodedata.category(mark) in ("So", "Sk") or mark in "♀♂⚕⚖✈❤")


def _in_flag_emoji(text: str, at: int) -> bool:
    """Whether a tag character belongs to a sequence that begins with the black flag, as the flags of regions do."""
    flag = text.rfind("\U0001f3f4", max(0, at - 8), at)
    found = _REGION_FLAG.match(text, flag) if flag >= 0 else None
    return found is not None and at < found.end()


def _meant(text: str, span: Span) -> str | None:
    """What a run that looks like mojibake was, or None where it is rather what its writer wrote."""
    run = text[span[0] : span[1]]
    meant = _read(run, "cp1252")
    if meant is None or len(meant) >= 3 or len(run) > 2 * len(meant):
        return meant
    # One or two characters of two bytes: a capital letter before a quotation mark looks the same („Ü“, IRMÃ”).
    before, after = text[max(0, span[0] - 1) : span[0]], text[span[1] : span[1] + 1]
    if run[0].isupper() and (before.islower() or (after.islower() and run[1] not in "‘’“”")):
        return meant
    if run[0] in "ÎÏÐÑ" and run[1] in _SYMBOLS and not before.isupper():
        return meant
    return meant if run[0] in "ÂÃ" and not before.isupper() and "\u00a0" <= meant[0] <= "\u00ff" else None


def _read(run: str, codec: str) -> str | None:
    """The text of which the run shows the bytes of UTF-8; None where it is no text."""
    try:
        meant = b"".join(_byte(mark, codec) for mark in run).decode("utf-8")
    except UnicodeError:
        return None
    sound = all(unicodedata.category(mark)[0] in "LMNPSZ" or mark in "\ufeff\u200b\u200d" for mark in meant)
    return meant if sound else None


def _byte(mark: str, codec: str) -> bytes:
    return bytes((ord(mark),)) if codec == "cp1252" and ord(mark) < 0x100 else mark.encode(codec)


def _named(controls: str) -> str:
    """The controls' code points and, for bytes of Windows-1252, the characters that they stand for there."""
    try:
        read = bytes(ord(mark) for mark in controls if mark >= "\x80").decode("cp1252")
    except UnicodeDecodeError:
        read = ""
    return f" {_code_points(controls)}" + (f" ({read[:3]!r} in Windows-1252)" if read else "")


def _code_points(marks: str) -> str:
    named = [f"U+{ord(mark):04X}" for mark in marks[:3]]
    return " ".join(named) + (" …" if len(marks) > 3 else "")
