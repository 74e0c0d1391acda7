"""Pieces as a line's Level 2 names them, and what their making needs to know: parameters, holds, schedule lines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from local_mes.execution.next_step import missing_data
from local_mes.level2.operations import BadMessage, NotYet, Work
from local_mes.model.domain import Unit
from local_mes.model.numbers import pass_number
from local_mes.orders import service as orders
from local_mes.transfers.service import route_followed
from shared.execution.versions import Moment, version_for
from shared.material.correction_queries import find_bearer
from shared.material.facts import DeviationRaised, MaterialMoved, NewAlias
from shared.material.pack_facts import PackOpened
from shared.material.pack_queries import find_pack, members_of
from shared.material.queries import find_by_number, find_making, get_material, numbers_of
from shared.orders.queries import Line, find_line
from shared.quality.queries import open_holds


def find_live(conn: Connection, plant: str, number: str) -> Row[Any] | None:
    """The piece of this number that is in this plant now, or None."""
    return next((row for row in find_by_number(conn, number, plant) if row.state == "live"), None)


def get_live(work: Work, number: str, field: str) -> Row[Any]:
    """The live piece a message names: NotYet when nobody knows the number, BadMessage when the piece is no more."""
    rows = find_by_number(work.conn, number, work.plant.code)
    if not rows:
        raise NotYet(f"No piece with the number {number} is known here.")
    if rows[0].state == "packed":
        return _out_of_its_pack(work, rows[0])
    if rows[0].state != "live":
        raise BadMessage(f"{number} is {rows[0].state}; it cannot be in a line.", field)
    return rows[0]


def _out_of_its_pack(work: Work, piece: Row[Any]) -> Row[Any]:
    """A packed piece that is in a line was taken out by somebody: its pack is open, and that is said."""
    pack = find_pack(work.conn, work.plant.code, piece.material_id)
    if pack is None:
        raise BadMessage(f"{piece.number} is packed; it cannot be in a line.")
    opened = PackOpened(
        pack_id=pack.pack_id, members=members_of(work.conn, work.plant.code, pack.pack_id), place=pack.place
    )
    work.record(opened, [pack.pack_id, *opened.members])
    deviate(
        work, piece, "packed", f"{piece.number} of pack {pack.number} is in a line; nobody had taken the pack apart."
    )
    return get_material(work.conn, work.plant.code, piece.material_id)


def get_made(work: Work, number: str, unit: str) -> tuple[Row[Any], Row[Any]]:
    """A live piece and the operation at this unit that made it; NotYet before its cut was told."""
    piece = find_live(work.conn, work.plant.code, number)
    made = find_making(work.conn, work.plant.code, piece.material_id) if piece else None
    if piece is None or made is None or made.unit != unit:
        raise NotYet(f"{unit} has not told of making {number}.")
    return piece, made


def new_alias(work: Work, number: str, kind: str) -> NewAlias:
    """The printed number of a product, under the scheme it was written in; its counter goes past it."""
    for scheme in work.plant.model.numbering:
        if scheme.find_counter(number) is not None:
            pass_number(work.tx, scheme, number)
            return NewAlias(scheme.code, number)
    return NewAlias(f"{work.plant.code}.{kind}", number)


def check_new_number(work: Work, number: str, field: str, parents: frozenset[str]) -> None:
    """Refuse a product number that another live piece here carries; a parent's own number may live on."""
    taken = find_bearer(work.conn, work.plant.code, number)
    if taken is not None and taken.material_id not in parents:
        raise BadMessage(f"{number} is the number of another piece that is here.", field)


def route_of(work: Work, piece: Row[Any], order_item: str = "") -> str:
    """The route that a piece is worked by for an order item: our own of what came from elsewhere, else the order's."""
    return route_followed(work.conn, work.plant.code, piece, order_item)


def process_parameter(work: Work, unit: Unit, name: str, route: str, default: int, began: Moment | None = None) -> int:
    """A whole number of a step: as the route binds it, else as the plant model says, else the rule of thumb.

    route: empty where none is known. began: when the steel and the step were begun, for the version that counts then;
    without it the one in force now.
    """
    found = version_for(work.conn, work.plant.code, route, began or Moment()) if route else None
    bound = found[0].values.get(f"{unit.code}.{name}") if found else None
    value = bound if bound is not None else unit.parameters.get(name, default)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def began_at(piece: Row[Any], entered_ms: object) -> Moment:
    """When a piece came to be here, and its step: what a version that waits for the next heat or step counts from."""
    return Moment(piece.born_at_ms, entered_ms if isinstance(entered_ms, int) else None)


def flips_of(unit: Unit) -> tuple[bool, bool, bool]:
    """Whether a pass through the unit reverses length, reverses width, turns the face: its parameters in the model."""
    length, width, face = (bool(unit.parameters.get(f"flip_{axis}", False)) for axis in ("length", "width", "face"))
    return length, width, face


def move(work: Work, piece: Row[Any], place: str) -> None:
    """The piece is at a place, if it was not there before."""
    if piece.place != place:
        work.record(MaterialMoved(material_id=piece.material_id, place=place), [piece.material_id])


def is_free(work: Work, piece: Row[Any], unit: str) -> bool:
    """False, and a deviation on record, when a held piece is in a unit: it happened, so it is not refused."""
    holds = open_holds(work.conn, piece.material_id)
    if holds:
        deviate(work, piece, "hold", f"{piece.number} is held ({holds[0].reason}) and was charged at {unit}.")
    return not holds


def has_its_data(work: Work, piece: Row[Any], unit: str) -> bool:
    """False, and a deviation on record, when a piece is in a unit whose data of earlier units must be told first."""
    missing = missing_data(work.conn, work.plant, piece, unit)
    if missing:
        deviate(work, piece, "data", f"{piece.number} was charged at {unit} before its data were complete: {missing}.")
    return not missing


def deviate(work: Work, piece: Row[Any], rule: str, text: str) -> None:
    """Something happened that a command would have been refused."""
    raised = DeviationRaised(deviation_id=work.new_id(), rule=rule, text=text, material_id=piece.material_id)
    work.record(raised, [piece.material_id])


def find_scheduled(work: Work, unit: str, piece: Row[Any]) -> Line | None:
    """The schedule line of a piece at a unit, under whichever of its numbers it was planned."""
    numbers = [piece.number, *numbers_of(work.conn, [piece.material_id]).get(piece.material_id, [])]
    lines = [find_line(work.conn, work.plant.code, unit, number) for number in dict.fromkeys(numbers)]
    found = [line for line in lines if line is not None]
    return next((line for line in found if line.state == "open"), found[0] if found else None)


def close_line(work: Work, line: Line | None, result: str, reason: str = "") -> None:
    """A schedule line is done, or dropped."""
    if line is not None:
        orders.close_line(
            work.tx, line, result, actor=work.message.source, occurred=work.message.occurred, reason=reason
        )
