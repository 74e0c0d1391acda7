"""Heats as the melt shop's Level 2 names them, and what was told of each until it is cast (see in_work.py)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import BadMessage, NotYet, Work
from local_mes.production.in_work import Told, find_told, tell
from shared.material.queries import find_by_number

HEATS = "HEAT"
"""Where the telling of heats is kept: a heat passes several units."""
SUMMARIES = ("tap_temp_c", "ladle_temp_c", "tap_o2_ppm", "energy_kwh", "additions_kg", "superheat_c")
"""What is kept of a heat for the pieces cast from it."""


def find_heat(work: Work, number: str) -> Row[Any] | None:
    """The heat of this number here: one that still flows before one that is cast."""
    rows = find_by_number(work.conn, number, work.plant.code)
    return next((row for row in rows if row.kind == "heat"), None)


def get_heat(work: Work, number: str) -> Row[Any]:
    """The heat a message names; NotYet before its start was told."""
    row = find_heat(work, number)
    if row is None:
        raise NotYet(f"Heat {number} was not started here.")
    return row


def get_flowing_heat(work: Work, number: str, field: str = "heat") -> Row[Any]:
    """A heat that is not yet cast; BadMessage when it is no more."""
    row = get_heat(work, number)
    if row.state != "live":
        raise BadMessage(f"Heat {number} is {row.state} already.", field)
    return row


def told_of(work: Work, heat_id: str) -> Told:
    """What was told of a heat so far."""
    return find_told(work.conn, HEATS, heat_id) or {}


def tell_heat(work: Work, heat_id: str, **more: Any) -> Told:
    """Add to it."""
    return tell(work.conn, HEATS, heat_id, work.message.occurred.at_ms, **more)


def summaries_of(work: Work, heat_id: str) -> dict[str, int]:
    """A heat's summaries, in whole units with the unit in the name."""
    told = told_of(work, heat_id)
    return {name: round(told[name]) for name in SUMMARIES if name in told}
