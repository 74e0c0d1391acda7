"""Messages in repair interpreted again as they were received: the mapping or a layout was mended, or what they build on
has come.

They go in the order of the spool, which is that of their pieces: a cut before the weight of its slab.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update

from local_mes.level2.attempt import TOO_LATE, Outcome, attempt, message_of
from local_mes.level2.errors import spool_gone, still_too_early, still_wrong
from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.operations import Message
from local_mes.level2.outbox import pass_on_now
from local_mes.level2.queries import OPEN, find_spooled
from local_mes.level2.service import MENDED, close_repair, open_repair
from local_mes.level2.tables import repair
from local_mes.level2.telegrams.codec import FormatError
from local_mes.level2.telegrams.reading import read_telegram
from local_mes.plant import Plant
from shared.db.engine import read
from shared.errors import StrandlineError
from shared.journal.journal import Work as JournalWork

AT_ONCE_MAX = 500
"""Messages of one request: some seconds of work at most."""


@dataclass(frozen=True)
class Again:
    """What became of many."""

    mended: int
    left: int


def interpret_again(plant: Plant, repair_id: str, *, actor: str, command_id: str, note: str = "") -> dict[str, Any]:
    """One message, as received, by the mapping and layouts of now; it keeps its place in time and its ids.

    Refused while it is still wrong or builds on what is missing; it stays in the queue with the reason of now.
    """
    with plant.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return dict(earlier)
        outcome = _attempt(plant, load_links(plant.settings), tx, open_repair(tx.conn, repair_id), actor, note)
        result = {"repair_id": repair_id, "state": MENDED, "facts": len(tx.recorded)}
        if outcome.state == "done":
            tx.done(command_id, result)
    if outcome.state == "bad":
        raise still_wrong(outcome.reason)
    if outcome.state == "not_yet":
        raise still_too_early(outcome.reason)
    pass_on_now(plant)
    return result


def _attempt(plant: Plant, plan: LinkPlan, tx: JournalWork, row: Any, actor: str, note: str) -> Outcome:
    """Interpret it in the transaction and close it, or write down why not."""
    spooled = find_spooled(plant, row.spool, row.spool_id)
    if spooled is None:
        raise spool_gone(row.spool_id)
    outcome = attempt(plant, plan, tx, _as_now(plan, row, spooled))
    if outcome.state == "done":
        close_repair(tx.conn, row, MENDED, actor, note or "interpreted again, as received", plant.clock.now_ms())
    elif outcome.state == "bad":
        here = repair.c.repair_id == row.repair_id
        tx.conn.execute(update(repair).where(here).values(reason=outcome.reason, field=outcome.field))
    return outcome


def interpret_all_again(plant: Plant, link: str, *, actor: str) -> Again:
    """All open ones (of a link, or of all), up to AT_ONCE_MAX; those that are still wrong stay, with the reason of now.

    Done twice it does no harm: what went through is open no more.
    """
    query = select(repair).where(repair.c.state == OPEN)
    return _in_order(plant, query.where(repair.c.link == link) if link else query, actor)


def let_followers_go(plant: Plant, *, actor: str) -> Again:
    """After a message was mended: those that waited too long for what they build on, perhaps for this one."""
    late = select(repair).where(repair.c.state == OPEN, repair.c.reason.startswith(TOO_LATE, autoescape=True))
    return _in_order(plant, late, actor)


def _in_order(plant: Plant, query: Any, actor: str) -> Again:
    with plant.journal.work():
        pass  # what is being interpreted now, by the mapping of before, is in the queue from here on
    with read(plant.node.engine) as conn:
        rows: Sequence[Any] = conn.execute(query.order_by(repair.c.spool, repair.c.spool_id).limit(AT_ONCE_MAX)).all()
    plan = load_links(plant.settings) if rows else None
    left = list(rows)
    while left and plan is not None:
        still = [row for row in left if not _goes(plant, plan, row.repair_id, actor)]
        if len(still) == len(left):
            break
        left = still  # what one of them brought may be what another waits for
    pass_on_now(plant)
    return Again(len(rows) - len(left), len(left))


def _goes(plant: Plant, plan: LinkPlan, repair_id: str, actor: str) -> bool:
    try:
        with plant.journal.work() as tx:
            return _attempt(plant, plan, tx, open_repair(tx.conn, repair_id), actor, "").state == "done"
    except StrandlineError as error:
        if error.again:
            raise
        return False  # somebody else was quicker, or its spool is gone


def _as_now(plan: LinkPlan, row: Any, spooled: Any) -> Message:
    """As received; a telegram that could not be read, by the layouts of now. It has waited long enough."""
    message, raw = replace(message_of(spooled, row.spool), waited_out=True), bytes(spooled.raw)
    layouts = plan.layouts.get(message.link)
    if not message.problem or layouts is None:
        return message
    try:
        name, fields = read_telegram(layouts, raw)
    except FormatError:
        return message
    return replace(message, name=name, fields=fields, problem="")
