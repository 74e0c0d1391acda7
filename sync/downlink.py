"""A way down to a peer after this node was restored: the peer may hold more of it, or something else, than we do.

What the peer holds stays with it and is listed here as missing. We write on in a new epoch; where both wrote on from the
same entry, our own entries of that epoch go aside and their facts take new places there. Each fact has its effect at the
peer once, whatever place it comes from.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, update

from shared.journal.abandon import abandon
from shared.journal.chain import GENESIS
from shared.journal.journal import append_entry, open_epoch
from shared.journal.life import Lost
from shared.journal.reading import Life, hash_at, lives
from shared.journal.tables import head
from sync.losses import note_lost
from sync.marks import drop_seals
from sync.messages import EpochState


def heal(conn: Connection, stream: str, peer: str, copies: Sequence[EpochState], now_ms: int) -> str:
    """Compare our stream to a peer with what it says it holds; returns what was found, '' when they agree."""
    ours = {life.epoch: life for life in lives(conn, stream)}
    present = max(ours.values(), key=lambda life: life.ordinal, default=None)
    found = []
    for copy in copies:
        life = ours.get(copy.epoch)
        here = life.seq if life else 0
        if copy.seq > here:
            note_lost(conn, [Lost(stream, copy.epoch, here + 1, copy.seq)], peer, now_ms)
        if life is not None and present is not None:
            found.append(_mend(conn, life, copy, life is present, now_ms))
    return "; ".join(filter(None, found))


def _mend(conn: Connection, life: Life, copy: EpochState, is_present: bool, now_ms: int) -> str:
    ahead = copy.seq > life.seq
    if (ahead and not is_present) or (not ahead and hash_at(conn, life.stream, life.epoch, copy.seq) == copy.hash):
        return ""
    # where the two part only the peer could say: everything takes a new place, and what it has already does nothing
    gone = abandon(conn, life.stream, life.epoch, 0, {}, now_ms)
    drop_seals(conn, life.stream, life.epoch, 0)
    if is_present:
        conn.execute(update(head).where(head.c.stream == life.stream).values(seq=0, hash=GENESIS))
        open_epoch(conn, life.stream, now_ms, reason="forked")
    for item in gone:
        append_entry(conn, life.stream, item.fact_id, item.body, item.recorded_at_ms, origin=item.origin or ())
    held = f"up to {copy.seq}, {life.seq} written here" if ahead else f"with other entries at {copy.seq}"
    return f"{life.stream} {life.epoch}: held {held}"
