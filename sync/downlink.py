"""A way down to a peer after this node was restored: the peer may hold more of it, or something else, than we do.

What the peer holds stays with it and is listed here as missing. We write on in a new epoch; where both wrote on from the
same entry, our own entries of that epoch go aside and their facts take new places there. So does what we wrote in an
epoch after the place where it ended for the peer: it knows a child of it and takes nothing more there. Each fact has its
effect at the peer once, whatever place it comes from.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from shared.journal.abandon import abandon
from shared.journal.journal import append_entry, open_epoch
from shared.journal.life import Lost
from shared.journal.reading import Life, Stored, hash_at, last_entry, lives
from shared.journal.tables import epoch as epoch_table
from shared.journal.tables import head
from sync.losses import note_lost
from sync.marks import drop_seals
from sync.messages import EpochState


def heal(conn: Connection, stream: str, peer: str, copies: Sequence[EpochState], now_ms: int) -> str:
    """Compare our stream to a peer with what it says it holds; returns what was found, '' when they agree."""
    ours, present = lives(conn, stream), _present(conn, stream)
    here = {life.epoch: life.seq for life in ours}
    for copy in copies:
        if copy.seq > here.get(copy.epoch, 0):
            note_lost(conn, [Lost(stream, copy.epoch, here.get(copy.epoch, 0) + 1, copy.seq)], peer, now_ms)
    held, ended = {copy.epoch: copy for copy in copies}, _ended(ours, copies)
    parted = [
        part
        for life in ours
        if (part := _part(conn, life, held.get(life.epoch), life.epoch == present, life.epoch in ended)) is not None
    ]
    gone = _put_aside(conn, present, parted, now_ms)
    if present and (
        present in ended or present != ours[-1].epoch or any(present == part.life.epoch for part in parted)
    ):
        # also where nothing parted: what is written here next would stand where the epoch ended for the peer
        open_epoch(conn, stream, now_ms, reason="forked")
    for item in gone:
        append_entry(conn, stream, item.fact_id, item.body, item.recorded_at_ms, origin=item.origin or ())
    _rebase(conn, stream, held)
    return "; ".join(f"{part.life.stream} {part.life.epoch}: held {part.how}" for part in parted)


@dataclass(frozen=True)
class _Part:
    """An epoch of which our entries after `keep` take new places, and how the peer holds it."""

    life: Life
    keep: int
    how: str


def _ended(ours: Sequence[Life], copies: Sequence[EpochState]) -> set[str]:
    """Epochs of which the peer knows a child. A peer of an older release does not say what an epoch grew from."""
    known = {copy.epoch for copy in copies}
    said = {copy.parent.epoch for copy in copies if copy.parent is not None}
    return said | {life.parent[0] for life in ours if life.parent is not None and life.epoch in known}


def _part(conn: Connection, life: Life, copy: EpochState | None, is_present: bool, ended: bool) -> _Part | None:
    have = copy.seq if copy is not None else 0
    if have > life.seq:  # where the two part only the peer could say: everything takes a new place
        return _Part(life, 0, f"up to {have}, {life.seq} written here") if is_present else None
    if copy is not None and hash_at(conn, life.stream, life.epoch, have) != copy.hash:
        return _Part(life, 0, f"with other entries at {have}")
    return (
        _Part(life, have, f"up to {have}, where it ended, {life.seq} written here")
        if ended and life.seq > have
        else None
    )


def _put_aside(conn: Connection, present: str | None, parted: Sequence[_Part], now_ms: int) -> list[Stored]:
    """The entries that take new places at the end of the newest epoch, in their order; what the peer has already does
    nothing there."""
    gone = []
    for part in parted:
        stream, epoch = part.life.stream, part.life.epoch
        gone += abandon(conn, stream, epoch, part.keep, {}, now_ms)
        drop_seals(conn, stream, epoch, part.keep)
        if epoch == present:
            seq, digest = last_entry(conn, stream, epoch)
            conn.execute(update(head).where(head.c.stream == stream).values(seq=seq, hash=digest))
    return gone


def _present(conn: Connection, stream: str) -> str | None:
    """The epoch that is written on. Not always the last: one that a peer gave back stands behind what it grew from."""
    return conn.execute(select(head.c.epoch).where(head.c.stream == stream).with_for_update()).scalar()


def _rebase(conn: Connection, stream: str, held: Container[str]) -> None:
    """What the peer does not know yet moves off entries that went aside: it would be refused as of an unknown parent."""
    ours = {life.epoch: life for life in lives(conn, stream)}
    for life in ours.values():
        parent = ours.get(life.parent[0]) if life.parent is not None else None
        if life.parent is not None and parent is not None and life.epoch not in held and life.parent[1] > parent.seq:
            c = epoch_table.c
            moved = update(epoch_table).where(c.stream == stream, c.epoch == life.epoch)
            conn.execute(moved.values(parent_seq=parent.seq, parent_hash=parent.hash))
