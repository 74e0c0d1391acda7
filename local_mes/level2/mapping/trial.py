"""Try it: what would come of a message, by the mapping in force or one that is being written. Nothing is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from local_mes.level2.attempt import Meaning, attempt, find_meaning
from local_mes.level2.links import LinkPlan
from local_mes.level2.mapping.apply import Asked
from local_mes.level2.mapping.errors import unreadable
from local_mes.level2.operations import BadMessage, Message, NotYet
from local_mes.level2.telegrams.codec import FormatError
from local_mes.level2.telegrams.reading import read_telegram
from local_mes.plant import Plant
from shared.journal.tables import fact

TRIAL = "trial"
AFTER_ALL = 2**62
"""A spool id behind every other: what was told before is known."""


@dataclass(frozen=True)
class Trial:
    """What would come of it.

    operation, entry, unit, values   as the operation would be called; entry "" where the link's map names it
    asked     every entry that was asked before, with why not
    state     done, not_yet or bad; reason and field as the repair queue would say
    facts     what would be recorded: the facts' types in their order
    """

    message: str
    received: Mapping[str, Any]
    state: str
    reason: str = ""
    at_fault: str = ""
    operation: str = ""
    entry: str = ""
    unit: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()
    facts: tuple[str, ...] = ()


def try_message(
    plant: Plant, plan: LinkPlan, link: str, name: str, fields: Mapping[str, Any], received_ms: int | None = None
) -> Trial:
    """Map it, carry the operation out, take everything back."""
    now = plant.clock.now_ms() if received_ms is None else received_ms
    offset_min = plan.model.calendar.offset_min(now)
    message = Message(TRIAL, AFTER_ALL, link, name, dict(fields), 0, "", now, now, 0, offset_min)
    meaning, problem = _meaning(plant, plan, message)
    if meaning is None:
        state, reason, at_fault = problem
        return Trial(name, message.fields, state, reason, at_fault)
    mapped = meaning.mapped
    state, reason, at_fault, facts = _carried_out(plant, plan, message)
    return Trial(
        name,
        message.fields,
        state,
        reason,
        at_fault,
        meaning.operation,
        mapped.entry if mapped else "",
        meaning.message.unit,
        meaning.message.fields,
        mapped.asked if mapped else (),
        facts,
    )


def read_pasted(plan: LinkPlan, link: str, name: str, text: str) -> tuple[str, dict[str, Any]]:
    """What somebody pasted: fields as JSON, or a whole telegram as text or hexadecimal digits; BadInput when neither."""
    text = text.strip()
    if text.startswith("{"):
        try:
            return name, msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as error:
            raise unreadable(f"it is no JSON object: {error}") from error
    layouts = plan.layouts.get(link)
    if layouts is None:
        raise unreadable(f'messages of {link} are fields as JSON, such as {{"heat": "161843"}}')
    compact = text.replace(" ", "").replace("\n", "")
    is_hex = len(compact) % 2 == 0 and all(c in "0123456789abcdefABCDEF" for c in compact)
    tries = [bytes.fromhex(compact)] if is_hex else []
    tries.append(text.encode("latin-1", "replace"))
    for raw in tries:
        try:
            return read_telegram(layouts, raw)
        except FormatError as error:
            why = str(error)
    raise unreadable(f"by the layouts of {link} it cannot be read: {why}")


class _Undone(Exception):
    """Takes the transaction back."""


def _meaning(plant: Plant, plan: LinkPlan, message: Message) -> tuple[Meaning | None, tuple[str, str, str]]:
    try:
        return find_meaning(plant, plan, message), ("done", "", "")
    except BadMessage as error:
        return None, ("bad", str(error), error.field)
    except NotYet as error:
        return None, ("not_yet", str(error), "")


def _carried_out(plant: Plant, plan: LinkPlan, message: Message) -> tuple[str, str, str, tuple[str, ...]]:
    found: list[Any] = []
    with suppress(_Undone), plant.journal.work() as tx:
        outcome = attempt(plant, plan, tx, message)
        rows = tx.conn.execute(select(fact.c.fact_id, fact.c.type).where(fact.c.fact_id.in_(tx.recorded)))
        types = {row.fact_id: row.type for row in rows}
        found = [outcome, tuple(types[one] for one in tx.recorded if one in types)]
        raise _Undone
    outcome, facts = found
    return outcome.state, outcome.reason, outcome.field, facts
