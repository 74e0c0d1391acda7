"""One message, one attempt: plausible, mapped, interpreted in a savepoint, with one of three outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec
from sqlalchemy.exc import DataError, IntegrityError

from local_mes.level2.apart import apart
from local_mes.level2.links import LinkPlan
from local_mes.level2.mapping.apply import Mapped, apply, at, not_meant
from local_mes.level2.mapping.elsewhere import Spooled
from local_mes.level2.operations import (
    FOLLOWERS,
    BadMessage,
    Handler,
    Message,
    NotYet,
    Signalled,
    Told,
    Work,
    get_operation,
)
from local_mes.level2.telegrams.plausible import check
from local_mes.plant import Plant
from shared import logs
from shared.errors import StrandlineError
from shared.journal.journal import Work as JournalWork

TOO_LATE = "What it builds on did not come in time: "
"""How the reason of a message begins that waited out the reorder window."""

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
        meaning = find_meaning(plant, plan, message)
    except BadMessage as error:
        return Outcome("bad", str(error), error.field)
    except NotYet as error:
        return Outcome("not_yet", str(error))
    except _MISTAKES as error:
        return _mistake(message, error)
    recorded = len(tx.recorded)
    told = Told(message, _signals(plan, message))
    outcome = _in_savepoint(plant, tx, meaning.message, get_operation(meaning.operation), told)
    if outcome.state != "done":
        del tx.recorded[recorded:]
    return replace(outcome, field=meaning.told_by(outcome.field))


@dataclass(frozen=True)
class Meaning:
    """The operation for a message, and the message as that operation reads it; mapped where an entry says so."""

    operation: str
    message: Message
    mapped: Mapped | None = None

    def told_by(self, name: str) -> str:
        """The field, as received, that an operation's field came from: that one can be mended."""
        return self.mapped.sources.get(name, name) if self.mapped else name


def find_meaning(plant: Plant, plan: LinkPlan, message: Message) -> Meaning:
    """What a message that may be interpreted means: by the link's mapping file, else by its map.

    BadMessage with all that is implausible, or why it means nothing; NotYet while another message must tell more.
    """
    if message.problem:
        raise BadMessage(message.problem)
    link = plan.links.get(message.link)
    if link is None:
        raise BadMessage(f"The plant model has no link {message.link} any more.")
    layout = plan.find_layout(message.link, message.name)
    faults = check(layout, message.fields) if layout else []
    if faults:
        raise BadMessage("; ".join(fault.reason for fault in faults), faults[0].field)
    mapped = _map(plant, plan, message) if link.mapping else None
    if mapped is not None:
        read = replace(message, fields=mapped.fields, at_unit=mapped.unit)
        return Meaning(mapped.operation, read, mapped)
    name = link.find_operation(message.name)
    if name is None:
        raise BadMessage(_means_nothing(plant, plan, message))
    return Meaning(name, message)


def _map(plant: Plant, plan: LinkPlan, message: Message) -> Mapped | None:
    mappings = plan.mappings
    return apply(mappings.by_link[message.link], message, Spooled(plant))


def _means_nothing(plant: Plant, plan: LinkPlan, message: Message) -> str:
    """Why there is no operation: with each entry that was asked, where the link has such."""
    if plan.links[message.link].mapping:
        mappings = plan.mappings
        why = not_meant(mappings.by_link[message.link], message, Spooled(plant))
        if why:
            return why
    return f"The plant model maps {message.name} of {message.link} to no operation."


def _signals(plan: LinkPlan, message: Message) -> dict[str, Signalled]:
    """What the message tells under the plant's own names; what is no plausible value of its signal is left out."""
    link = plan.links.get(message.link)
    found: dict[str, Signalled] = {}
    for signal in plan.mappings.by_link[message.link].signals if link and link.mapping else ():
        field = signal.find_field(message.name)
        if field is None or signal.in_rows:
            continue
        with suppress(BadMessage):
            value = signal.read(at(message.fields, field), field)
            if value is not None and value != "":
                found[signal.variable] = Signalled(value, signal.measure)
    return found


def _in_savepoint(plant: Plant, tx: JournalWork, message: Message, handler: Handler, told: Told) -> Outcome:
    savepoint = tx.conn.begin_nested()
    try:
        work = Work(plant, tx, message)
        handler(work, message)
        _let_follow(work, told)
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
        savepoint.rollback()
        return _mistake(message, error)
    savepoint.commit()
    return DONE


def _let_follow(work: Work, told: Told) -> None:
    """Whoever follows may be refused: what the message meant stands all the same, and the log says why."""
    for follow in FOLLOWERS:
        try:
            with apart(work.tx):
                follow(work, told)
        except (BadMessage, NotYet, StrandlineError, *_MISTAKES) as error:
            if isinstance(error, StrandlineError) and error.again:
                raise
            message = told.received
            log.exception("not kept of a message", link=message.link, message=message.name, spool_id=message.spool_id)


def _mistake(message: Message, error: Exception) -> Outcome:
    """A mistake of ours must not stop the line: the message waits for a person, the trace is in the log."""
    log.exception("operation failed", link=message.link, message=message.name, spool_id=message.spool_id)
    return Outcome("bad", f"The message could not be interpreted ({type(error).__name__}: {error}).")


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
