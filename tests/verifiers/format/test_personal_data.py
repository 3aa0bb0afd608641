"""Personal data and secrets are flagged at their place and never repeated; reserved and fictional ones pass."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers.format import checksums
from holdfast.verifiers.format.personal_data import SHOWN, personal_data

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


def token(**header: str) -> str:
    parts = [header, {"sub": "42"}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJlIG9mIGl0"])


# Keys are put together here, so that no scanner takes this file for a leak.
KEY = "9aB3xK7qLm2Zt8Rw4Yp6Vc1N"
PRIVATE = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow" + KEY + "\n-----END RSA " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "found", "code", "message"),
    [
        ("write to maren.holt@fjordnet.no today", "maren.holt@fjordnet.no", "email-address",
         "an e-mail address: m…@fjordnet.no"),
        ("<jo+x@mail.tern.co.uk>,", "jo+x@mail.tern.co.uk", "email-address", "an e-mail address: j…@mail.tern.co.uk"),
        ("call (415) 867-2930.", "(415) 867-2930", "phone-number", "a phone number: …30"),
        ("call 1-415-867-2930", "1-415-867-2930", "phone-number", "a phone number: …30"),
        ("ring +47 22 86 41 09 now", "+47 22 86 41 09", "phone-number", "a phone number: …09"),
        ("Phone: 0171 946 2837", "0171 946 2837", "phone-number", "a phone number: …37"),
        ("card 4111 1111 1111 1111", "4111 1111 1111 1111", "card-number",
         "a payment card number (Visa, check digit right): …11"),
        ("amex 378282246310005,", "378282246310005", "card-number",
         "a payment card number (American Express, check digit right): …05"),
        ("to GB82 WEST 1234 5698 7654 32 by Friday", "GB82 WEST 1234 5698 7654 32", "iban",
         "a bank account number (IBAN, check digits right): …32"),
        ("DE89370400440532013000", "DE89370400440532013000", "iban",
         "a bank account number (IBAN, check digits right): …00"),
        ("SSN 123-45-6789", "123-45-6789", "national-id", "a US social security number: …89"),
        ("CPF 529.982.247-25", "529.982.247-25", "national-id", "a Brazilian taxpayer number: …25"),
        ("DNI 12345678Z", "12345678Z", "national-id", "a Spanish identity number: …8Z"),
        ("11010519491231002X", "11010519491231002X", "national-id", "a Chinese identity number: …2X"),
        ("NI: AB 12 34 56 C", "AB 12 34 56 C", "national-id", "a UK national insurance number: …6C"),
        ("from 81.174.63.9 at noon", "81.174.63.9", "ip-address", "a public IP address: 81.….9"),
        ("at 2a02:2168:9:1::42", "2a02:2168:9:1::42", "ip-address", "a public IP address: 2a02:…"),
        ("at 418 Kelp Harbor Road, Astoria, OR 97103.", "418 Kelp Harbor Road, Astoria, OR 97103", "street-address",
         "a street address: …OR"),
        (PRIVATE, PRIVATE, "secret", "a private key: RSA PRIVATE KEY"),
        ("id AKIA" + "QX7WMTV3HZKD2JRB", "AKIAQX7WMTV3HZKD2JRB", "secret",
         "an AWS access key ID: AKIA…, 20 characters"),
        ("ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "secret",
         "a GitHub token: ghp_…, 40 characters"),
        ("xoxb-" + "2147483648-abcDEF123", "xoxb-2147483648-abcDEF123", "secret",
         "a Slack token: xoxb…, 25 characters"),
        ("sk_live_" + KEY, "sk_live_" + KEY, "secret", "a Stripe key: sk_l…, 32 characters"),
        ("sk-proj-" + KEY.lower(), "sk-proj-" + KEY.lower(), "secret", "an API key: sk-p…, 32 characters"),
        ("key sk-" + KEY, "sk-" + KEY, "secret", "an API key: sk-9…, 27 characters"),
        (f"Bearer {token(alg='HS256')}", token(alg="HS256"), "secret",
         f"a JSON web token: eyJh…, {len(token(alg='HS256'))} characters"),
        (f'API_KEY = "{KEY}"', KEY, "secret", "a secret that is assigned to a name: 9aB3…, 24 characters"),
        (f"password: {KEY}", KEY, "secret", "a secret that is assigned to a name: 9aB3…, 24 characters"),
        ("postgres://reef:t1deP0ol@db.reef.net/x", "t1deP0ol", "secret", "a password in an address: t1…, 8 characters"),
    ],
)  # fmt: skip
def test_what_leads_to_a_person_is_flagged_and_not_repeated(
    check: Check, sample: MakeSample, text: str, found: str, code: str, message: str
) -> None:
    verdict = check(personal_data, sample(response=text))
    assert verdict.outcome is Outcome.FLAG
    (finding,) = verdict.findings
    assert finding.span is not None
    assert (finding.code, text[slice(*finding.span)], finding.message) == (code, found, message)
    assert found not in finding.message
    echoed = check(personal_data, sample(f"Repeat this: {text}", text))
    assert echoed.findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "write to someone@example.com, jane@mail.example.org, a@b.test or you@yourcompany.com",
        "info@reef.org, support@reef.org and no-reply@reef.org are nobody's",
        "@maren and @property, 5 @ 3, a@b",
        "call (415) 555-0142, 555-0199 or 1-800-867-2930",
        "123-456-7890, 555-555-5555, 000-000-0000",
        "4111 1111 1111 1112 has a wrong check digit; 0000 0000 0000 0000 is nobody's",
        "GB82 WEST 1234 5698 7654 33 and XX00 1234 5678 9012",
        "000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567, 078-05-1120",
        "529.982.247-26, 12345678A, 110105194913310026",
        "10.0.0.1, 192.168.1.20, 127.0.0.1, 192.0.2.44, 203.0.113.7, 8.8.8.8, 300.1.2.3, version 4.2.81.3, 1.2.3.4",
        "2001:db8::1, fe80::1, 2001:10:22:33, std::a::b",
        "pi is 3.141592653589793 and 2 + 2 = 4, 16 - 3 - 4 = 9, 2019-2020, 1,234,567,890",
        "ISBN 978-0-306-40615-7, 2023-06-30 12:45:10, doi 10.1000/182.4567",
        "123 Main Street, Anytown, CA 12345",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIE",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxx and ghp_" + "x" * 36,
        "api_key = os.environ['REEF_API_KEY_2'], token=<your-token-here-1>",
        'password = "your_password_123456", key: correct_horse_battery_staple',
        "The key to understanding internationalisation is patience and the token responsibilities.",
        "the public key of scikit-learn sk-learn-estimators-and-transformers",
        "https://reef.org:8080/a@b and http://user:password@localhost",
        "eyJhbGciOi.eyJub3RoaW5nIjo.bm90aGluZw",
    ],
)
def test_reserved_fictional_and_plain_ones_are_left_alone(check: Check, sample: MakeSample, text: str) -> None:
    assert check(personal_data, sample(response=text)).findings == ()


def test_only_some_of_many_are_shown_and_none_twice(check: Check, sample: MakeSample) -> None:
    text = " ".join(f"reader{number}@fjordnet.no" for number in range(40))
    assert len(check(personal_data, sample(response=text)).findings) == SHOWN
    nested = check(personal_data, sample(response=f'token = "sk-{KEY}"'))
    assert [one.code for one in nested.findings] == ["secret"]


def test_the_library_adds_its_detectors(check: Check, sample: MakeSample) -> None:
    pytest.importorskip("detect_secrets")
    text = "account\nAC" + "3f9a1c7e5b2d8f4a6c0e9b7d5f3a1c8e is it"
    assert check(personal_data, sample(response=text)).findings == ()
    (finding,) = check(personal_data, sample(response=text), engine="detect-secrets").findings
    assert finding.span is not None
    assert text[slice(*finding.span)].startswith("AC3f9a")
    assert "3f9a1c7e" not in finding.message


def test_without_the_library_its_engine_is_an_error(
    check: Check, sample: MakeSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    from holdfast.verifiers.format import detect_secrets_engine

    detect_secrets_engine._detectors.cache_clear()
    monkeypatch.setitem(sys.modules, "detect_secrets", None)
    monkeypatch.setitem(sys.modules, "detect_secrets.core", None)
    monkeypatch.setitem(sys.modules, "detect_secrets.core.plugins.util", None)
    verdict = check(personal_data, sample(response="fine"), engine="detect-secrets")
    assert verdict.outcome is Outcome.ERROR
    assert "pip install 'holdfast[secrets]'" in verdict.findings[0].message


@pytest.mark.parametrize(
    "unit",
    ["1", "1 ", "12345 ", "1.", "1.2.3.4 ", "@", "a@", "a.b@", "://a:b", "key=", "password is ", "eyJ", "sk-", "AB12 ",
     "+1 (", "-----BEGIN PRIVATE KEY-----", "1 Aa St, CA 12345 "],
)  # fmt: skip
def test_hostile_text_is_judged(check: Check, sample: MakeSample, unit: str) -> None:
    hostile = unit * (200_000 // len(unit)) + " 1aB"
    verdict = check(personal_data, sample(response=hostile))
    assert all(finding.span is not None for finding in verdict.findings)


@given(st.text(alphabet="0123456789 .-+()@aA:/", max_size=80))
def test_findings_point_into_the_text(text: str) -> None:
    from holdfast.db.models import Message
    from holdfast.verifiers import Context

    made = Sample.model_validate({"messages": [Message(role="assistant", content=text)], "provenance": "human"})
    for finding in personal_data(made, Context()).findings:
        assert finding.span is not None
        assert 0 <= finding.span[0] < finding.span[1] <= len(text)


@given(st.integers(min_value=0, max_value=10**14 - 1))
def test_one_of_ten_digits_checks_a_number(number: int) -> None:
    assert sum(checksums.luhn(f"{number}{digit}") for digit in range(10)) == 1
