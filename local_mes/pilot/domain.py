"""The comparison of one piece as two systems have it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_mes.pilot.rules import UNITS, Tolerance

MISSING_HERE, MISSING_THERE, DIFFERS = "missing_here", "missing_there", "differs"
KINDS = (MISSING_HERE, MISSING_THERE, DIFFERS)


@dataclass(frozen=True)
class OurPiece:
    """A piece as we have it; figures in g and um. state `held` where it is live and held."""

    material_id: str
    number: str
    born_at_ms: int
    values: Mapping[str, Any]
    mass_basis: str = ""


@dataclass(frozen=True)
class Difference:
    """One field of one piece; values as people read them, unit beside. field is empty where the piece is missing."""

    number: str
    kind: str
    field: str = ""
    ours: str = ""
    theirs: str = ""
    unit: str = ""


def compare(
    number: str,
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    fields: Sequence[str],
    allowed: Mapping[str, Tolerance],
) -> list[Difference]:
    """The fields in which the two differ by more than is allowed. What their file leaves empty is not compared."""
    found = []
    for name in fields:
        mine, other = ours.get(name), theirs.get(name)
        if other in (None, "") or _agree(name, mine, other, allowed.get(name, Tolerance())):
            continue
        unit = UNITS[name][0] if name in UNITS else ""
        found.append(Difference(number, DIFFERS, name, as_read(name, mine), as_read(name, other), unit))
    return found


def _agree(name: str, mine: Any, other: Any, allowed: Tolerance) -> bool:
    if name not in UNITS:
        return str(mine or "").strip().casefold() == str(other).strip().casefold()
    if mine is None:
        return False
    _, factor = UNITS[name]
    most = max(allowed.absolute * factor, abs(other) * allowed.percent / 100)
    return bool(abs(mine - other) <= most)


def as_read(name: str, value: Any) -> str:
    """A value as people read it: figures in kg or mm without needless noughts."""
    if value in (None, ""):
        return ""
    if name not in UNITS:
        return str(value)
    text = f"{value / UNITS[name][1]:.3f}"
    return text.rstrip("0").rstrip(".")
