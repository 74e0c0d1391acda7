"""Receiving a batch: the same at the hub and at a plant. Durable first; applying is another room's work.

The order of checks (sync-protocol.md, 1.4): size, signature, audience, session, bounded unpacking, chain; then one
transaction stores what is new, moves the position and keeps the seal. A fact that cannot be read is stored like any
other: it never changes the answer, and the applier sets it aside by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from shared.db.dialect import insert_into
from shared.journal.chain import chain
from shared.journal.reading import hash_at
from shared.journal.tables import epoch as epoch_table
from sync.early_rows import EarlyRows
from sync.errors import BadSeal, Malformed, OutOfStep
from sync.messages import ZERO_HASH, Seal
from sync.pack import PackedEntry, decompress, unpack_entries
from sync.seal import digest
from sync.storing import Arrived, store_entries
from sync.tables import position
from sync.tables import seal as seal_table
from sync.verdict import Answer, Copy, Offer, judge


@dataclass(frozen=True)
class Batch:
    """A sealed batch, verified, unpacked and chained, not stored yet."""

    seal: Seal
    envelope: bytes
    entries: tuple[Arrived, ...]


@dataclass(frozen=True)
class Held:
    """The receiver's position in an epoch after a batch, and what it answers.

    taken   ids that facts of the batch name while other bytes have them here: the first stays
    """

    answer: Answer
    durable: int
    hash: str
    new_entries: int
    taken: tuple[str, ...] = ()


def check_stream(seal: Seal, author: str, reader: str) -> None:
    """A node speaks for itself only, in its own stream or in its stream to this reader. BadSeal."""
    if seal.node != author or seal.stream not in (author, f"{author}>{reader}"):
        raise BadSeal("sync.not_its_stream", f"{author} signed a batch of stream {seal.stream} as {seal.node}.")


def unpack(seal: Seal, envelope: bytes, frame: bytes) -> Batch:
    """Unpack the entries within bounds and recompute their chain. Malformed, OverLimit."""
    raw = decompress(frame)
    if seal.kind == "heartbeat":
        if raw:
            raise Malformed("sync.not_empty", "A heartbeat came with entries.")
        return Batch(seal, envelope, ())
    if digest(raw) != seal.bytes:
        raise Malformed(
            "sync.tampered", f"The entries {seal.first}-{seal.last} of {seal.stream} are not the ones that were sealed."
        )
    packed = unpack_entries(raw)
    if len(packed) != seal.last - seal.first + 1:
        raise Malformed("sync.bad_count", f"{len(packed)} entries came where the seal names {seal.first}-{seal.last}.")
    entries = _chain(seal, packed)
    if entries[-1].hash != seal.head:
        raise Malformed("sync.broken_chain", f"The chain of {seal.stream} does not lead to {seal.head[:12]}….")
    return Batch(seal, envelope, tuple(entries))


def _chain(seal: Seal, packed: Sequence[PackedEntry]) -> list[Arrived]:
    if ">" not in seal.stream:
        for seq, item in enumerate(packed, start=seal.first):
            if item.origin is not None:
                what = f"Entry {seq} of {seal.stream} relays, but this is an author's own stream."
                raise Malformed("sync.relayed", what)
    hashes = chain(seal.epoch, seal.stream, seal.first, seal.prev, (item.fact for item in packed))
    together = zip(hashes, packed, strict=True)
    return [Arrived(seq, made, item.fact, item.origin) for seq, (made, item) in enumerate(together, start=seal.first)]


def store(conn: Connection, batch: Batch, now_ms: int, early: EarlyRows | None = None) -> Held:
    """Store what is new of a verified batch, in the caller's transaction. OutOfStep for an unknown parent.

    early   the batch's rows, begun before its turn; what was begun is taken back unless all of it is new
    """
    seal = batch.seal
    held = _lock_position(conn, seal, now_ms)
    verdict = judge(
        Offer(seal.first, seal.last, seal.prev),
        Copy(held.durable, held.hash, _branched(conn, seal)) if held is not None else None,
        lambda place: hash_at(conn, seal.stream, seal.epoch, place),
        lambda place: batch.entries[place - seal.first].hash,
    )
    stored = early is not None and early.end(
        whole=held is not None and verdict.answer == "stored" and verdict.first_new <= seal.first
    )
    if held is None:
        return Held("gap", 0, ZERO_HASH, 0)
    if verdict.answer != "stored":
        return Held(verdict.answer, held.durable, held.hash, 0)
    new = batch.entries[max(verdict.first_new - seal.first, 0) :]
    taken = store_entries(conn, seal, new) if new and not stored else ()
    durable, head = (seal.last, seal.head) if seal.last > held.durable else (held.durable, held.hash)
    through = held.complete_through
    if seal.last >= held.durable:
        # an author's clock far ahead must not make absence look proven: no watermark beyond our own time
        through = max(through, min(seal.complete_through, now_ms))
    _move_position(conn, seal, durable, head, through, now_ms)
    keep_seal(conn, batch, now_ms)
    return Held("stored", durable, head, len(new), taken)


def _branched(conn: Connection, seal: Seal) -> bool:
    """Whether a child of this epoch is known: then its author ended it."""
    child = select(epoch_table.c.epoch).where(
        epoch_table.c.stream == seal.stream, epoch_table.c.parent_epoch == seal.epoch
    )
    return conn.execute(child.limit(1)).first() is not None


def _lock_position(conn: Connection, seal: Seal, now_ms: int) -> Any | None:
    """The locked position row; created for the first batch of an epoch. None when an unseen epoch starts later."""
    query = (
        select(position)
        .where(position.c.peer == seal.node, position.c.stream == seal.stream, position.c.epoch == seal.epoch)
        .with_for_update()
    )
    row = conn.execute(query).first()
    if row is not None:
        return row
    if seal.first != 1:
        return None
    _open_copy(conn, seal, now_ms)
    fresh = {
        "peer": seal.node,
        "stream": seal.stream,
        "epoch": seal.epoch,
        "durable": 0,
        "hash": ZERO_HASH,
        "complete_through": 0,
        "updated_ms": now_ms,
    }
    conn.execute(_insert_new(conn, position).values(fresh))
    return conn.execute(query).one()


def _open_copy(conn: Connection, seal: Seal, now_ms: int) -> None:
    parent = seal.parent
    if parent is not None and hash_at(conn, seal.stream, parent.epoch, parent.seq) != parent.hash:
        raise OutOfStep("sync.unknown_parent", f"Epoch {seal.epoch} of {seal.stream} grew from entries not held here.")
    taken = conn.execute(select(epoch_table.c.ordinal).where(epoch_table.c.stream == seal.stream)).scalars().all()
    conn.execute(
        _insert_new(conn, epoch_table).values(
            stream=seal.stream,
            epoch=seal.epoch,
            ordinal=max(taken, default=0) + 1,
            reason="copied",
            opened_at_ms=now_ms,
            parent_epoch=parent.epoch if parent else None,
            parent_seq=parent.seq if parent else None,
            parent_hash=parent.hash if parent else None,
        )
    )


def _move_position(conn: Connection, seal: Seal, durable: int, head: str, through: int, now_ms: int) -> None:
    conn.execute(
        position.update()
        .where(position.c.peer == seal.node, position.c.stream == seal.stream, position.c.epoch == seal.epoch)
        .values(durable=durable, hash=head, complete_through=through, updated_ms=now_ms)
    )


def keep_seal(conn: Connection, batch: Batch, now_ms: int) -> None:
    """Keep a batch's seal as proof; of heartbeats only the last."""
    seal = batch.seal
    if seal.kind == "heartbeat":
        conn.execute(
            seal_table.delete().where(
                seal_table.c.stream == seal.stream, seal_table.c.epoch == seal.epoch, seal_table.c.kind == "heartbeat"
            )
        )
    conn.execute(
        _insert_new(conn, seal_table).values(
            stream=seal.stream,
            epoch=seal.epoch,
            last=seal.last,
            kind=seal.kind,
            first=seal.first,
            envelope=batch.envelope,
            at_ms=now_ms,
        )
    )


def _insert_new(conn: Connection, table: Any) -> Any:
    """INSERT that leaves an existing row alone: two workers may meet at the same place."""
    return insert_into(conn, table).on_conflict_do_nothing()
