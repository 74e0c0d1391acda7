"""Positions and sessions in their tables: who holds what, and which hello is the latest."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update

from shared.db.upsert import upsert
from shared.ids import random_key
from shared.journal.reading import lives
from sync.clones import Visit
from sync.errors import StaleSession
from sync.lease import get_db_now_ms
from sync.messages import Branch, EpochState
from sync.outgoing import Sealed
from sync.tables import position, seal, session

_HOLDINGS = (
    select(position)
    .where(position.c.peer == bindparam("of"), position.c.stream.in_(bindparam("in_streams", expanding=True)))
    .order_by(position.c.stream, position.c.epoch)
)
_SESSION = select(session.c.session).where(session.c.peer == bindparam("of"))

SESSION_COLUMNS = (
    "session",
    "instance",
    "opened_ms",
    "last_contact_ms",
    "contact_db_ms",
    "offset_ms",
    "backlog",
    "boot",
)


def accept_holdings(
    conn: Connection, peer: str, streams: Iterable[str], held: Iterable[EpochState], now_ms: int
) -> None:
    """The peer's word about our streams replaces all we believed, also when it is lower: it may have been restored."""
    wanted = set(streams)
    conn.execute(delete(position).where(position.c.peer == peer, position.c.stream.in_(sorted(wanted))))
    move_holdings(conn, peer, [state for state in held if state.stream in wanted], now_ms)


def move_holdings(conn: Connection, peer: str, held: Iterable[EpochState], now_ms: int) -> None:
    """What the peer says that it holds of single epochs of ours."""
    rows = [
        {
            "peer": peer,
            "stream": s.stream,
            "epoch": s.epoch,
            "durable": s.seq,
            "hash": s.hash,
            "complete_through": 0,
            "updated_ms": now_ms,
        }
        for s in held
    ]
    upsert(conn, position, rows, update=["durable", "hash", "updated_ms"])


def list_holdings(conn: Connection, peer: str, streams: Iterable[str]) -> tuple[EpochState, ...]:
    """Positions of a peer in the named streams."""
    rows = conn.execute(_HOLDINGS, {"of": peer, "in_streams": sorted(streams)})
    return tuple(EpochState(row.stream, row.epoch, row.durable, row.hash) for row in rows)


def list_copies(conn: Connection, peer: str, stream: str) -> tuple[EpochState, ...]:
    """What this node holds of a stream of the peer's to it, each epoch with what it grew from."""
    parents = {life.epoch: Branch(*life.parent) for life in lives(conn, stream) if life.parent is not None}
    found = list_holdings(conn, peer, [stream])
    return tuple(msgspec.structs.replace(copy, parent=parents.get(copy.epoch)) for copy in found)


def keep_own_seal(conn: Connection, sealed: Sealed, now_ms: int) -> None:
    """Keep what we signed: proof of what we said, for as long as the entries."""
    mine = sealed.seal
    if mine.kind == "heartbeat":
        conn.execute(
            delete(seal).where(seal.c.stream == mine.stream, seal.c.epoch == mine.epoch, seal.c.kind == "heartbeat")
        )
    row = {
        "stream": mine.stream,
        "epoch": mine.epoch,
        "last": mine.last,
        "kind": mine.kind,
        "first": mine.first,
        "envelope": sealed.envelope,
        "at_ms": now_ms,
    }
    upsert(conn, seal, [row])


def drop_seals(conn: Connection, stream: str, epoch: str, keep: int) -> None:
    """Seals that reach past a place whose entries went aside: they name hashes that stand here no more."""
    conn.execute(delete(seal).where(seal.c.stream == stream, seal.c.epoch == epoch, seal.c.last > keep))


def open_session(
    conn: Connection, peer: str, new: str, instance: str, now_ms: int, offset_ms: int, backlog: int, boot: str = ""
) -> None:
    """A hello of the process `boot`: from here on only this session counts."""
    row = {
        "peer": peer,
        "session": new,
        "instance": instance,
        "opened_ms": now_ms,
        "last_contact_ms": now_ms,
        "contact_db_ms": get_db_now_ms(conn),
        "offset_ms": offset_ms,
        "backlog": backlog,
        "boot": boot,
    }
    upsert(conn, session, [row], update=list(SESSION_COLUMNS))


def take_greeting(conn: Connection, peer: str, given: str) -> Visit | None:
    """Who opened this session, told once: to the first that uses it."""
    row = conn.execute(select(session).where(session.c.peer == peer, session.c.session == given)).first()
    if row is None or not row.boot:
        return None
    conn.execute(update(session).where(session.c.peer == peer).values(boot=""))
    return Visit(row.boot, row.instance, row.opened_ms)


def check_session(conn: Connection, peer: str, given: str) -> None:
    """Raise StaleSession unless this is the peer's latest session."""
    current = conn.execute(_SESSION, {"of": peer}).scalar()
    if current != given:
        raise StaleSession("sync.stale_session", f"{peer} opened another session since, or never opened this one.")


def end_sessions(conn: Connection) -> None:
    """A start of the called side: sessions may be those of a backup, and have ended since."""
    conn.execute(session.update().values(session=random_key()))


def note_call(conn: Connection, peer: str, now_ms: int) -> None:
    """The peer called, in its session."""
    conn.execute(
        session.update().where(session.c.peer == peer).values(last_contact_ms=now_ms, contact_db_ms=get_db_now_ms(conn))
    )
