"""A spectrometer's sample: burns of the same surface, and what they come to. Pure.

Mass fractions are integers of 1e-6 (ppm) with the digits that were reported, as everywhere; see shared/quality/facts.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

PPM = {"%": 10_000, "wt%": 10_000, "m%": 10_000, "pct": 10_000, "ppm": 1, "ug/g": 1, "mg/kg": 1}
"""1e-6 mass fractions in a unit."""
PERCENT_DIGITS = {10_000: 0, 1: 4}
"""Digits after the point that a value in per cent has more than the same value in this unit."""
DIGITS_MAX = 6
_SYMBOL = re.compile(r"([A-Z][a-z]?)(?:[ _(]?(tot|sol|ins)\)?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Value:
    """One element: 1e-6 mass fraction, `<` or nothing, digits after the point in per cent."""

    value_e6: int
    operator: str = ""
    digits: int = 3


Burn = Mapping[str, Value]


def read_value(text: str, unit: str) -> Value:
    """`0.0452` `%`, `<0.001` `%`, `12.5` `ppm`. ValueError says what is wrong."""
    if unit.strip().lower() not in PPM:
        raise ValueError(f"the unit {unit!r} is none of {', '.join(PPM)}")
    factor = PPM[unit.strip().lower()]
    plain = text.strip().replace(",", ".")
    operator = "<" if plain.startswith("<") else ""
    try:
        value = Decimal(plain.removeprefix("<").strip())
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no value") from error
    if not value.is_finite() or not 0 <= value * factor <= 1_000_000:
        raise ValueError(f"{text} {unit} is no mass fraction")
    exponent = value.as_tuple().exponent
    digits = (-exponent if isinstance(exponent, int) and exponent < 0 else 0) + PERCENT_DIGITS[factor]
    return Value(int((value * factor).to_integral_value(ROUND_HALF_UP)), operator, min(digits, DIGITS_MAX))


def read_element(text: str) -> str:
    """`C`, `Al_sol`, `AL(TOT)` as this plant writes it: `C`, `Al_sol`, `Al`. ValueError when it is no element."""
    hit = _SYMBOL.fullmatch(text.strip())
    if hit is None:
        raise ValueError(f"{text!r} is no element")
    kind = (hit[2] or "").lower()
    return hit[1].capitalize() + (f"_{kind}" if kind in ("sol", "ins") else "")


def average(burns: Sequence[Burn]) -> dict[str, Value]:
    """The mean of each element over the burns that have it, rounded half up.

    It has the digits of the burns; below the detection limit (`<`) when most of them are.
    """
    found: dict[str, list[Value]] = {}
    for burn in burns:
        for element, value in burn.items():
            found.setdefault(element, []).append(value)
    return {element: _mean(values) for element, values in found.items()}


def _mean(values: Sequence[Value]) -> Value:
    mean = Decimal(sum(one.value_e6 for one in values)) / len(values)
    below = 2 * sum(one.operator == "<" for one in values) > len(values)
    digits = max(one.digits for one in values)
    return Value(int(mean.to_integral_value(ROUND_HALF_UP)), "<" if below else "", digits)


def as_rows(values: Burn) -> list[dict[str, Any]]:
    """As they stand in a message: one row an element."""
    return [
        {"element": element, "op": one.operator, "value_e6": one.value_e6, "digits": one.digits}
        for element, one in values.items()
    ]
