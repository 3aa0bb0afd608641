"""Units of measure that answers carry, and what one is of another."""

from __future__ import annotations

from fractions import Fraction

_FAMILIES: dict[str, dict[str, Fraction]] = {
    family: {name: Fraction(factor) for names, factor in rows for name in names.split()}
    for family, rows in {
        "length": [
            ("mm millimeter millimeters millimetre millimetres", "0.001"),
            ("cm centimeter centimeters centimetre centimetres", "0.01"),
            ("m meter meters metre metres", "1"),
            ("km kilometer kilometers kilometre kilometres", "1000"),
            ("inch inches", "0.0254"),
            ("ft foot feet", "0.3048"),
            ("yd yard yards", "0.9144"),
            ("mi mile miles", "1609.344"),
        ],
        "mass": [
            ("mg milligram milligrams", "0.001"),
            ("g gram grams", "1"),
            ("kg kilogram kilograms kilo kilos", "1000"),
            ("ton tons tonne tonnes", "1000000"),
            ("oz ounce ounces", "28.349523125"),
            ("lb lbs pound pounds", "453.59237"),
        ],
        "time": [
            ("s sec second seconds", "1"),
            ("min mins minute minutes", "60"),
            ("h hr hrs hour hours", "3600"),
            ("day days", "86400"),
            ("week weeks", "604800"),
            ("month months", "2629800"),
            ("year years", "31557600"),
        ],
        "volume": [
            ("ml milliliter milliliters", "0.001"),
            ("l liter liters litre litres", "1"),
            ("gallon gallons", "3.785411784"),
        ],
        "money": [("cent cents ¢", "0.01"), ("dollar dollars usd", "1")],
        "share": [("% percent", "0.01")],
    }.items()
}
_FAMILY_OF = {name: family for family, units in _FAMILIES.items() for name in units}


def ratio(one: str | None, other: str | None) -> Fraction | None:
    """How many of the other unit one is; None where the two do not measure the same, or one of them is unknown."""
    if one is None or other is None or _FAMILY_OF.get(one) != _FAMILY_OF.get(other) or one not in _FAMILY_OF:
        return None
    units = _FAMILIES[_FAMILY_OF[one]]
    return units[one] / units[other]


def may_be_converted(value: Fraction, unit: str | None, other: Fraction) -> bool:
    """Whether a value in a known unit is the other value in some unit of the same kind."""
    if unit not in _FAMILY_OF:
        return False
    units = _FAMILIES[_FAMILY_OF[unit]]
    if any(value * units[unit] / factor == other for factor in units.values()):
        return True
    return _FAMILY_OF[unit] == "share" and value / 100 == other
