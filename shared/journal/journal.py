"""One node's journal: recording facts in the business transaction.

A service opens `journal.work()`, reads and decides on `tx.conn`, and records drafts. Work begins with the lock of the
stream's head row (on SQLite the transaction already is the only writer) and holds it until commit: what was read to
decide still holds when it is recorded, and numbers are gapless, in commit order, and disappear with a rollback. Each
fact is stamped under that lock, encoded once, chained, stored, and applied to this node's tables at once: it is wholly
there or not at all. After the commit the listeners are woken; nothing here ever talks to a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, bindparam, insert, select, text, update

from shared.clock import Clock
from shared.db.bulk import insert_all, update_each
from shared.db.engine import write
from shared.db.prepared import Prepared
from shared.errors import Refused
from shared.ids import new_id, random_key
from shared.journal import tables
from shared.journal.apply import Appliers
from shared.journal.archived import bodies_of
from shared.journal.asking import get_asked
from shared.journal.chain import GENESIS, next_hash
from shared.journal.fact import Draft, Fact, Subject, decode, encode, encode_payload, type_of
from shared.journal.subjects import find_heads

# what every recording asks is written once: to build a statement costs more than to run it
_LOCK_HEAD = Prepared(
    lambda _: (
        select(*(tables.head.c[name] for name in ("epoch", "seq", "hash", "recorded_at_ms")))
        .where(tables.head.c.stream == bindparam("of"))
        .with_for_update()
    ),
    keeps_plan=False,
)
_FIND_FACT = Prepared(
    lambda _: select(tables.fact.c.fact_id).where(tables.fact.c.fact_id == bindparam("of")), keeps_plan=False
)
_FIND_COMMAND = Prepared(
    lambda _: select(tables.command.c.result, tables.command.c.asked).where(
        tables.command.c.command_id == bindparam("of")
    ),
    keeps_plan=False,
)


class Head(NamedTuple):
    """Where a stream stands: its last entry's number and hash, and the least time of the next fact."""

    epoch: str
    seq: int
    hash: str
    recorded_at_ms: int


class Journal:
    """The facts this node writes, and the door through which they are written."""

    def __init__(self, code: str, engine: Engine, clock: Clock, appliers: Appliers) -> None:
        self.code = code
        self.engine = engine
        self.clock = clock
        self.appliers = appliers
        self._listeners: list[Callable[[], None]] = []
        self._admit: Callable[[], None] = nothing_forbids

    def admit_by(self, admit: Callable[[], None]) -> None:
        """Have `admit` asked before every business transaction; what it raises ends it before it began."""
        self._admit = admit

    def listen(self, wake: Callable[[], None]) -> None:
        """Have `wake` called after every commit that recorded something."""
        self._listeners.append(wake)

    def notify(self) -> None:
        """Wake the listeners: entries may be new."""
        for wake in self._listeners:
            wake()

    @contextmanager
    def work(self) -> Iterator[Work]:
        """One business transaction."""
        self._admit()
        with write(self.engine) as conn:
            if conn.dialect.name != "sqlite":
                _LOCK_HEAD.rows(conn, of=self.code)
            tx = Work(self, conn)
            yield tx
        if tx.recorded:
            self.notify()


class Work:
    """A business transaction on the journal's database."""

    def __init__(self, journal: Journal, conn: Connection) -> None:
        self.journal = journal
        self.conn = conn
        self.recorded: list[str] = []
        self.read_once: dict[str, Any] = {}
        """What many steps of it ask alike and nobody else can change before it ends."""

    def record(self, *drafts: Draft[Any]) -> list[str]:
        """Record facts in the node's own stream and apply them; returns their ids.

        A draft whose fact_id is recorded already changes nothing: the same cause has the same effect once.
        """
        return [self._record(draft) for draft in self.named(drafts)]

    def named(self, drafts: Sequence[Draft[Any]]) -> Sequence[Draft[Any]]:
        """The drafts under the ids that this transaction gives them; a plain one gives none before it records."""
        return drafts

    def relay(self, fact_id: str, stream: str) -> None:
        """Append an existing fact to another stream of this node (the hub's way down to a plant), once."""
        author = self.conn.execute(select(tables.fact.c.author).where(tables.fact.c.fact_id == fact_id)).scalar_one()
        if self.conn.execute(
            select(tables.entry.c.seq).where(tables.entry.c.fact_id == fact_id, tables.entry.c.stream == stream)
        ).first():
            return
        origin = self.conn.execute(
            select(tables.entry.c.stream, tables.entry.c.epoch, tables.entry.c.seq)
            .where(tables.entry.c.fact_id == fact_id, tables.entry.c.stream == author)
            .order_by(tables.entry.c.seq)
        ).first()
        body = bodies_of(self.conn, [fact_id])[fact_id]
        append_entry(self.conn, stream, fact_id, body, self.journal.clock.now_ms(), origin=tuple(origin or ()))
        self.recorded.append(fact_id)

    def once(self, command_id: str) -> Any | None:
        """The result of a command that was done before, or None. Refused when the id was used for something else."""
        found = _FIND_COMMAND.rows(self.conn, of=command_id)
        if not found:
            return None
        result, asked = found[0]
        if asked and get_asked() and asked != get_asked():
            raise Refused(
                "journal.command_reused",
                f"The command id {command_id!r} was used for another request: by somebody else, elsewhere, or with"
                " another content.",
                kept="Nothing was changed; what the first request did stands.",
                todo="Give every command an id of its own, and repeat one only as it was.",
            )
        return msgspec.json.decode(result)

    def done(self, command_id: str, result: Any) -> None:
        """Remember a command's result in the same transaction as its effect, bound to what was asked for."""
        row = {
            "command_id": command_id,
            "result": msgspec.json.encode(result).decode(),
            "done_at_ms": self.journal.clock.now_ms(),
            "asked": get_asked(),
        }
        insert_all(self.conn, tables.command, [row])

    def now_ms(self) -> int:
        """The time, for deciding."""
        return self.journal.clock.now_ms()

    def _record(self, draft: Draft[Any]) -> str:
        conn, code, clock = self.conn, self.journal.code, self.journal.clock
        fact_id = draft.fact_id or new_id(clock)
        if draft.fact_id and _FIND_FACT.rows(conn, of=fact_id):
            return fact_id
        head = lock_head(conn, code, clock.now_ms())
        recorded_at = max(clock.now_ms(), head.recorded_at_ms)
        named = dict.fromkeys(draft.subjects)
        last = find_heads(conn, {(code, subject) for subject in named})
        value = to_fact(draft, code, fact_id, [Subject(s, last.get((code, s))) for s in named], recorded_at)
        body = encode(value)
        store_fact(conn, value, body)
        _append(conn, code, head, fact_id, body, recorded_at)
        self.journal.appliers.apply_own(conn, [decode(body)])
        self.recorded.append(fact_id)
        return fact_id


def to_fact(draft: Draft[Any], author: str, fact_id: str, subjects: Sequence[Subject], recorded_at_ms: int) -> Fact:
    """The envelope of a draft as its author records it now."""
    name, version = type_of(draft.payload)
    return Fact(
        fact_id=fact_id,
        type=name,
        version=version,
        author=author,
        actor=draft.actor,
        subjects=tuple(subjects),
        occurred=draft.occurred,
        recorded_at_ms=recorded_at_ms,
        causes=draft.causes,
        standard=draft.standard,
        payload=encode_payload(draft.payload),
    )


def store_fact(conn: Connection, value: Fact, body: bytes) -> None:
    """Insert the fact itself, apart from its place in a stream."""
    insert_all(conn, tables.fact, [fact_row(value, body)])


def fact_row(value: Fact, body: bytes) -> dict[str, Any]:
    """A fact as the row that keeps it."""
    return {
        "fact_id": value.fact_id,
        "type": value.type,
        "version": value.version,
        "author": value.author,
        "recorded_at_ms": value.recorded_at_ms,
        "body": body,
    }


def append_entry(
    conn: Connection, stream: str, fact_id: str, body: bytes, recorded_at_ms: int, origin: Sequence[Any] = ()
) -> None:
    """Give a stored fact the next place in a stream of this node, chained, under the head's lock."""
    _append(conn, stream, lock_head(conn, stream, recorded_at_ms), fact_id, body, recorded_at_ms, origin)


def _append(
    conn: Connection,
    stream: str,
    head: Head,
    fact_id: str,
    body: bytes,
    recorded_at_ms: int,
    origin: Sequence[Any] = (),
) -> None:
    seq = head.seq + 1
    digest = next_hash(head.epoch, stream, seq, head.hash, body)
    origin_stream, origin_epoch, origin_seq = origin if origin else (None, None, None)
    row = {
        "stream": stream,
        "epoch": head.epoch,
        "seq": seq,
        "hash": digest,
        "fact_id": fact_id,
        "origin_stream": origin_stream,
        "origin_epoch": origin_epoch,
        "origin_seq": origin_seq,
    }
    insert_all(conn, tables.entry, [row])
    move_head(conn, stream, seq, digest, max(recorded_at_ms, head.recorded_at_ms))


def move_head(conn: Connection, stream: str, seq: int, digest: str, recorded_at_ms: int) -> None:
    """Have a stream stand at this entry, under the head's lock."""
    row = {"stream": stream, "seq": seq, "hash": digest, "recorded_at_ms": recorded_at_ms}
    update_each(conn, tables.head, ("stream",), [row])


def lock_head(conn: Connection, stream: str, now_ms: int) -> Head:
    """The stream's head row, locked until commit; a stream's first epoch is opened on first use."""
    found = _LOCK_HEAD.rows(conn, of=stream)
    if not found and conn.dialect.name != "sqlite":
        # there is no row to lock yet: of two first writers one must wait for the other
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtext(:stream))"), {"stream": stream})
        found = _LOCK_HEAD.rows(conn, of=stream)
    if not found:
        open_epoch(conn, stream, now_ms, reason="first")
        found = _LOCK_HEAD.rows(conn, of=stream)
    return Head(*found[0])


def open_epoch(conn: Connection, stream: str, now_ms: int, reason: str) -> str:
    """Begin a new life of a stream as a child of its present one; returns the epoch."""
    parent = conn.execute(select(tables.head).where(tables.head.c.stream == stream)).first()
    ordinals = conn.execute(select(tables.epoch.c.ordinal).where(tables.epoch.c.stream == stream)).scalars().all()
    epoch = random_key()
    conn.execute(
        insert(tables.epoch).values(
            stream=stream,
            epoch=epoch,
            ordinal=max(ordinals, default=0) + 1,
            reason=reason,
            opened_at_ms=now_ms,
            parent_epoch=parent.epoch if parent else None,
            parent_seq=parent.seq if parent else None,
            parent_hash=parent.hash if parent else None,
        )
    )
    fresh = {"epoch": epoch, "seq": 0, "hash": GENESIS}
    if parent is None:
        conn.execute(insert(tables.head).values(stream=stream, recorded_at_ms=0, **fresh))
    else:
        conn.execute(update(tables.head).where(tables.head.c.stream == stream).values(**fresh))
    return epoch


def nothing_forbids() -> None:
    """There is room to record."""
