"""The explanation of an outcome: one line a comparison, in words and numbers a steel person reads at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from shared.rules.condition import Finding, Truth
from shared.rules.tokens import names

_SIGNS = {"<=": "≤", ">=": "≥", "<": "<", ">": ">"}


class Line(msgspec.Struct, frozen=True, gc=False):
    """One comparison.

    what   the element or the left side as written ("Cu", "Cu + 8 * Sn")
    value  the number found, limit the number it is held against, both in `unit`; None where missing
    text   the whole in words: "Cu 0.27 % > 0.22 %"
    """

    what: str
    op: str
    value: float | None
    limit: float | None
    unit: str
    truth: Truth
    text: str


def lines_of(findings: Sequence[Finding], units: Mapping[str, str]) -> tuple[Line, ...]:
    """The lines for findings; units by variable name, the same unit for both sides of a comparison."""
    return tuple(_line(finding, _unit(finding, units)) for finding in findings)


def mass_line(sent_g: int, found_g: int, allowed_g: int, truth: Truth) -> Line:
    """The comparison of two masses: difference against what the lane allows, in kg."""
    difference, allowed = abs(found_g - sent_g) / 1000, allowed_g / 1000
    share = Decimal(found_g - sent_g) * 100 / sent_g if sent_g else Decimal(0)
    text = (
        f"{number(found_g / 1000)} kg found, {number(sent_g / 1000)} kg advised: {share:+.2f} %, "
        f"difference {number(difference)} kg {'≤' if truth == 'true' else '>'} {number(allowed)} kg"
    )
    return Line("mass difference", "<=", difference, allowed, "kg", truth, text)


def number(value: float) -> str:
    """A number with no more digits than it has: 0.27, 0.446, 20,180."""
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _unit(finding: Finding, units: Mapping[str, str]) -> str:
    found = ""
    for name in names(f"{finding.what} {finding.limit_text}"):
        unit = units.get(name)
        if unit and found and unit != found:
            return ""
        found = unit or found
    return found


def _line(finding: Finding, unit: str) -> Line:
    return Line(finding.what, finding.op, finding.value, finding.limit, unit, finding.truth, _text(finding, unit))


def _text(finding: Finding, unit: str) -> str:
    tail = f" {unit}" if unit else ""
    if finding.truth == "failed":
        return f"{finding.what}: cannot be evaluated, {finding.why}"
    if finding.truth == "missing":
        return f"{finding.what}: missing {', '.join(finding.missing)}"
    if finding.value is None or finding.limit is None:
        return f"{finding.what}: {'yes' if finding.truth == 'true' else 'no'}"
    sign = _SIGNS[finding.op] if finding.truth == "true" else _OPPOSITE[finding.op]
    return f"{finding.what} = {number(finding.value)}{tail} {sign} {number(finding.limit)}{tail}"


_OPPOSITE = {"<=": ">", ">=": "<", "<": "≥", ">": "≤"}
"""What is true when a comparison is not: an explanation states facts, it does not deny them."""
