"""Set-points that a person sends down to a unit, and what becomes of them.

Which there are is said by the plant model (`setpoints` of a link), what each carries by its layout: a person chooses
values within its limits. One is sent when its piece is free, confirmed by Level 2 or not at all, and never later than
its time: it is the only thing that goes down without the material asking for it. Who sent it and what became of it are
facts of the journal (setpoint_record.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_mes.level2 import down
from local_mes.level2.errors import (
    already_settled,
    bad_setpoint,
    no_such_piece,
    only_listens,
    piece_is_held,
    unknown_order,
    unknown_setpoint,
)
from local_mes.level2.links import Link, LinkPlan, load_links
from local_mes.level2.primary_data import SETPOINT_KEY, named_in, why_held, withdraw_setpoints
from local_mes.level2.setpoint_record import record_now
from local_mes.level2.telegrams.codec import FormatError, encode_body
from local_mes.level2.telegrams.layout import TEXTS, Field, Layout
from local_mes.level2.telegrams.plausible import check
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.material.queries import find_by_number


@dataclass(frozen=True)
class SetPoint:
    """One kind of set-point of one link."""

    link: Link
    message: str
    layout: Layout

    @property
    def fields(self) -> tuple[Field, ...]:
        """What a person gives; what is constant is not asked for."""
        return tuple(f for f in self.layout.fields if f.constant is None)


def find_setpoints(plan: LinkPlan) -> list[SetPoint]:
    """All that people may send, in the model's order."""
    found = [
        (link, message, plan.find_layout(link.code, message))
        for link in plan.links.values()
        for message in link.setpoints
    ]
    return [SetPoint(link, message, layout) for link, message, layout in found if layout is not None]


def is_text(f: Field) -> bool:
    """Whether a field carries text, not a number."""
    return f.type in (*TEXTS, "text", "hex") or bool(f.codes) or any(isinstance(value, str) for value in f.values)


def send(
    plant: Plant, link: str, message: str, fields: Mapping[str, Any], *, piece: str, actor: str, command_id: str
) -> down.Down:
    """Queue a set-point; what becomes of it stands in its row. Refused for a held piece, or where nobody may send."""
    plan = load_links(plant.settings)
    point = next((one for one in find_setpoints(plan) if (one.link.code, one.message) == (link, message)), None)
    if point is None:
        raise unknown_setpoint(link, message)
    key = SETPOINT_KEY + hashlib.sha256(command_id.encode()).hexdigest()[:40]
    earlier = down.find_by_key(plant.spool, key)
    if earlier is not None:
        return earlier
    if point.link.shadow:
        raise only_listens(link)
    _check_text("piece", piece)
    values = _checked_values(plan, point, fields)
    _check_pieces(plant, values, piece)
    row = down.queue_setpoint(plant.spool, plant.clock, link, message, values, key=key, asked_by=actor, piece=piece)
    withdraw_setpoints(plant)  # a hold may have come in between
    record_now(plant, row, plan)
    return down.get_down(plant.spool, row)


def take_back(plant: Plant, down_id: int, actor: str) -> down.Down:
    """Withdraw a set-point that Level 2 has not answered; one on its way may have been taken all the same."""
    row = _row(plant, down_id)
    with write(plant.spool) as conn:
        if not down.withdraw(conn, down_id, plant.clock.now_ms(), "withdrawn by a person", actor):
            raise already_settled(row.state)
    record_now(plant, down_id)
    return down.get_down(plant.spool, down_id)


def find_sent(plant: Plant, limit: int) -> list[down.Down]:
    """The newest set-points, newest first."""
    return down.find_recent(plant.spool, limit, keys=SETPOINT_KEY)


def _row(plant: Plant, down_id: int) -> down.Down:
    row = next(iter(down.find_recent(plant.spool, 1, down_id + 1, keys=SETPOINT_KEY)), None)
    if row is None or row.down_id != down_id:
        raise unknown_order(down_id)
    return row


def _checked_values(plan: LinkPlan, point: SetPoint, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be sent, constants with it; what is left out is not sent."""
    strange = sorted(set(fields) - {f.name for f in point.fields})
    if strange:
        raise bad_setpoint(f"{point.message} has no field {strange[0]!r}.")
    values = {f.name: fields.get(f.name, f.constant) for f in point.layout.fields}
    for f in point.fields:
        if values[f.name] is None and not f.optional:
            raise bad_setpoint(f"{f.name} is empty.")
        if values[f.name] is not None and isinstance(values[f.name], str) != is_text(f):
            raise bad_setpoint(f"{f.name} is {values[f.name]!r}, which is {'no text' if is_text(f) else 'no number'}.")
        _check_text(f.name, values[f.name])
    faults = check(point.layout, values)
    if faults:
        raise bad_setpoint(f"{faults[0].reason}.")
    sent = {name: value for name, value in values.items() if value is not None}
    if point.link.code in plan.layouts:
        try:
            encode_body(point.layout, sent)
        except FormatError as error:
            raise bad_setpoint(f"{error}.") from error
    return sent


def _check_text(name: str, value: Any) -> None:
    """Control characters neither go down nor into a database, on a link of any kind."""
    if isinstance(value, str) and not value.isprintable():
        raise bad_setpoint(f"{name} holds a character that cannot be printed.")


def _check_pieces(plant: Plant, fields: Mapping[str, Any], piece: str) -> None:
    if piece:
        with read(plant.node.engine) as conn:
            if not any(one.state == "live" for one in find_by_number(conn, piece, plant.code)):
                raise no_such_piece(piece)
    why = why_held(plant, named_in(fields, piece))
    if why:
        raise piece_is_held(why)
