"""The plant model as versions: checked like at the start, kept with who, when and why, with a way back.

The file on disk is the model; the table keeps every version of it. A file that somebody changed on the machine becomes
a version of its own before the next one is saved, so that no text is ever lost. A version takes effect with the next
start of the plant's processes; standards bind to it by themselves then.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from local_mes.level2.links import load_links, refuse_unreadable
from local_mes.level2.mapping.load import load_mappings
from local_mes.model.domain import PlantModel
from local_mes.plant import Plant
from local_mes.plant_model import errors
from local_mes.plant_model.tables import model_version
from local_mes.production import operations as _operations  # noqa: F401 - registers what messages mean
from local_mes.standards.adopt import equipment
from shared.errors import BadSetup, Unavailable
from shared.journal.journal import Work
from shared.standards.binding import bind
from shared.standards.queries import find_document, list_deviations, list_in_force
from shared.storage import write_durably

TEXT_MAX = 200_000
"""Characters of a model file: a plant of a hundred units with their links has about 60,000."""
FOUND = "found on the machine"


@dataclass(frozen=True)
class Binding:
    """What standards in force would say to a model: what they miss, and values that would be other ones."""

    missing: Sequence[str]
    changed: Sequence[tuple[str, str, object, object]]


def current_text(plant: Plant) -> str:
    """The model file as it stands on disk."""
    return plant.settings.model.read_text(encoding="utf-8")


def mark_of(text: str) -> str:
    """The hash that names a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_length(text: str) -> None:
    """BadInput where a text is longer than a model is."""
    if len(text) > TEXT_MAX:
        raise errors.too_long(len(text), TEXT_MAX)


def check(plant: Plant, text: str) -> PlantModel:
    """The model that a text describes, checked whole as at the start: names, links, layouts, mappings. BadInput else."""
    check_length(text)
    file = plant.settings.model
    try:
        plan = load_links(plant.settings, text)
        refuse_unreadable(plan)
        load_mappings(plan)
    except BadSetup as error:
        raise errors.faulty(error.what.replace(str(file), file.name), error.todo) from error
    if plan.model.code != plant.code:
        raise errors.other_plant(plan.model.code, plant.code)
    return plan.model


def binding_of(conn: Connection, plant: Plant, model: PlantModel) -> Binding:
    """What the standards in force would say to it."""
    units = equipment(replace(plant, model=model))
    deviations = list_deviations(conn, plant.code, plant.clock.now_ms())
    missing: list[str] = []
    changed: list[tuple[str, str, object, object]] = []
    for adopted in list_in_force(conn, plant.code):
        document = find_document(conn, adopted.standard_id, adopted.version, adopted.sha256)
        if document is None:
            continue
        bound = bind(document, plant.code, units, deviations)
        missing += bound.missing
        names = dict.fromkeys([*adopted.values, *bound.values])
        pairs = [(name, adopted.values.get(name), bound.values.get(name)) for name in names]
        changed += [(adopted.standard_id, name, was, will) for name, was, will in pairs if was != will]
    return Binding(missing, changed)


def find_closed(plant: Plant) -> Unavailable | None:
    """Why nothing can be saved here, None: it can. The file is replaced, so its folder must be written."""
    if os.access(plant.settings.model.parent, os.W_OK):
        return None
    return errors.not_writable("its folder may not be written")


def save(plant: Plant, text: str, mark: str, reason: str, *, actor: str, command_id: str) -> int:
    """Make a text the plant's model: the new version's number. mark: hash of the text it was made from."""
    text = text.replace("\r\n", "\n")
    check(plant, text)
    if (closed := find_closed(plant)) is not None:
        raise closed
    with plant.journal.work() as tx:
        if (earlier := tx.once(command_id)) is not None:
            return int(earlier)
        before = current_text(
            plant
        )  # under the lock: of two who save at once, the second has not seen the first's text
        if mark_of(before) != mark:
            raise errors.changed_meanwhile()
        if text == before:
            raise errors.unchanged()
        _keep_found(tx, before)
        number = _keep(tx, text, reason, actor)
        tx.done(command_id, number)
        try:
            write_durably(plant.settings.model, text.encode())
        except OSError as error:
            raise errors.not_writable(error.strerror or str(error)) from error
    return number


def list_versions(conn: Connection, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """Versions without their texts, the latest first; before: those with a smaller number."""
    query = select(*(column for column in model_version.c if column.name != "text"))
    if before is not None:
        query = query.where(model_version.c.version < before)
    return conn.execute(query.order_by(model_version.c.version.desc()).limit(limit)).all()


def find_last(conn: Connection) -> Row[Any] | None:
    """The latest version, without its text."""
    return next(iter(list_versions(conn, None, 1)), None)


def get_version(conn: Connection, number: int) -> Row[Any]:
    """One of them; NotFound."""
    row = conn.execute(select(model_version).where(model_version.c.version == number)).first()
    if row is None:
        raise errors.unknown_version(number)
    return row


def _keep_found(tx: Work, text: str) -> None:
    """What stands on disk becomes a version if it is none yet: the first one, or what somebody wrote on the machine."""
    last = find_last(tx.conn)
    if last is None or last.sha256 != mark_of(text):
        _keep(tx, text, FOUND, "")


def _keep(tx: Work, text: str, reason: str, actor: str) -> int:
    last = find_last(tx.conn)
    number = last.version + 1 if last else 1
    row = {"version": number, "sha256": mark_of(text), "text": text, "reason": reason, "saved_by": actor}
    tx.conn.execute(insert(model_version).values(**row, saved_ms=tx.now_ms()))
    return number
