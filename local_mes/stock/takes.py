"""Use cases of a stock-take: open, count, post the differences. Counting is a draft of this node; what it found is facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from local_mes.plant import Plant
from local_mes.stock import errors
from local_mes.stock.domain import is_place
from local_mes.stock.service import Command, check_place, places_of
from local_mes.stock.tables import stock_count
from local_mes.stock.take_domain import Booked, Counted, Difference, differences, missing_place
from shared.db.upsert import upsert
from shared.ids import derived_id, new_id
from shared.journal.fact import Draft, Payload
from shared.journal.journal import Work
from shared.material.facts import DeviationRaised, MaterialMoved
from shared.material.queries import find_by_number
from shared.stock.facts import StockDifferencePosted, StockTakeClosed, StockTakeOpened
from shared.stock.queries import find_take, live_at, open_takes, since_of

LINES_MAX = 5_000
"""Lines that are counted in one command."""


@dataclass(frozen=True)
class TakeState:
    """A take with what is expected, what was counted so far, and what does not agree."""

    take: Row[Any]
    expected: Sequence[Booked]
    counted: Sequence[Counted]
    differences: Sequence[Difference]


def open_take(plant: Plant, command: Command, area: str) -> dict[str, Any]:
    """Begin to count a storage, unit or area; refused while another count of it is open."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        if area not in places_of(plant.model):
            raise errors.unknown_place(area, sorted(places_of(plant.model)))
        if any(take.area == area for take in open_takes(tx.conn, plant.code)):
            raise errors.take_open(area)
        take_id = derived_id(tx.now_ms(), plant.code, "take", command.command_id)
        _record(plant, tx, command, StockTakeOpened(take_id=take_id, area=area), take_id)
        result = {"take_id": take_id, "area": area}
        tx.done(command.command_id, result)
    return result


def count(plant: Plant, command: Command, take_id: str, lines: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Keep what was seen: (number, place or ''); the same number again replaces its line."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        take = _open_take(tx.conn, plant, take_id)
        known = places_of(plant.model)
        wrong = [f"{number} at {place}" for number, place in lines if place and not is_place(place, known)]
        if wrong:
            raise errors.bad_rows([f"{one}: no place of this plant" for one in wrong])
        at_ms = command.occurred(plant, tx).at_ms
        rows = {
            number: {
                "take_id": take_id,
                "number": number,
                "place": place or take.area,
                "counted_at_ms": at_ms,
                "counted_by": command.actor,
            }
            for number, place in lines
        }
        upsert(tx.conn, stock_count, list(rows.values()), update=["place", "counted_at_ms", "counted_by"])
        result = {"take_id": take_id, "counted": len(rows)}
        tx.done(command.command_id, result)
    return result


def read_take(conn: Connection, plant: Plant, take_id: str) -> TakeState:
    """A take as it stands; NotFound when nobody opened it."""
    take = _get_take(conn, plant, take_id)
    if take.state != "open":
        return TakeState(take, (), (), ())
    query = select(stock_count).where(stock_count.c.take_id == take_id).order_by(stock_count.c.counted_at_ms.desc())
    counted = [Counted(row.number, row.place, row.counted_at_ms, row.counted_by) for row in conn.execute(query)]
    expected = _booked(conn, plant.code, live_at(conn, plant.code, take.area))
    rows = {line.number: found[0] for line in counted if (found := find_by_number(conn, line.number, plant.code))}
    pieces = {one.material_id: one for one in _booked(conn, plant.code, list(rows.values()))}
    known = {number: pieces[row.material_id] for number, row in rows.items()}
    differing = differences(take.area, take.opened_at_ms, expected, counted, known)
    return TakeState(take, expected, counted, differing)


def close_take(
    plant: Plant, command: Command, take_id: str, reason: str, reasons: Mapping[str, str], shown: int
) -> dict[str, Any]:
    """Post every difference with its reason (by number, else the common one). shown: how many the person has seen;
    refused when there are others by now."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        _open_take(tx.conn, plant, take_id)
        state = read_take(tx.conn, plant, take_id)
        found = state.differences
        if len(found) != shown:
            raise errors.take_changed(shown, len(found))
        silent = [one.number for one in found if not (reasons.get(one.number) or reason).strip()]
        if silent:
            raise errors.take_reason(silent)
        for one in found:
            _post(plant, tx, command, state.take, one, (reasons.get(one.number) or reason).strip())
        missing, unknown, elsewhere = (
            sum(one.kind == kind for one in found) for kind in ("missing", "found", "elsewhere")
        )
        closed = StockTakeClosed(
            take_id=take_id,
            expected=len(state.expected),
            counted=len(state.counted),
            missing=missing,
            found=unknown,
            elsewhere=elsewhere,
            reason=reason,
        )
        _record(plant, tx, command, closed, take_id)
        tx.conn.execute(delete(stock_count).where(stock_count.c.take_id == take_id))
        result = {"take_id": take_id, "state": "closed", "missing": missing, "found": unknown, "elsewhere": elsewhere}
        tx.done(command.command_id, result)
    return result


def drop_take(plant: Plant, command: Command, take_id: str, reason: str) -> dict[str, Any]:
    """Nothing comes of it."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        _open_take(tx.conn, plant, take_id)
        if not reason.strip():
            raise errors.take_reason(())
        dropped = StockTakeClosed(
            take_id=take_id, expected=0, counted=0, missing=0, found=0, elsewhere=0, dropped=True, reason=reason
        )
        _record(plant, tx, command, dropped, take_id)
        tx.conn.execute(delete(stock_count).where(stock_count.c.take_id == take_id))
        result = {"take_id": take_id, "state": "dropped"}
        tx.done(command.command_id, result)
    return result


def _post(plant: Plant, tx: Work, command: Command, take: Row[Any], one: Difference, reason: str) -> None:
    """The difference, and what it does to the piece: another place, none that is known, or a deviation."""
    material_id = one.piece.material_id if one.piece else ""
    posted = StockDifferencePosted(
        difference_id=new_id(plant.clock),
        take_id=take.take_id,
        kind=one.kind,
        number=one.number,
        material_id=material_id,
        expected_place=one.expected_place,
        found_place=one.found_place,
        reason=reason,
    )
    _record(plant, tx, command, posted, take.take_id, *([material_id] if material_id else []))
    if one.kind == "found" and one.piece:
        text = f"{one.number} was found at {one.found_place} and is {one.piece.state} in the books. {reason}"
        raised = DeviationRaised(
            deviation_id=new_id(plant.clock), rule="stock.found", text=text, material_id=material_id
        )
        _record(plant, tx, command, raised, material_id)
    place = missing_place(take.area) if one.kind == "missing" else one.found_place
    if one.kind != "found" and place != one.expected_place:
        check_place(plant.model, place)
        _record(plant, tx, command, MaterialMoved(material_id=material_id, place=place), material_id)


def _booked(conn: Connection, author: str, rows: Sequence[Row[Any]]) -> list[Booked]:
    since = since_of(conn, author, [row.material_id for row in rows])
    return [
        Booked(row.material_id, row.number, row.place, since.get((row.material_id, row.place), 0), row.state)
        for row in rows
    ]


def _get_take(conn: Connection, plant: Plant, take_id: str) -> Row[Any]:
    take = find_take(conn, plant.code, take_id)
    if take is None:
        raise errors.no_take(take_id)
    return take


def _open_take(conn: Connection, plant: Plant, take_id: str) -> Row[Any]:
    take = _get_take(conn, plant, take_id)
    if take.state != "open":
        raise errors.take_closed(take.area, take.state)
    return take


def _record(plant: Plant, tx: Work, command: Command, payload: Payload, *subjects: str) -> None:
    tx.record(Draft(payload, subjects, command.actor, command.occurred(plant, tx)))
