"""Jobs of a crane: planned in order, confirmed by a touch, dropped with a reason. Each command is done once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.stock import errors
from local_mes.stock.domain import is_place
from local_mes.stock.service import Command, check_place, places_of
from local_mes.stock.yard_domain import Broken, as_recorded, find_spot
from local_mes.stock.yard_reads import would_break
from shared.ids import derived_id, new_id
from shared.journal.fact import Draft, Payload
from shared.journal.journal import Work
from shared.material.facts import DeviationRaised, MaterialMoved
from shared.material.queries import find_material, get_piece
from shared.stock.facts import CraneJobClosed, CraneJobPlanned
from shared.stock.queries import find_job, last_position, since_of

KINDS = ("fetch", "put")


@dataclass(frozen=True)
class NewJob:
    """What a crane is to do with a piece: fetch it from the yard, or put it into it."""

    crane: str
    kind: str
    number: str
    to_place: str
    why: str = ""


def plan_job(plant: Plant, command: Command, job: NewJob) -> dict[str, Any]:
    """A job at the end of a crane's list. Refused where putting it there would break a rule of the yard; what lies on the
    piece now may be the matter of a job before."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        check_place(plant.model, job.to_place)
        piece = get_piece(tx.conn, job.number, plant.code)
        if piece.state != "live":
            raise errors.not_here(job.number, piece.state)
        broken = [one for one in _broken(tx.conn, plant, piece, job.to_place, tx.now_ms()) if one.rule != "buried"]
        if broken:
            raise errors.breaks_rule(job.number, job.to_place, broken)
        planned = CraneJobPlanned(
            job_id=derived_id(tx.now_ms(), plant.code, "crane job", command.command_id),
            crane=job.crane,
            kind=job.kind,
            position=last_position(tx.conn, plant.code, job.crane) + 1,
            material_id=piece.material_id,
            number=job.number,
            to_place=job.to_place,
            why=job.why,
        )
        _record(plant, tx, command, planned, piece.material_id)
        result = {"job_id": planned.job_id, "number": job.number, "position": planned.position}
        tx.done(command.command_id, result)
    return result


def confirm_job(plant: Plant, command: Command, job_id: str, place: str = "") -> dict[str, Any]:
    """The crane's driver has done it, and says where where it is elsewhere than planned. It happened, so a broken rule is a
    deviation; refused is only what cannot be: a job that is closed, a piece that has left."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        job = _open_job(tx.conn, plant, job_id)
        place = place or job.to_place
        check_place(plant.model, place)
        piece = find_material(tx.conn, plant.code, job.material_id)
        if piece is None or piece.state != "live":
            raise errors.not_here(job.number, "gone" if piece is None else piece.state)
        at_ms = command.occurred(plant, tx).at_ms
        came_ms = since_of(tx.conn, plant.code, [piece.material_id]).get((piece.material_id, piece.place), 0)
        # a touch that waited in a radio hole does not move back what was moved on since
        late = came_ms > at_ms
        for rule, text in _said_against(tx.conn, plant, piece, place, at_ms, late):
            raised = DeviationRaised(
                deviation_id=new_id(plant.clock),
                rule=rule,
                text=f"{job.crane} put {job.number} to {place}: {text}.",
                material_id=piece.material_id,
            )
            _record(plant, tx, command, raised, piece.material_id)
        place = piece.place if late else as_recorded(place, plant.model.storage)
        if piece.place != place:
            _record(plant, tx, command, MaterialMoved(material_id=piece.material_id, place=place), piece.material_id)
        _record(plant, tx, command, CraneJobClosed(job_id=job_id, result="done"), piece.material_id)
        result = {"job_id": job_id, "number": job.number, "place": place, "state": "done"}
        tx.done(command.command_id, result)
    return result


def drop_job(plant: Plant, command: Command, job_id: str, reason: str) -> dict[str, Any]:
    """A job that nobody needs done any more."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        job = _open_job(tx.conn, plant, job_id)
        if not reason.strip():
            raise errors.no_reason()
        dropped = CraneJobClosed(job_id=job_id, result="dropped", reason=reason.strip())
        _record(plant, tx, command, dropped, job.material_id)
        result = {"job_id": job_id, "number": job.number, "state": "dropped"}
        tx.done(command.command_id, result)
    return result


def cranes_of(plant: Plant, planned: Sequence[str]) -> list[str]:
    """Cranes of the model (units of class crane) and those that have jobs."""
    return sorted({unit.code for unit in plant.model.units_of("crane")} | set(planned))


def _open_job(conn: Connection, plant: Plant, job_id: str) -> Row[Any]:
    job = find_job(conn, plant.code, job_id)
    if job is None:
        raise errors.no_job(job_id)
    if job.state != "open":
        raise errors.job_closed(job.number, job.state, job.reason)
    return job


def _said_against(
    conn: Connection, plant: Plant, piece: Row[Any], place: str, at_ms: int, late: bool
) -> list[tuple[str, str]]:
    """(rule, why) of each deviation that what a crane did is; where a piece was before it was moved on broke nothing."""
    if late:
        return [("crane.told_late", f"told after it was moved to {piece.place}, where it stays in the books")]
    return [(f"yard.{broken.rule}", broken.text) for broken in _broken(conn, plant, piece, place, at_ms)]


def _broken(conn: Connection, plant: Plant, piece: Row[Any], place: str, at_ms: int) -> list[Broken]:
    spot = find_spot(place, plant.model.storage)
    if spot is None or not is_place(place, places_of(plant.model)) or spot.text == piece.place:
        return []
    return would_break(conn, plant, piece, spot, at_ms)


def _record(plant: Plant, tx: Work, command: Command, payload: Payload, material_id: str) -> None:
    tx.record(Draft(payload, (material_id,), command.actor, command.occurred(plant, tx)))
