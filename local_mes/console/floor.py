"""The operator's page: what is in my unit, what is next, what is wrong, what do I book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import make_response, render_template, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from local_mes.console import queries
from local_mes.context import plant
from local_mes.model.domain import Unit
from local_mes.plant import Plant
from local_mes.production.in_work import pieces_in
from shared.orders.queries import Line, find_lines
from shared.performance.queries import find_state, states
from shared.quality.queries import held_ids
from shared.web.context import reading

NEXT_LINES = 8
INSIDE_SHOWN = 12
STORES = (
    "slab_yard",
    "coil_yard",
    "finished_yard",
    "gate",
    "rail_gate",
    "slab_scale",
    "coil_scale",
    "scale",
    "packing",
)
"""Classes of units in which nothing is made."""
UNIT_COOKIE_AGE_S = 31_536_000
STATE_SIGNS = {"run": "normal", "stop": "alarm", "setup": "attention", "planned": "normal", "no_data": "nodata"}
STATE_WORDS = {"run": "running", "stop": "stopped", "setup": "set-up", "planned": "planned stop", "no_data": "no data"}


@dataclass(frozen=True, slots=True)
class Next:
    """A line of the schedule with what stands in its way."""

    line: Line
    held: bool
    here: bool


def machines(here: Plant) -> list[Unit]:
    """The units that make something."""
    return [unit for unit in here.model.unit if unit.unit_class not in STORES]


def chosen_unit(here: Plant) -> Unit:
    """The unit of the address, else the one this browser looked at last, else the first."""
    units = {unit.code: unit for unit in machines(here)}
    wanted = request.args.get("unit") or request.cookies.get("unit") or ""
    return units.get(wanted) or next(iter(units.values()), here.model.unit[0])


def floor() -> Response:
    """The unit's page; the browser remembers the unit."""
    here = plant()
    unit = chosen_unit(here)
    with reading() as conn:
        shown = read_floor(conn, here, unit)
    fragment = request.headers.get("HX-Request") == "true"
    template = "console/floor_live.html" if fragment else "console/floor.html"
    answer = make_response(render_template(template, unit=unit, units=machines(here), **shown))
    answer.set_cookie("unit", unit.code, max_age=UNIT_COOKIE_AGE_S, httponly=True, samesite="Lax")
    return answer


def read_floor(conn: Connection, here: Plant, unit: Unit) -> dict[str, Any]:
    """Everything the page shows, of one moment."""
    now = here.clock.now_ms()
    return {
        "states": {row.unit: row for row in states(conn, here.code)},
        "signs": STATE_SIGNS,
        "state_words": STATE_WORDS,
        "state": find_state(conn, here.code, unit.code),
        "inside": read_inside(conn, here.code, unit.code),
        "next_lines": read_next(conn, here.code, unit.code),
        "made": queries.last_made(conn, here.code, unit.code),
        "deviations": queries.last_deviations(conn, here.code, here.model.calendar.at(now).from_ms),
    }


def read_inside(conn: Connection, author: str, unit: str) -> list[Any]:
    """Pieces that Level 2 has in work at the unit, as far as they are in our books."""
    rows = queries.pieces_by_id(conn, author, pieces_in(conn, unit))
    return sorted(rows.values(), key=lambda row: (row.kind, row.number))[-INSIDE_SHOWN:]


def read_next(conn: Connection, author: str, unit: str) -> list[Next]:
    """The next lines of the schedule, with the pieces that are held or not here."""
    lines = find_lines(conn, author, unit, "open", limit=NEXT_LINES)[:NEXT_LINES]
    pieces = queries.ids_of_numbers(conn, author, [line.piece for line in lines])
    held = held_ids(conn, pieces.values())
    return [Next(line, pieces.get(line.piece, "") in held, line.piece in pieces) for line in lines]
