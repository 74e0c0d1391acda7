"""Use cases about what is set aside: another try, discarding by two people, going on with a stopped author.

A discard is a fact of this node: it stands in its journal with both people, counts here alone, and neither a new try
nor a rebuild brings the discarded fact back. A proposal is only an intention and stays local until it is confirmed.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, select

from shared.db.dialect import insert_into
from shared.db.engine import write
from shared.journal.discard import FactDiscarded, discard_proposal
from shared.journal.fact import Draft, Occurred
from shared.journal.position import lock_applying
from shared.journal.quarantine import list_places, quarantine, take_out_places
from shared.journal.rebuild import Rebuilt, redrive_in_steps
from shared.journal.stopping import find_stops, resume
from shared.logs import get
from shared.node import Node
from sync import incidents
from sync.quarantine.errors import BadReason, NoProposal, OnlyHeld, SamePerson
from sync.quarantine.reads import Item, get_item

log = get("quarantine")
REASON_MAX = 500
ROLES = ("engineer",)
"""Who may try again, discard and resume, at plant and hub; everyone signed in may look."""


def retry(node: Node, author: str | None, who: str) -> Rebuilt:
    """Try again what is set aside, of one author or of all, after a fix or an upgrade."""
    log.info("another try", author=author or "all", by=who)
    return redrive_in_steps(node.engine, node.journal.appliers, node.clock, author)


def propose_discard(node: Node, author: str, fact_id: str, reason: str, who: str) -> None:
    """Propose that a fact shall have no effect here; the first proposal stands until it is confirmed or withdrawn."""
    why = reason.strip()
    if not 1 <= len(why) <= REASON_MAX:
        raise BadReason(REASON_MAX)
    with write(node.engine) as conn:
        _get_discardable(conn, author, fact_id)
        row = {
            "author": author,
            "fact_id": fact_id,
            "reason": why,
            "proposed_by": who,
            "proposed_at_ms": node.clock.now_ms(),
        }
        conn.execute(insert_into(conn, discard_proposal).values(row).on_conflict_do_nothing())
    log.info("discard proposed", author=author, fact_id=fact_id, by=who)


def withdraw_proposal(node: Node, author: str, fact_id: str, who: str) -> None:
    """Take a proposal back; anybody who may propose may do that."""
    with write(node.engine) as conn:
        gone = conn.execute(delete(discard_proposal).where(_is(author, fact_id)))
    if not gone.rowcount:
        raise NoProposal
    log.info("discard withdrawn", author=author, fact_id=fact_id, by=who)


def confirm_discard(node: Node, author: str, fact_id: str, who: str) -> Rebuilt:
    """Discard a fact that somebody else proposed to discard, and apply what it held up.

    The fact of it and the end of the quarantine are one transaction; what was held is tried after it, so that the
    journal is not kept waiting.
    """
    with node.journal.work() as tx:
        proposal = tx.conn.execute(select(discard_proposal).where(_is(author, fact_id))).first()
        if proposal is None:
            raise NoProposal
        if proposal.proposed_by == who:
            raise SamePerson
        item = _get_discardable(tx.conn, author, fact_id)
        tx.record(_draft(item, proposal.reason, proposal.proposed_by, who, tx.now_ms()))
        lock_applying(tx.conn)
        c = quarantine.c
        rows = tx.conn.execute(
            select(c.stream, c.epoch, c.seq).where(c.author == author, c.fact_id == fact_id).order_by(c.stream, c.epoch)
        )
        take_out_places(tx.conn, [(row.stream, row.epoch, row.seq) for row in rows])
        tx.conn.execute(delete(discard_proposal).where(_is(author, fact_id)))
    return retry(node, author, who)


def resume_author(node: Node, author: str, who: str) -> bool:
    """Go on applying an author that was stopped, whatever its share; False when it was not stopped."""
    with write(node.engine) as conn:
        lock_applying(conn)
        was_stopped = author in find_stops(conn)
        resume(conn, [author])
        incidents.end(conn, author, "apply_stopped", node.clock.now_ms())
        waiting = bool(list_places(conn, author))
    if was_stopped:
        log.info("applying resumed", author=author, by=who)
    if was_stopped and waiting:
        retry(node, author, who)
    return was_stopped


def _get_discardable(conn: Connection, author: str, fact_id: str) -> Item:
    item = get_item(conn, author, fact_id)
    if item.row.state == "held":
        raise OnlyHeld
    return item


def _draft(item: Item, reason: str, proposed_by: str, who: str, now_ms: int) -> Draft[FactDiscarded]:
    row = item.row
    payload = FactDiscarded(
        of=row.author,
        fact_id=row.fact_id,
        stream=row.stream,
        epoch=row.epoch,
        seq=row.seq,
        type=row.type,
        fault=row.reason,
        reason=reason,
        proposed_by=proposed_by,
    )
    return Draft(payload, (row.fact_id,), who, Occurred(now_ms, "manual"), causes=(row.fact_id,))


def _is(author: str, fact_id: str) -> ColumnElement[bool]:
    return (discard_proposal.c.author == author) & (discard_proposal.c.fact_id == fact_id)
