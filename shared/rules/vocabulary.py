"""What each event offers to a rule: names, types and units. The author of a rule can use these names and no others.

Callers pass the integers that facts hold (1e-6 mass fraction, grams, micrometres, milliseconds, ppm); rules and their
explanations speak the field's units. `INTERNAL_PER_UNIT` is the bridge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shared.rules.port import ValueType

INTERNAL_PER_UNIT: Mapping[str, int] = MappingProxyType(
    {
        "": 1,
        "%": 10_000,
        "kg": 1_000,
        "t": 1_000_000,
        "mm": 1_000,
        "m": 1_000_000,
        "s": 1_000,
        "min": 60_000,
        "C": 1,
        "g/m2": 1,
    }
)
"""How many of the stored integers make one of the field's unit: 2,700 (1e-6) is 0.27 %, 41,100,000 g is 41.1 t."""

ELEMENTS = (
    "C",
    "Si",
    "Mn",
    "P",
    "S",
    "Al",
    "N",
    "Cr",
    "Ni",
    "Mo",
    "Cu",
    "V",
    "Nb",
    "Ti",
    "B",
    "Ca",
    "Sn",
    "As",
    "Sb",
    "Pb",
    "Co",
    "W",
    "Zr",
    "Ce",
    "Mg",
    "H",
    "O",
)
"""Elements of an analysis (domain.md, 6); Al is total aluminium."""


@dataclass(frozen=True)
class Variable:
    """A name a rule may use: its type, the unit a rule sees, and what it means."""

    name: str
    type: ValueType
    unit: str
    meaning: str


def _number(name: str, unit: str, meaning: str) -> Variable:
    return Variable(name, "number", unit, meaning)


def _text(name: str, meaning: str) -> Variable:
    return Variable(name, "text", "", meaning)


_CHEMISTRY = tuple(_number(symbol, "%", f"{symbol}, mass fraction") for symbol in ELEMENTS)
_GRADE = _text("grade", "internal grade the steel was ordered as")

EVENTS: Mapping[str, tuple[Variable, ...]] = MappingProxyType(
    {
        "sample_final": (_GRADE, _text("place", "where the sample was taken"), *_CHEMISTRY),
        "slab_cut": (
            _GRADE,
            *_CHEMISTRY,
            _number("mixed_length", "m", "length of the slab with 10-90 % of a heat of another grade"),
            _number("share_max", "%", "share of the heat that has most of this slab"),
            _number("thickness", "mm", "cold thickness"),
            _number("width", "mm", "cold width"),
            _number("length", "mm", "cold length"),
        ),
        "mark": (
            _text("code", "what happened: ML mould level, SP speed, SN nozzle, WC width change"),
            _number("level", "mm", "largest deviation of the mould level from its set point, signed"),
            _number("duration", "s", "how long it lasted"),
            _number("length", "m", "cast length it covers"),
        ),
        "coil_done": (
            _GRADE,
            _number("ft_in_window", "%", "part of the length with finishing temperature inside its window"),
            _number("ct_in_window", "%", "part of the length with coiling temperature inside its window"),
            _number("ft_avg", "C", "mean finishing temperature"),
            _number("ct_avg", "C", "mean coiling temperature"),
            _number("thickness", "mm", "mean thickness"),
            _number("width", "mm", "mean width"),
            _number("length", "m", "measured length"),
        ),
        "coating": (
            _text("coating", "coating the order asks for, e.g. Z275"),
            _text("side", "side of the strip"),
            _number("triple", "g/m2", "triple spot: mean of the three spots, both sides together"),
            _number("single", "g/m2", "the lowest of the three spots"),
        ),
        "receipt": (
            _text("lane", "sender and receiver, e.g. ALD-BRK"),
            _text("sender_basis", "theoretical, weighed or charged"),
            _text("receiver_basis", "theoretical, weighed or charged"),
            _number("sender_mass", "kg", "advised mass"),
            _number("receiver_mass", "kg", "mass found by the receiver"),
        ),
    }
)


def variables_of(event: str) -> Mapping[str, Variable]:
    """The variables of an event by name; empty for an unknown event."""
    return {variable.name: variable for variable in EVENTS.get(event, ())}
