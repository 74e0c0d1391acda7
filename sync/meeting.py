"""What the called side does with a hello, in one transaction: session, order of epochs, marks, and who called.

The author's word about its own stream counts: the order of its epochs is the order in which its facts apply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from shared.clock import Clock
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.reading import lives
from shared.journal.rebuild_author import rebuild_author
from shared.journal.tables import epoch as epoch_table
from sync.clones import VISITS_KEPT, Visit, is_change, suspected
from sync.messages import Counters, EpochState, Hello
from sync.peers import HELD, open_incident, set_state
from sync.tables import mark, visit


@dataclass(frozen=True)
class Met:
    """What a welcome tells: what is held of the caller, our epochs towards it, the highest numbers it ever named, and
    up to when it promised that nothing is missing."""

    holds: tuple[EpochState, ...]
    epochs: tuple[EpochState, ...]
    counters: Counters
    through: int


def follow_order(conn: Connection, appliers: Appliers, stream: str, named: Sequence[str], now_ms: int) -> bool:
    """Number the copied epochs of a stream as their author orders them; returns whether that changed anything.

    An author that does not name every epoch held here has forgotten some: it takes them back first, and says its order
    in the hello after that. Facts applied in another order are applied again, in this transaction.
    """
    here = [life.epoch for life in lives(conn, stream)]
    order = [epoch for epoch in named if epoch in here]
    if order == here or set(order) != set(here):
        return False
    renumber(conn, stream, order)
    rebuild_author(conn, appliers, stream, now_ms)
    return True


def renumber(conn: Connection, stream: str, order: Sequence[str]) -> None:
    """Give the epochs of a stream the ordinals 1, 2, ... in this order; every epoch of it must be named."""
    c = epoch_table.c
    # out of the way first: an ordinal is taken by one epoch at a time
    conn.execute(update(epoch_table).where(c.stream == stream).values(ordinal=-c.ordinal))
    for number, epoch in enumerate(order, start=1):
        conn.execute(update(epoch_table).where(c.stream == stream, c.epoch == epoch).values(ordinal=number))


def keep_marks(conn: Connection, peer: str, counters: Counters, now_ms: int) -> None:
    """Remember the highest number of each counter that the peer ever named."""
    known = list_marks(conn, peer)
    rows = [
        {"peer": peer, "name": name, "value": value, "at_ms": now_ms}
        for name, value in counters.items()
        if value > known.get(name, -1)
    ]
    upsert(conn, mark, rows, update=["value", "at_ms"])


def list_marks(conn: Connection, peer: str) -> Counters:
    """The highest number of each counter of a peer."""
    return {row.name: row.value for row in conn.execute(select(mark).where(mark.c.peer == peer))}


def visit_of(hello: Hello, now_ms: int) -> Visit:
    """Who says hello; a plant of an older release has no boot."""
    return Visit(hello.boot or hello.instance, hello.instance, now_ms)


def note_visit(conn: Connection, peer: str, new: Visit) -> bool:
    """Remember who called; True when two installations of this peer are taking turns."""
    rows = conn.execute(select(visit).where(visit.c.peer == peer).order_by(visit.c.number)).all()
    visits = [Visit(row.boot, row.instance, row.at_ms) for row in rows]
    if not is_change(visits, new):
        return False
    number = rows[-1].number + 1 if rows else 1
    conn.execute(insert(visit).values(peer=peer, number=number, boot=new.boot, instance=new.instance, at_ms=new.at_ms))
    conn.execute(delete(visit).where(visit.c.peer == peer, visit.c.number <= number - VISITS_KEPT))
    return suspected([*visits, new], new.at_ms)


def hold_both(conn: Connection, clock: Clock, peer: str) -> None:
    """Nothing more is taken of this peer until an operator says which installation goes on; both go on producing."""
    set_state(conn, peer, HELD, clock.now_ms())
    rows = conn.execute(select(visit).where(visit.c.peer == peer).order_by(visit.c.number)).all()
    calls = "; ".join(f"{row.at_ms} process {row.boot[:8]} instance {row.instance[:8]}" for row in rows)
    what = f"Two installations of {peer} take turns; both are held since call {rows[-1].number}. Both go on producing."
    open_incident(conn, clock, peer, "clone_suspect", what, evidence=calls)


def forget_visits(conn: Connection, peer: str) -> None:
    """An operator has settled which installation is the right one."""
    conn.execute(delete(visit).where(visit.c.peer == peer))
