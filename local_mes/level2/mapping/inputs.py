"""What an operation takes: each field's kind and unit, written down beside the operation in one line.

    @operation("slab_cut", takes="heat:text strand cut head_mm order?:text")

`?` marks what may be absent; the kind is `whole` unless it is said (`text`, `number`, `flag`) or the unit is one that is
measured in fractions. The unit is the end of the name (`head_mm`, `mass_kg`, `ct_c`), the whole of it (`kg`), or said
(`spot1:g/m2`).
`slabs[strand cut width_mm]` is a list of rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "whole", "number", "flag", "rows"]
UNITS = {
    "um": "um", "mm": "mm", "m": "m", "g": "g", "kg": "kg", "t": "t", "ms": "ms", "s": "s", "min": "min",
    "minutes": "min", "c": "C", "kwh": "kWh", "pct": "%", "ppm": "ppm", "e5": "e5", "e6": "e6", "gm2": "g/m2",
}  # fmt: skip
"""Last word of a field's name -> its unit."""
FRACTIONS = frozenset({"C", "%"})
_PIECE = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?P<optional>\?)?(?::(?P<kind>[\w/%]+)|\[(?P<rows>[^\]]*)\])?\s*")
_KINDS: dict[str, Kind] = {"text": "text", "whole": "whole", "number": "number", "flag": "flag"}


@dataclass(frozen=True)
class Input:
    """One field of an operation; unit "" for texts, flags and what is counted; rows: the fields of each row."""

    name: str
    kind: Kind
    unit: str = ""
    optional: bool = False
    rows: tuple[Input, ...] = ()


def read_takes(takes: str) -> tuple[Input, ...]:
    """The inputs that a line describes; TypeError where it is none (a mistake in the code, found at import)."""
    found, at = [], 0
    while at < len(takes):
        piece = _PIECE.match(takes, at)
        if piece is None:
            raise TypeError(f"no inputs of an operation: {takes[at:]!r}")
        found.append(_input(piece))
        at = piece.end()
    return tuple(found)


def words_of(inputs: tuple[Input, ...]) -> str:
    """The inputs for people: name, unit, `?` where it may be absent."""
    return ", ".join(
        f"{one.name}{' [' + words_of(one.rows) + ']' if one.rows else ''}"
        f"{' ' + one.unit if one.unit and not one.name.endswith(one.unit) else ''}"
        f"{' (text)' if one.kind == 'text' else ''}{'?' if one.optional else ''}"
        for one in inputs
    )


def unit_in(name: str) -> str:
    """The unit that a field's name ends in, "" for none."""
    return UNITS.get(name.rpartition("_")[2], "")


def _input(piece: re.Match[str]) -> Input:
    name, optional = piece["name"], piece["optional"] is not None
    if piece["rows"] is not None:
        return Input(name, "rows", "", optional, read_takes(piece["rows"]))
    said = piece["kind"] or ""
    kind = _KINDS.get(said)
    unit = "" if kind in ("text", "flag") else said if said and kind is None else unit_in(name)
    return Input(name, kind or ("number" if unit in FRACTIONS else "whole"), unit, optional)
