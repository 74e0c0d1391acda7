"""One message, one attempt: plausible, mapped, interpreted in a savepoint, with one of three outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from sqlalchemy.exc import DataError, IntegrityError

from local_mes.level2.links import LinkPlan
from local_mes.level2.operations import BadMessage, Handler, Message, NotYet, Work, get_operation
from local_mes.level2.telegrams.plausible import check
from local_mes.plant import Plant
from shared import logs
from shared.errors import StrandlineError
from shared.journal.journal import Work as JournalWork

log = logs.get("level2")


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt; field is the one at fault, where one is."""

    state: Literal["done", "not_yet", "bad"]
    reason: str = ""
    field: str = ""


DONE = Outcome("done")


def message_of(row: Any, spool: str, fields: Mapping[str, Any] | None = None, mended_by: str = "") -> Message:
    """A spooled row as operations see it, with mended fields in place of the received ones where given."""
    return Message(
        spool=spool,
        spool_id=row.spool_id,
        link=row.link,
        name=row.message,
        fields=dict(fields) if fields is not None else msgspec.json.decode(row.fields),
        sequence=row.sequence,
        claimed=row.claimed,
        claimed_ms=row.claimed_ms,
        received_ms=row.received_ms,
        offset_ms=row.offset_ms,
        zone_offset_min=row.zone_offset_min,
        problem="" if fields is not None else row.problem,
        mended_by=mended_by,
    )


def attempt(plant: Plant, plan: LinkPlan, tx: JournalWork, message: Message) -> Outcome:
    """Interpret a message in the transaction; whatever it did is undone unless the outcome is done.

    An error that says the node is unwell (database away, disk full) is no outcome: it is raised.
    """
    try:
        handler = _handler(plan, message)
    except BadMessage as error:
        return Outcome("bad", str(error), error.field)
    recorded = len(tx.recorded)
    outcome = _in_savepoint(plant, tx, message, handler)
    if outcome.state != "done":
        del tx.recorded[recorded:]
    return outcome


def _handler(plan: LinkPlan, message: Message) -> Handler:
    """The operation for a message that may be interpreted; BadMessage with all that is implausible."""
    if message.problem:
        raise BadMessage(message.problem)
    link = plan.links.get(message.link)
    if link is None:
        raise BadMessage(f"The plant model has no link {message.link} any more.")
    layout = plan.find_layout(message.link, message.name)
    faults = check(layout, message.fields) if layout else []
    if faults:
        raise BadMessage("; ".join(fault.reason for fault in faults), faults[0].field)
    name = link.find_operation(message.name)
    if name is None:
        raise BadMessage(f"The plant model maps {message.name} of {message.link} to no operation.")
    return get_operation(name)


def _in_savepoint(plant: Plant, tx: JournalWork, message: Message, handler: Handler) -> Outcome:
    savepoint = tx.conn.begin_nested()
    try:
        handler(Work(plant, tx, message), message)
    except NotYet as error:
        savepoint.rollback()
        return Outcome("not_yet", str(error))
    except BadMessage as error:
        savepoint.rollback()
        return Outcome("bad", str(error), error.field)
    except StrandlineError as error:
        savepoint.rollback()
        if error.again:
            raise
        return Outcome("bad", error.what)
    except _MISTAKES as error:
        # a mistake in an operation must not stop the line: the message waits for a person, the trace is in the log
        savepoint.rollback()
        log.exception("operation failed", link=message.link, message=message.name, spool_id=message.spool_id)
        return Outcome("bad", f"The message could not be interpreted ({type(error).__name__}: {error}).")
    savepoint.commit()
    return DONE


_MISTAKES = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    IntegrityError,
    DataError,
)
