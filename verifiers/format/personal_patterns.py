"""Addresses and numbers that lead to a person: patterns first, then check digits and valid ranges."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from holdfast.db.models import Span
from holdfast.verifiers.format import checksums


class Found(NamedTuple):
    """A piece of personal data: its kind (the finding's code), its place, what it is, and how it may be shown."""

    code: str
    span: Span
    what: str
    masked: str


_DIGITS = re.compile(r"[0-9][0-9 .()/-]{3,}[0-9]")
"""Five characters or more of digits and what stands between them: no number that leads to a person has fewer."""
_FEWEST_DIGITS = 6
_FEWEST_COLONS = 3
_MARGIN = 40
"""Characters on either side of digits in which the rest of a number can stand."""

_CANDIDATES = 500

_LOCAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._%+'-]{0,62}[A-Za-z0-9_])?\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_RESERVED_HOST = re.compile(
    r"(?:^|\.)(?:example(?:\.\w+)?|test|invalid|localhost|local|(?:your|my)?-?(?:domain|company|email|mail|site|website)"
    r"(?:name)?\.\w+|acme\.\w+|xyz\.com|abc\.com)\Z",
    re.IGNORECASE,
)
_NOBODYS = re.compile(
    r"(?:info|support|contact|sales|admin|help|helpdesk|service|customer.?service|office|hello|team|press|media|jobs|hr"
    r"|careers|no.?reply|webmaster|postmaster|billing|enquiries|inquiries|feedback|marketing|git|(?:your|first|last|user)"
    r".{0,14}|name|email|someone|somebody|me|you|abc|xyz|foo|bar|test\d*|example)\Z",
    re.IGNORECASE,
)

_NORTH_AMERICAN = re.compile(
    r"(?<![\w.+/-])(?:\+?1[ .-]?)?(?:\((?P<a>\d{3})\) ?|(?P<b>\d{3})[ .-])"
    r"(?P<exchange>\d{3})[ .-](?P<line>\d{4})(?![\w-]|\.\d)"
)
_INTERNATIONAL = re.compile(r"(?<![\w+])\+(?P<number>[1-9]\d{0,2}(?:[ .()/-]{0,2}\d){6,13})(?![\w-])")
_NATIONAL = re.compile(
    r"(?:phone|tel|telephone|mobile|cell|fax|whatsapp|call|text)\b[^\w+]{0,4}(?:(?:number|no|at|me|us|is|on)\b[^\w+]{0,3}){0,3}"
    r"(?P<number>\(?0\d(?:[ .()/-]{0,2}\d){7,9})(?![\w-])",
    re.IGNORECASE,
)
_TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888", "900"})

_CARD = re.compile(r"(?<![\w.,-])(?:\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}|\d{4}[ -]?\d{6}[ -]?\d{4,5})(?![\w-]|[.,]\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,8}(?![A-Za-z0-9])")
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4}(?![\w:])")
_RESOLVERS = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220"})

_NATIONAL_IDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("a US social security number", re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), checksums.is_us_ssn),
    ("a Brazilian taxpayer number", re.compile(r"(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])"), checksums.is_cpf),
    ("a Spanish identity number", re.compile(r"(?<![\w.-])\d{8}-?[A-Z](?![\w-])"), checksums.is_dni),
    ("a Chinese identity number", re.compile(r"(?<![\w.-])[1-8]\d{16}[\dX](?![\w-]|\.\d)"), checksums.is_chinese_id),
    (
        "a UK national insurance number",
        re.compile(
            r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)"
        ),
        lambda number: True,
    ),
)

_STATES = (
    "A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
_STATE_AND_ZIP = re.compile(rf"\b(?:{_STATES}),? \d{{5}}(?:-\d{{4}})?\b")
_STREET = re.compile(
    r"\b[1-9]\d{0,4} (?:[NSEW]\.? )?(?:[A-Z0-9][\w'.]{0,20} ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane"
    r"|Ln|Drive|Dr|Court|Ct|Place|Pl|Way|Terrace|Circle|Highway|Hwy|Parkway|Pkwy)\b"
)
_NOWHERE = re.compile(r"\bMain St|Any ?town|Any ?city|\b1234? |Springfield|Any ?where|Elm St")
_LOOKED_BACK = 120


def addresses_in(text: str) -> Iterator[Found]:
    """E-mail addresses of persons: none of roles (info@), of reserved hosts (example.org) or of stand-ins."""
    for at in islice(re.finditer("@", text), _CANDIDATES):
        local = _LOCAL.search(text, max(0, at.start() - 64), at.start())
        host = _HOST.match(text, at.end())
        if local is None or host is None or _RESERVED_HOST.search(host.group()) or _NOBODYS.match(local.group()):
            continue
        span = (local.start(), host.end())
        yield Found("email-address", span, "an e-mail address", f"{local.group()[0]}…@{host.group()}")


def numbers_in(text: str) -> Iterator[Found]:
    """Phone, card, account, identity and network numbers, and street addresses."""
    start = end = 0
    for digits in _DIGITS.finditer(text):
        run = digits.group()
        if run.count(".") >= 3:
            yield from _networks(text, digits.start(), digits.end() + 2)
        if run.isdigit() and len(run) == 5:
            yield from _streets(text, *digits.span())
        elif sum(map(str.isdigit, run[:60])) >= _FEWEST_DIGITS:
            if digits.start() - _MARGIN > end:
                yield from _in_window(text, start, end)
                start = max(0, digits.start() - _MARGIN)
            end = digits.end() + _MARGIN
    yield from _in_window(text, start, end)
    if text.count(":") >= _FEWEST_COLONS:
        yield from _new_networks(text)


def _in_window(text: str, start: int, end: int) -> Iterator[Found]:
    if start >= end:
        return
    yield from _cards(text, start, end)
    yield from _ibans(text, start, end)
    for what, pattern, valid in _NATIONAL_IDS:
        for found in islice(pattern.finditer(text, start, end), _CANDIDATES):
            if valid(found.group()):
                yield Found("national-id", found.span(), what, last_two(found.group()))
    yield from _phones(text, start, end)


def last_two(number: str) -> str:
    """A number but for its last two digits."""
    return "…" + "".join(mark for mark in number if mark.isalnum())[-2:]


def _cards(text: str, start: int, end: int) -> Iterator[Found]:
    for found in islice(_CARD.finditer(text, start, end), _CANDIDATES):
        issuer = checksums.card_issuer(re.sub(r"[ -]", "", found.group()))
        if issuer is not None:
            what = f"a payment card number ({issuer}, check digit right)"
            yield Found("card-number", found.span(), what, last_two(found.group()))


def _ibans(text: str, start: int, end: int) -> Iterator[Found]:
    for found in islice(_IBAN.finditer(text, start, end), _CANDIDATES):
        words = found.group().split(" ")
        # The words after an account number can look like more of it.
        for count in range(len(words), 0, -1):
            written = " ".join(words[:count])
            if checksums.is_iban(written.replace(" ", "")):
                span = (found.start(), found.start() + len(written))
                yield Found("iban", span, "a bank account number (IBAN, check digits right)", last_two(written))
                break


def _phones(text: str, start: int, end: int) -> Iterator[Found]:
    taken: list[Span] = []
    for found in islice(_NORTH_AMERICAN.finditer(text, start, end), _CANDIDATES):
        area, exchange, line = found["a"] or found["b"], found["exchange"], found["line"]
        taken.append(found.span())
        if _is_north_american(area, exchange, line):
            yield Found("phone-number", found.span(), "a phone number", last_two(found.group()))
    for pattern in (_INTERNATIONAL, _NATIONAL):
        for found in islice(pattern.finditer(text, start, end), _CANDIDATES):
            first, last = found.span("number")
            digits = re.sub(r"\D", "", found["number"])
            if any(first < stop and begin < last for begin, stop in taken) or len(set(digits)) < 4:
                continue
            taken.append((first, last))
            span = found.span() if pattern is _INTERNATIONAL else (first, last)
            yield Found("phone-number", span, "a phone number", last_two(digits))


def _is_north_american(area: str, exchange: str, line: str) -> bool:
    """Whether it can be somebody's number: no fiction (555-01xx), no toll-free line, no code that does not exist."""
    if area[0] < "2" or area[1] == "9" or area[1:] in ("00", "11") or area in _TOLL_FREE or area == "555":
        return False
    if exchange[0] < "2" or exchange[1:] == "11" or (exchange == "555" and (line < "0200" or line in ("5555", "1234"))):
        return False
    return len(set(area + exchange + line)) > 3


def _networks(text: str, start: int, end: int) -> Iterator[Found]:
    for found in islice(_IPV4.finditer(text, start, end), _CANDIDATES):
        parts = [int(part) for part in found.group().split(".")]
        # Sections and versions look the same: 4.2.1.3.
        if max(parts) > 255 or max(parts) < 32 or found.group() in _RESOLVERS or _named_version(text, found.start()):
            continue
        if ipaddress.ip_address(".".join(map(str, parts))).is_global:
            masked = f"{parts[0]}.….{parts[3]}"
            yield Found("ip-address", found.span(), "a public IP address", masked)


def _new_networks(text: str) -> Iterator[Found]:
    for found in islice(_IPV6.finditer(text), _CANDIDATES):
        try:
            address = ipaddress.ip_address(found.group())
        except ValueError:
            continue
        if address.is_global:
            masked = f"{found.group()[:4]}:…"
            yield Found("ip-address", found.span(), "a public IP address", masked)


def _named_version(text: str, at: int) -> bool:
    return text[max(0, at - 12) : at].lower().rstrip(" :v").endswith(("version", "release", "build", "section"))


def _streets(text: str, start: int, end: int) -> Iterator[Found]:
    """The address that ends with the postal code there, back to its house number."""
    place = _STATE_AND_ZIP.search(text, max(0, start - 4), end + 5)
    if place is None:
        return
    streets = list(_STREET.finditer(text, max(0, place.start() - _LOOKED_BACK), place.start()))
    if streets and "\n\n" not in text[streets[-1].end() : place.start()]:
        span = (streets[-1].start(), place.end())
        if not _NOWHERE.search(text, *span):
            yield Found("street-address", span, "a street address", f"…{place.group()[:2]}")
