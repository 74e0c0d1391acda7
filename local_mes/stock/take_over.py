"""Taking over a running plant's stock, open heats and recent genealogy from its old system.

What is handed in is kept, checked as a whole, then recorded in portions: a crash in between is gone on from. Until the
first fact of the plant's own about any of it, all of it can be taken out of the books again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, select

from local_mes.plant import Plant
from local_mes.stock import errors
from local_mes.stock.domain import is_place
from local_mes.stock.service import Command, places_of
from local_mes.stock.tables import take_over_file
from local_mes.stock.take_over_facts import CREATED, Recorder
from local_mes.stock.take_over_plan import Plan, Surroundings, make_plan
from local_mes.stock.take_over_rows import FILES
from local_mes.stock.take_over_rows import Row as FileRow
from shared.db.upsert import upsert
from shared.ids import derived_id
from shared.journal.archived import bodies_of
from shared.journal.fact import Draft, Occurred, Payload, decode
from shared.journal.journal import Work
from shared.journal.subjects import find_heads
from shared.material.queries import live_numbers
from shared.stock.facts import TakeOverBegun, TakeOverEnded, TakeOverReversed
from shared.stock.queries import find_take_over

ROWS_MAX = 50_000
"""Rows of one file."""
PORTION = 200
"""Pieces or steps that are recorded in one transaction: others wait no longer than that takes."""
IDS_A_FACT = 500
"""Pieces or steps that one fact takes back."""
NUMBERS_A_QUERY = 5_000


def hand_in(plant: Plant, command: Command, files: Mapping[str, Sequence[FileRow]]) -> str:
    """Keep what is to be taken over; returns the take-over's id. Nothing is recorded yet."""
    for file, rows in files.items():
        if file not in FILES or len(rows) > ROWS_MAX:
            raise errors.bad_take_over(f"{file} with {len(rows):,} rows cannot be taken.", ROWS_MAX)
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return str(earlier["take_over_id"])
        take_over_id = derived_id(tx.now_ms(), plant.code, "take-over", command.command_id)
        kept = [
            {
                "take_over_id": take_over_id,
                "name": file,
                "content": msgspec.json.encode([[row.line, dict(row.cells)] for row in rows]).decode(),
                "handed_in_ms": tx.now_ms(),
                "handed_in_by": command.actor,
            }
            for file, rows in files.items()
        ]
        upsert(tx.conn, take_over_file, kept)
        tx.done(command.command_id, {"take_over_id": take_over_id})
    return take_over_id


def check(conn: Connection, plant: Plant, take_over_id: str) -> Plan:
    """What would be recorded and what speaks against it; NotFound when nothing was handed in under this id."""
    kept = conn.execute(select(take_over_file).where(take_over_file.c.take_over_id == take_over_id)).all()
    if not kept:
        raise errors.no_take_over(take_over_id)
    files = {row.name: [FileRow(line, cells) for line, cells in msgspec.json.decode(row.content)] for row in kept}
    known = places_of(plant.model)
    begun = find_take_over(conn, plant.code, take_over_id) is not None
    # what this take-over has recorded already is no other piece's number
    taken = set() if begun else _taken(conn, plant.code, files)
    now = plant.clock.now_ms()
    around = Surroundings(lambda place: is_place(place, known), taken, plant.model.calendar.zone, now)
    return make_plan(files, around)


def record(plant: Plant, command: Command, take_over_id: str, title: str) -> dict[str, Any]:
    """Record all of it, in portions; again after a crash: what is still missing. Refused while anything is wrong."""
    begun, plan = _begin(plant, command, take_over_id, title)
    if begun.state == "begun":
        recorder = Recorder(plant, take_over_id, command.actor, begun.begun_at_ms, plan)
        pieces, steps = recorder.pieces(), recorder.steps()
        for portion in [*_portions(pieces), *_portions(steps)]:
            _record_portion(plant, take_over_id, portion)
        with plant.journal.work() as tx:
            if _going_on(plant, tx, take_over_id).state == "begun":
                _say(plant, tx, command, TakeOverEnded(take_over_id=take_over_id), take_over_id)
    return {"take_over_id": take_over_id, "state": "done", **plan.totals}


def reverse(plant: Plant, command: Command, take_over_id: str, reason: str) -> dict[str, Any]:
    """Take everything out of the books again; refused once the plant has said anything of its own about any of it."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        if not reason.strip():
            raise errors.no_reason()
        begun = find_take_over(tx.conn, plant.code, take_over_id)
        if begun is None or begun.state == "reversed":
            raise errors.no_take_over(take_over_id)
        recorder = Recorder(plant, take_over_id, command.actor, begun.begun_at_ms, check(tx.conn, plant, take_over_id))
        pieces, steps = recorder.material_ids(), recorder.operation_ids()
        own = first_own(tx.conn, plant, take_over_id, pieces)
        if own:
            raise errors.own_facts(own)
        parts: list[tuple[Sequence[str], Sequence[str]]] = [(part, ()) for part in _portions(pieces, IDS_A_FACT)]
        parts += [((), part) for part in _portions(steps, IDS_A_FACT)]
        for n, (ids, operations) in enumerate(parts or [((), ())], start=1):
            fact = TakeOverReversed(
                take_over_id=take_over_id,
                material_ids=tuple(ids),
                operation_ids=tuple(operations),
                whole=n >= len(parts),
                reason=reason.strip(),
            )
            _say(plant, tx, command, fact, take_over_id, *ids)
        result = {"take_over_id": take_over_id, "state": "reversed", "pieces": len(pieces)}
        tx.done(command.command_id, result)
    return result


def forget(plant: Plant, take_over_id: str) -> None:
    """Files that were handed in and not recorded are thrown away; those of a recorded one stay, to be compared."""
    with plant.journal.work() as tx:
        if find_take_over(tx.conn, plant.code, take_over_id) is None:
            tx.conn.execute(delete(take_over_file).where(take_over_file.c.take_over_id == take_over_id))


def first_own(conn: Connection, plant: Plant, take_over_id: str, pieces: Sequence[str]) -> str:
    """The type of the first fact found about one of the pieces that is none of the take-over's, or ''."""
    mine, seen = set(pieces), set[str]()
    # back along each piece's facts: the take-over's own steps come after what the plant said while it was recorded
    fresh = set(find_heads(conn, {(plant.code, piece) for piece in pieces}).values())
    while fresh:
        seen |= fresh
        bodies, before = bodies_of(conn, fresh), set[str]()
        for fact_id in sorted(bodies):
            fact = decode(bodies[fact_id])
            if fact.occurred.source != CREATED.format(take_over_id):
                return fact.type
            before |= {p for s, p in zip(fact.subjects, fact.previous, strict=False) if p and s in mine}
        fresh = before - seen
    return ""


def _begin(plant: Plant, command: Command, take_over_id: str, title: str) -> tuple[Row[Any], Plan]:
    with plant.journal.work() as tx:
        plan = check(tx.conn, plant, take_over_id)
        begun = find_take_over(tx.conn, plant.code, take_over_id)
        if begun is not None and begun.state == "reversed":
            raise errors.no_take_over(take_over_id)
        if begun is None:
            if plan.faults or not plan.pieces:
                raise errors.faulty_take_over(len(plan.faults))
            fact = TakeOverBegun(
                take_over_id=take_over_id, title=title, pieces=len(plan.pieces), operations=len(plan.steps)
            )
            _say(plant, tx, command, fact, take_over_id)
            begun = find_take_over(tx.conn, plant.code, take_over_id)
    if begun is None:
        raise errors.no_take_over(take_over_id)
    return begun, plan


def _portions(things: Sequence[Any], size: int = PORTION) -> list[Sequence[Any]]:
    return [things[at : at + size] for at in range(0, len(things), size)]


def _record_portion(plant: Plant, take_over_id: str, portion: Sequence[Any]) -> None:
    """What is recorded already has its fact's id, and changes nothing."""
    with plant.journal.work() as tx:
        _going_on(plant, tx, take_over_id)
        for make in portion:
            tx.record(make(tx))


def _going_on(plant: Plant, tx: Work, take_over_id: str) -> Row[Any]:
    """The take-over, refused when somebody took it back meanwhile."""
    now = find_take_over(tx.conn, plant.code, take_over_id)
    if now is None or now.state == "reversed":
        raise errors.no_take_over(take_over_id)
    return now


def _taken(conn: Connection, author: str, files: Mapping[str, Sequence[FileRow]]) -> set[str]:
    numbers = [
        number
        for file, column in (("stock", "number"), ("heats", "heat"))
        for row in files.get(file, ())
        for number in ((row.cells.get(column) or "").strip(), *(row.cells.get("also_numbers") or "").split())
        if number
    ]
    found: set[str] = set()
    for at in range(0, len(numbers), NUMBERS_A_QUERY):
        found |= live_numbers(conn, author, numbers[at : at + NUMBERS_A_QUERY])
    return found


def _say(plant: Plant, tx: Work, command: Command, payload: Payload, *subjects: str) -> None:
    now = tx.now_ms()
    tx.record(Draft(payload, subjects, command.actor, Occurred(now, "manual", plant.model.calendar.offset_min(now))))
