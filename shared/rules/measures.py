"""Units a signal or an operation's field may have, how they convert, and which unit an expression comes to. Pure.

A measure is a factor to base units and the powers of the dimensions it is made of: `m/min` is a length over a time.
Units written together (`g/m2`, `kg/t`) are read as the product they are; nothing is converted inside an expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Powers = tuple[tuple[str, int], ...]


class UnitError(ValueError):
    """A unit that nobody knows, or two that do not fit each other."""


@dataclass(frozen=True)
class Measure:
    """name as written; value in base units = value * factor + offset; powers sorted by dimension."""

    name: str
    factor: Fraction = Fraction(1)
    powers: Powers = ()
    offset: Fraction = Fraction(0)

    def fits(self, other: Measure) -> bool:
        """Whether one can be converted into the other."""
        return self.powers == other.powers

    def is_same(self, other: Measure) -> bool:
        """Whether figures of both can be added and compared as they stand."""
        return (self.powers, self.factor, self.offset) == (other.powers, other.factor, other.offset)


ONE = Measure("")
"""A number that counts: no unit."""
_INCH, _POUND = Fraction(254, 10), Fraction(45359237, 100000)
_KNOWN: tuple[tuple[str, str, Fraction | int, Fraction | int], ...] = (
    ("um", "length", Fraction(1, 1000), 0),
    ("mm", "length", 1, 0),
    ("cm", "length", 10, 0),
    ("m", "length", 1_000, 0),
    ("in", "length", _INCH, 0),
    ("ft", "length", _INCH * 12, 0),
    ("g", "mass", 1, 0),
    ("kg", "mass", 1_000, 0),
    ("t", "mass", 1_000_000, 0),
    ("lb", "mass", _POUND, 0),
    ("short_ton", "mass", _POUND * 2_000, 0),
    ("ms", "time", 1, 0),
    ("s", "time", 1_000, 0),
    ("min", "time", 60_000, 0),
    ("h", "time", 3_600_000, 0),
    ("C", "temperature", 1, 0),
    ("K", "temperature", 1, Fraction(-27315, 100)),
    ("F", "temperature", Fraction(5, 9), Fraction(-160, 9)),
    ("kWh", "energy", 1, 0),
    ("MWh", "energy", 1_000, 0),
    ("MJ", "energy", Fraction(1, 1) / Fraction(36, 10), 0),
    ("kW", "power", 1, 0),
    ("MW", "power", 1_000, 0),
    ("A", "current", 1, 0),
    ("kA", "current", 1_000, 0),
    ("V", "voltage", 1, 0),
    ("kV", "voltage", 1_000, 0),
    ("bar", "pressure", 1, 0),
    ("kPa", "pressure", Fraction(1, 100), 0),
    ("MPa", "pressure", 10, 0),
    ("kN", "force", 1, 0),
    ("MN", "force", 1_000, 0),
    ("l", "volume", 1, 0),
    ("m3", "volume", 1_000, 0),
    ("rev", "turn", 1, 0),
)
"""Name, dimension, how much of the dimension's base unit it is, and the base value of its zero."""
_SIMPLE = {name: (dimension, Fraction(factor), Fraction(offset)) for name, dimension, factor, offset in _KNOWN}
_MILLIONTH = Fraction(1, 10**6)
_SHARES = {"": Fraction(1), "%": Fraction(1, 100), "ppm": _MILLIONTH, "e5": _MILLIONTH / 10, "e6": _MILLIONTH}
"""Parts of a whole. e5 is mass per cent times 100,000, e6 a mass fraction in millionths, as facts hold it."""
_PART = re.compile(r"^(.*?)([23])?$")


@lru_cache(maxsize=500)  # a plant names some tens
def measure(name: str) -> Measure:
    """The measure of a unit as written; UnitError when it is none."""
    factor, offset, powers = Fraction(1), Fraction(0), dict[str, int]()
    for place, part in enumerate(name.split("/")):
        sign = 1 if place == 0 else -1
        if part in _SHARES and not (place and not part):
            factor *= _SHARES[part] ** sign
            continue
        symbol, power = (part, 1) if part in _SIMPLE else _power(part)
        if symbol not in _SIMPLE:
            raise UnitError(f"{name!r} is no unit; known are {', '.join(sorted({*_SIMPLE, *_SHARES} - {''}))}")
        dimension, scale, offset = _SIMPLE[symbol]
        factor *= scale ** (sign * power)
        powers[dimension] = powers.get(dimension, 0) + sign * power
    alone = "/" not in name
    return Measure(name, factor, _sorted(powers), offset if alone else Fraction(0))


def _power(part: str) -> tuple[str, int]:
    found = _PART.match(part)
    symbol, power = found.groups() if found else (part, None)
    return str(symbol), int(power or 1)


def product(a: Measure, b: Measure, sign: int) -> Measure:
    """a times b, or with sign -1 a over b."""
    powers = dict(a.powers)
    for dimension, power in b.powers:
        powers[dimension] = powers.get(dimension, 0) + sign * power
    name = a.name if not b.name else f"{a.name or '1'}{'*' if sign > 0 else '/'}{b.name}"
    made = Measure(name, a.factor * b.factor**sign, _sorted(powers))
    return Measure("", made.factor) if not made.powers and made.factor == 1 else made


def convert(value: Fraction, given: Measure, wanted: Measure) -> Fraction:
    """The same quantity in another unit; UnitError when they do not measure the same thing."""
    if not given.fits(wanted):
        raise UnitError(f"{given.name or 'a number without unit'} cannot become {wanted.name or 'one without unit'}")
    return (value * given.factor + given.offset - wanted.offset) / wanted.factor


def _sorted(powers: dict[str, int]) -> Powers:
    return tuple(sorted((dimension, power) for dimension, power in powers.items() if power))
