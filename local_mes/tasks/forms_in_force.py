"""Forms and checklists that the standards in force ask for, made out of their documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.plant import Plant
from local_mes.tasks import errors
from shared.execution.collecting import read_records
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred, Payload, StandardRef
from shared.journal.journal import Work
from shared.standards.documents import AnyStandard
from shared.standards.queries import Adopted, find_document, list_in_force
from shared.standards.work_kinds import DataCollection, Instruction
from shared.tasks.facts import ChecklistDone, DataCollected
from shared.tasks.queries import held_by

Value = int | str | bool


@dataclass(frozen=True)
class Asked:
    """A form or checklist in force, with the units of this plant that it is for."""

    document: DataCollection | Instruction
    ref: StandardRef
    units: tuple[str, ...]


def list_asked(conn: Connection, plant: Plant) -> list[Asked]:
    """Everything that people of this plant are asked to fill in, by id; only where the plant has such equipment."""
    found = []
    for adopted in list_in_force(conn, plant.code):
        document = find_document(conn, adopted.standard_id, adopted.version, adopted.sha256)
        if isinstance(document, DataCollection) or _is_checklist(document):
            found.append(_asked(plant, adopted, document))  # type: ignore[arg-type]
    return [asked for asked in found if asked.units]


def find_asked(conn: Connection, plant: Plant, standard_id: str) -> Asked:
    """One of them; NotFound when it is not in force here."""
    for asked in list_asked(conn, plant):
        if asked.document.id == standard_id:
            return asked
    raise errors.not_in_force(standard_id)


def collect(
    plant: Plant,
    standard_id: str,
    unit: str,
    about: tuple[str, str],
    values: Mapping[str, Value | None],
    actor: str,
    command_id: str,
) -> str:
    """Record what a data collection asks; about: material id and what is named ("" and a shift). Returns the record's id."""
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return str(earlier)
        asked = find_asked(tx.conn, plant, standard_id)
        if not isinstance(asked.document, DataCollection):
            raise errors.not_in_force(standard_id)
        _check_unit(asked, unit)
        material_id, of = about
        given = {name: value for name, value in values.items() if value not in (None, "")}
        known = (
            read_records(tx.conn, plant.code, [material_id]).get((standard_id, material_id), {}) if material_id else {}
        )
        faults = _faults(asked.document, {**values, **known, **given})
        if faults:
            raise errors.faulty(faults)
        record_id = new_id(plant.clock)
        fact = DataCollected(record_id=record_id, unit=unit, material_id=material_id, of=of, values=given)
        _record(tx, plant, fact, asked.ref, (material_id or record_id,), actor)
        tx.done(command_id, record_id)
    return record_id


def go_through(
    plant: Plant, standard_id: str, unit: str, confirmed: Sequence[int], note: str, actor: str, command_id: str
) -> str:
    """Record a checklist; a step that must be confirmed and is not needs a note. Returns the record's id."""
    with plant.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return str(known)
        asked = find_asked(tx.conn, plant, standard_id)
        if not isinstance(asked.document, Instruction):
            raise errors.not_in_force(standard_id)
        _check_unit(asked, unit)
        needed = asked.document.qualification
        if needed and needed not in held_by(tx.conn, plant.code, actor, tx.now_ms()):
            raise errors.not_qualified(needed)
        steps = {number for number, step in enumerate(asked.document.steps, start=1) if step.confirm}
        missing = sorted(steps - set(confirmed))
        if missing and not note.strip():
            raise errors.unconfirmed(missing)
        record_id = new_id(plant.clock)
        done = tuple(sorted(set(confirmed) & steps))
        fact = ChecklistDone(record_id=record_id, unit=unit, confirmed=done, note=note.strip())
        _record(tx, plant, fact, asked.ref, (record_id,), actor)
        tx.done(command_id, record_id)
    return record_id


def _is_checklist(document: AnyStandard | None) -> bool:
    return isinstance(document, Instruction) and document.use in ("checklist", "handover")


def _asked(plant: Plant, adopted: Adopted, document: DataCollection | Instruction) -> Asked:
    units = tuple(unit.code for unit in plant.model.unit if unit.unit_class == document.at)
    return Asked(document, adopted.ref, units)


def _check_unit(asked: Asked, unit: str) -> None:
    if unit not in asked.units:
        raise errors.no_unit(unit, asked.document.at)


def _faults(document: DataCollection, values: Mapping[str, Value | None]) -> list[str]:
    items = {item.name: item for item in document.items}
    faults = [f"{name} is not asked for" for name in sorted(set(values) - set(items))]
    for name, item in items.items():
        fault = item.fault(values.get(name))
        faults += [f"{item.text} {fault}"] if fault else []
    return faults


def _record(tx: Work, plant: Plant, fact: Payload, ref: StandardRef, subjects: tuple[str, ...], actor: str) -> None:
    now = tx.now_ms()
    occurred = Occurred(now, "manual", plant.model.calendar.offset_min(now))
    tx.record(Draft(payload=fact, subjects=subjects, actor=actor, occurred=occurred, standard=ref))
