"""The repair queue: mend a message's fields and interpret it in its place, or dismiss it with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from local_mes.level2.attempt import attempt, message_of
from local_mes.level2.errors import closed_already, spool_gone, still_too_early, still_wrong, unknown_repair
from local_mes.level2.links import load_links
from local_mes.level2.operations import Message
from local_mes.level2.outbox import pass_on_now
from local_mes.level2.queries import find_spooled
from local_mes.level2.ring import UNREADABLE
from local_mes.level2.tables import repair
from local_mes.level2.telegrams.codec import FormatError, encode_body
from local_mes.level2.telegrams.layout import Layout
from local_mes.plant import Plant

MENDED, DISMISSED = "mended", "dismissed"


def mend(
    plant: Plant, repair_id: str, fields: Mapping[str, Any], *, actor: str, command_id: str, note: str = ""
) -> dict[str, Any]:
    """Interpret a message with these fields in place of the received ones; it keeps its place in time and its ids.

    Refused, with nothing changed, while it is implausible, contradicts what is known, or builds on what is missing.
    """
    plan = load_links(plant.settings)
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        row = open_repair(tx.conn, repair_id)
        spooled = find_spooled(plant, row.spool, row.spool_id)
        if spooled is None:
            raise spool_gone(row.spool_id)
        _check_form(plan.find_layout(row.link, row.message), fields)
        outcome = attempt(plant, plan, tx, _mended(message_of(spooled, row.spool, fields, mended_by=actor)))
        if outcome.state == "bad":
            raise still_wrong(outcome.reason)
        if outcome.state == "not_yet":
            raise still_too_early(outcome.reason)
        close_repair(tx.conn, row, MENDED, actor, note, plant.clock.now_ms(), fields)
        result = {"repair_id": repair_id, "state": MENDED, "facts": len(tx.recorded)}
        tx.done(command_id, result)
    pass_on_now(plant)
    return result


def dismiss(plant: Plant, repair_id: str, reason: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """Give a message up: what it said is booked by hand or of no use. The message itself stays in the spool."""
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        row = open_repair(tx.conn, repair_id)
        close_repair(tx.conn, row, DISMISSED, actor, reason, plant.clock.now_ms())
        result = {"repair_id": repair_id, "state": DISMISSED, "facts": 0}
        tx.done(command_id, result)
    return result


def open_repair(conn: Connection, repair_id: str) -> Any:
    """The row, locked; NotFound or Refused where it is not open."""
    row = conn.execute(select(repair).where(repair.c.repair_id == repair_id).with_for_update()).first()
    if row is None:
        raise unknown_repair(repair_id)
    if row.state != "open":
        raise closed_already(row.state)
    return row


def close_repair(
    conn: Connection, row: Any, state: str, actor: str, note: str, now_ms: int, fields: Mapping[str, Any] | None = None
) -> None:
    """Take it out of the queue."""
    mended = msgspec.json.encode(dict(fields)).decode() if fields is not None else row.mended
    conn.execute(
        update(repair)
        .where(repair.c.repair_id == row.repair_id)
        .values(state=state, closed_ms=now_ms, closed_by=actor, note=note, mended=mended)
    )


def _mended(message: Message) -> Message:
    """What could not be read at all is written anew: an event as it stands in the ring, a telegram with its name."""
    message, whole = replace(message, waited_out=True), message.fields
    if message.name != UNREADABLE:
        return message
    if whole.get("message") and isinstance(whole.get("fields"), dict):
        return replace(message, name=str(whole["message"]), fields=whole["fields"])
    if not (isinstance(whole.get("fields"), dict) and whole.get("unit") and whole.get("event")):
        raise still_wrong('The event could not be read: write it whole, as {"unit": …, "event": …, "fields": {…}}.')
    return replace(message, name=f"{whole['unit']}.{whole['event']}", fields=whole["fields"])


def _check_form(layout: Layout | None, fields: Mapping[str, Any]) -> None:
    """A mended telegram must still fit its layout, or operations would meet fields no link could have sent."""
    if layout is None or layout.encoding == "json":
        return  # an event has no form but its fields, and those are checked as they are when they come
    missing = [f.name for f in layout.fields if f.name not in fields]
    if missing:
        raise still_wrong(f"{missing[0]} is missing.")
    try:
        encode_body(layout, fields)
    except FormatError as error:
        raise still_wrong(f"{error}.") from error
