"""Keys and passwords, by the forms that their issuers give them or by how random they look."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from holdfast.db.models import Span

SHORTEST = 16
"""Characters without white space that each key or token has at least, one of them a digit."""

_KEYWORDS = ("passw", "secret", "token", "key", "pwd")
"""Every secret that is assigned to a name holds one of these in it, in any case."""

_CANDIDATES = 200
_FORMS = tuple(
    (mark, what, re.compile(pattern))
    for mark, what, pattern in (
        ("AKIA", "an AWS access key ID", r"(?<![A-Za-z0-9])AKIA[A-Z0-9]{16}(?![A-Za-z0-9])"),
        ("ASIA", "an AWS access key ID", r"(?<![A-Za-z0-9])ASIA[A-Z0-9]{16}(?![A-Za-z0-9])"),
        ("AIza", "a Google API key", r"(?<![\w-])AIza[\w-]{35}(?![\w-])"),
        ("xox", "a Slack token", r"(?<!\w)xox[abeprs]-[A-Za-z0-9-]{10,255}"),
        ("hooks.slack", "a Slack webhook", r"hooks\.slack\.com/services/T\w{6,20}/B\w{6,20}/\w{16,40}"),
        ("SG.", "a SendGrid key", r"(?<!\w)SG\.[\w-]{22}\.[\w-]{43}"),
    )
)
_FORMS_WITH_LINE = tuple(
    (mark, what, re.compile(pattern))
    for mark, what, pattern in (
        ("gh", "a GitHub token", r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})"),
        ("k_live_", "a Stripe key", r"(?<!\w)[rs]k_live_[A-Za-z0-9]{16,255}"),
        ("k_test_", "a Stripe key", r"(?<!\w)[rs]k_test_[A-Za-z0-9]{16,255}"),
        ("npm_", "an npm token", r"(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)"),
        ("hf_", "a Hugging Face token", r"(?<!\w)hf_[A-Za-z0-9]{30,40}(?!\w)"),
    )
)
"""Those that hold an underscore."""
_FORMS_WITH_DASH = tuple(
    (mark, what, re.compile(pattern))
    for mark, what, pattern in (
        ("glpat-", "a GitLab token", r"(?<!\w)glpat-[\w-]{20,255}"),
        (
            "sk-",
            "an API key",
            r"(?<![\w-])sk-(?:(?:proj|ant|or|svcacct)-(?=[\w-]{0,60}\d)[\w-]{20,255}"
            r"|(?=[\w-]{0,60}\d)(?=[\w-]{0,60}[A-Z])[\w-]{20,255}|(?=[a-z0-9]{0,60}\d)[a-z0-9]{32,255})",
        ),
        ("pypi-", "a PyPI token", r"(?<!\w)pypi-AgE[\w-]{50,255}"),
    )
)
"""Those that hold a dash."""
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_NO_KEY_FOLLOWS = re.compile(r"\s*(?:\.\.|…|<|\[|\{|your|YOUR|Your)")
_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]{8,2000}\.eyJ[\w-]{4,4000}\.[\w-]{8,1000}")
_PASSWORD_IN_URL = re.compile(r"://[^\s:/@'\"<>]{1,64}:(?P<secret>[^\s:/@'\"<>]{3,64})@\w")
_ASSIGNED = re.compile(
    r"\w{3,30}[\"']?\s{0,3}(?:[:=]|:=|=>|\bis\b)\s{0,3}[\"'`]?"
    r"(?P<secret>[A-Za-z0-9+/_.~!@#$%^&*-]{16,200}={0,2})(?![\w(\[])"
)
_STAND_IN = re.compile(
    r"your|example|sample|x{4}|\*{3}|change|placeholder|dummy|insert|secret|password|1234567|abcdef", re.I
)
_LEAST_ENTROPY = 3.5
_LOOKED_AHEAD = 20_000
_FEWEST_DIFFERENT = 8
"""Different characters that no stand-in (sk-xxxx…) has."""


class Secret(NamedTuple):
    """A secret's place, what it is, and how it may be shown."""

    span: Span
    what: str
    masked: str


def tokens_in(text: str) -> Iterator[Secret]:
    """The keys and tokens of known forms in a text; each form is looked for only where its mark is there."""
    for forms in (_FORMS, _FORMS_WITH_LINE if "_" in text else (), _FORMS_WITH_DASH if "-" in text else ()):
        for mark, what, form in forms:
            if mark in text:
                yield from (
                    Secret(found.span(), what, masked(found.group()))
                    for found in islice(form.finditer(text), _CANDIDATES)
                    if len(set(found.group())) > _FEWEST_DIFFERENT
                )
    if "eyJ" in text:
        for found in islice(_TOKEN.finditer(text), _CANDIDATES):
            if _has_algorithm(found.group().partition(".")[0]):
                yield Secret(found.span(), "a JSON web token", masked(found.group()))


def private_keys_in(text: str) -> Iterator[Secret]:
    """Private keys, from their first line to their last."""
    for header in islice(_PRIVATE_KEY.finditer(text), _CANDIDATES):
        if not _NO_KEY_FOLLOWS.match(text, header.end()):
            end = _KEY_END.search(text, header.end(), header.end() + _LOOKED_AHEAD)
            span = (header.start(), end.end() if end is not None else header.end())
            yield Secret(span, "a private key", header.group().strip("-").removeprefix("BEGIN "))


def passwords_in_addresses(text: str) -> Iterator[Secret]:
    """Passwords in addresses of the form scheme://user:password@host."""
    for found in islice(_PASSWORD_IN_URL.finditer(text), _CANDIDATES):
        if not _STAND_IN.search(found["secret"]) and found["secret"] not in ("pass", "pw", "port"):
            yield Secret(found.span("secret"), "a password in an address", masked(found["secret"]))


def assigned_secrets_in(text: str, lowered: str) -> Iterator[Secret]:
    """Random-looking values given to names like `api_key`, `password` or `token`; takes the text in lower case too."""
    if len(lowered) != len(text):
        lowered = text
    for keyword in _KEYWORDS:
        at = lowered.find(keyword)
        for _ in range(_CANDIDATES):
            if at < 0:
                break
            found = _ASSIGNED.match(text, at)
            if found is not None and looks_random(found["secret"]):
                yield Secret(found.span("secret"), "a secret that is assigned to a name", masked(found["secret"]))
            at = lowered.find(keyword, at + len(keyword))


def looks_random(value: str) -> bool:
    """Whether a value of 16 or more characters is too irregular for a word, a name or a stand-in."""
    kinds = sum(any(test(mark) for mark in value) for test in (str.isdigit, str.islower, str.isupper))
    hexadecimal = len(value) >= 32 and all(mark in "0123456789abcdefABCDEF" for mark in value)
    if (kinds < 3 and not (kinds == 2 and hexadecimal)) or _STAND_IN.search(value):
        return False
    counts = Counter(value).values()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return entropy >= (3.0 if hexadecimal else _LEAST_ENTROPY)


def masked(secret: str) -> str:
    """The first four characters and the length: enough to find it, nothing to use it by."""
    return f"{secret[: min(4, len(secret) // 4)]}…, {len(secret)} characters"


def _has_algorithm(part: str) -> bool:
    """Whether the first part of a token decodes to a JSON object that names an algorithm."""
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header
