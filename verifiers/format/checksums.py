"""Check digits and valid ranges of the numbers that people and their accounts go by."""

from __future__ import annotations

import re
from datetime import date

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
}  # fmt: skip

_CARDS = (
    (re.compile(r"4(?:\d{12}|\d{15}|\d{18})"), "Visa"),
    (re.compile(r"5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"), "Mastercard"),
    (re.compile(r"3[47]\d{13}"), "American Express"),
    (re.compile(r"6(?:011|5\d\d|4[4-9]\d)\d{12}"), "Discover"),
    (re.compile(r"3(?:52[89]|5[3-8]\d)\d{12}"), "JCB"),
    (re.compile(r"3(?:0[0-5]|[68]\d)\d{11}"), "Diners Club"),
    (re.compile(r"62\d{14,17}"), "UnionPay"),
)
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_CHINESE_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_NEVER_ISSUED = {"078-05-1120", "219-09-9999"}


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def card_issuer(digits: str) -> str | None:
    """Whose payment card has this number; None where it is in nobody's range or its check digit is wrong."""
    issuer = next((name for pattern, name in _CARDS if pattern.fullmatch(digits)), None)
    return issuer if issuer is not None and len(set(digits)) > 1 and luhn(digits) else None


def is_iban(compact: str) -> bool:
    """Whether the text, without spaces, has the length of its country's account numbers and right check digits."""
    if IBAN_LENGTHS.get(compact[:2]) != len(compact) or not compact.isascii():
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def is_us_ssn(number: str) -> bool:
    """Whether a number written AAA-GG-SSSS can have been issued."""
    area, group, serial = number.split("-")
    issued = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
    return issued and number not in _NEVER_ISSUED


def is_cpf(number: str) -> bool:
    """Whether a Brazilian taxpayer number written 000.000.000-00 has right check digits."""
    digits = [int(mark) for mark in number if mark.isdigit()]
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        weighed = sum(digit * (length + 1 - at) for at, digit in enumerate(digits[:length]))
        if weighed * 10 % 11 % 10 != digits[length]:
            return False
    return True


def is_dni(number: str) -> bool:
    """Whether a Spanish identity number, eight digits and a letter, has the right letter."""
    return _DNI_LETTERS[int(number[:8]) % 23] == number[-1]


def is_chinese_id(number: str) -> bool:
    """Whether 17 digits and a check mark hold a date of birth and the right check mark."""
    weighed = sum(int(digit) * weight for digit, weight in zip(number, _CHINESE_WEIGHTS, strict=False))
    if "10X98765432"[weighed % 11] != number[17]:
        return False
    try:
        return 1900 <= date(int(number[6:10]), int(number[10:12]), int(number[12:14])).year <= 2100
    except ValueError:
        return False
