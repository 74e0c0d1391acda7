"""Putting back what readers gave back of this node's own streams to them, in one transaction.

    the stream to a reader   its lost epochs and tails come back as they were, seals included: what we never sent again
                             need not be sent again, and the list of what is missing grows shorter
    the node's own stream    was sent to nobody, so its chain is lost with it. Of its facts those that readers were sent
                             get new places, in the order in which they once stood, in an epoch of their own before
                             everything that was written since; the node's rows are made again in that order

Facts of other authors that were passed on come with their bytes; they count when their own author sends them.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, insert, select

from shared.clock import Clock
from shared.db.bulk import insert_all
from shared.ids import random_key
from shared.journal.apply import Appliers
from shared.journal.archived import bodies_of
from shared.journal.chain import GENESIS, chain
from shared.journal.journal import lock_head
from shared.journal.reading import hash_at, last_entry, lives
from shared.journal.rebuild_author import rebuild_author
from shared.journal.tables import entry, fact
from shared.journal.tables import epoch as epoch_table
from shared.logs import get
from sync.incoming import Batch, keep_seal, unpack
from sync.meeting import renumber
from sync.messages import Branch, Seal
from sync.pack import split
from sync.peers import keys_of, open_incident
from sync.return_messages import Return
from sync.seal import parse, payload_of, read_envelope
from sync.staging import clear
from sync.storing import UNREADABLE_TYPE, store_entries
from sync.tables import staged

log = get("restoring")

RETURNED = "returned"
"""Reason of an epoch that readers gave back, and of the one of our own stream that holds our facts among it."""


@dataclass(frozen=True)
class Waiting:
    """One epoch of ours that a reader gave back.

    batches in order     whole  whether it is all that the reader holds     shown  keys that it knew us by, by their ids
    before  the epochs that stand before it at the reader, where that says so
    """

    stream: str
    epoch: str
    batches: tuple[Batch, ...]
    whole: bool
    shown: Mapping[str, bytes]
    before: tuple[str, ...]

    @property
    def keys(self) -> set[str]:
        """Ids of the keys that signed it."""
        return {batch.seal.key for batch in self.batches}


def read_all_waiting(conn: Connection, code: str) -> Iterator[Waiting]:
    """What was given back of our streams to readers and is not in the journal yet, one epoch in memory at a time."""
    c = staged.c
    places = select(c.stream, c.epoch).where(c.stream.like(f"{code}>%")).distinct().order_by(c.stream, c.epoch)
    for row in conn.execute(places).all():
        yield _read_waiting(conn, row.stream, row.epoch)


def put_back(conn: Connection, code: str, clock: Clock, appliers: Appliers) -> int:
    """Take over every epoch that is whole and proved to be ours; returns how many of our own facts came back.

    What does not follow on what is here any more is dropped: its reader gives it back from where we are now.
    """
    known, now = keys_of(conn, code), clock.now_ms()
    taken = 0
    while found := next((one for one in read_all_waiting(conn, code) if _is_ready(conn, one, known)), None):
        if _put_stream_back(conn, found, now):
            taken += 1
            reader, last = found.stream.partition(">")[2], found.batches[-1].seal.last
            what = f"{reader} gave {found.stream} {found.epoch} back, which was lost here, up to entry {last}."
            open_incident(conn, clock, reader, "given_back", what, level="attention")
        clear(conn, found.stream, found.epoch)
    ids = _homeless(conn, code) if taken else []
    if ids:
        lock_head(conn, code, now)
        _bring_home(conn, code, ids, now)
        rebuild_author(conn, appliers, code, now)
    return len(ids)


def _is_ready(conn: Connection, found: Waiting, known: Container[str]) -> bool:
    """Whole, ours, and what it grew from is here; what grew from entries that are nowhere waits on."""
    return found.whole and all(key in known for key in found.keys) and _stands(conn, found)


def _read_waiting(conn: Connection, stream: str, epoch: str) -> Waiting:
    c = staged.c
    rows = conn.execute(select(c.body).where(c.stream == stream, c.epoch == epoch).order_by(c.first)).scalars().all()
    batches, shown, upto = [], dict[str, bytes](), 0
    before: tuple[str, ...] = ()
    for raw in rows:
        words, body = split(bytes(raw))
        said = parse(payload_of(read_envelope(words)), Return)
        upto, shown, before = max(upto, said.upto), shown | said.known_by, said.before
        head, frame = split(body)
        batches.append(unpack(parse(payload_of(read_envelope(head)), Seal), head, frame))
    return Waiting(stream, epoch, tuple(batches), batches[-1].seal.last >= upto, shown, before)


def _stands(conn: Connection, found: Waiting) -> bool:
    parent = found.batches[0].seal.parent
    return parent is None or hash_at(conn, found.stream, parent.epoch, parent.seq) == parent.hash


def _put_stream_back(conn: Connection, found: Waiting, now_ms: int) -> bool:
    """One epoch of a stream to a reader; False when it does not follow on what is here."""
    lock_head(conn, found.stream, now_ms)
    have, digest = last_entry(conn, found.stream, found.epoch)
    if not _follows(found, have, digest):
        return False
    if found.epoch not in [life.epoch for life in lives(conn, found.stream)]:
        _insert_epoch(conn, found.stream, found.epoch, found.batches[0].seal.parent, now_ms)
        _put_in_order(conn, found)
    for batch in found.batches:
        new = [item for item in batch.entries if item.seq > have]
        for fact_id in store_entries(conn, batch.seal, new) if new else ():
            log.warning("a fact that came back has other bytes here; the first stay", fact_id=fact_id)
        keep_seal(conn, batch, now_ms)
    return True


def _follows(found: Waiting, have: int, digest: str) -> bool:
    """Whether what was given back goes on where our own entries of the epoch end, with their hash."""
    for batch in found.batches:
        if have == batch.seal.first - 1:
            return digest == batch.seal.prev
        if batch.seal.first <= have <= batch.seal.last:
            return digest == batch.entries[have - batch.seal.first].hash
    return False


def _put_in_order(conn: Connection, found: Waiting) -> None:
    """An epoch that came back stands right behind those that its reader had before it, before what was written since.

    The one that it grew from alone would not do: it may be lost for good, as nobody ever held an entry of it, and others
    may have grown from it before. Where none of them is known it stands before all.
    """
    order = [life.epoch for life in lives(conn, found.stream) if life.epoch != found.epoch]
    parent = found.batches[0].seal.parent
    before = {*found.before, parent.epoch} if parent else {*found.before}
    order.insert(max((order.index(one) for one in before.intersection(order)), default=-1) + 1, found.epoch)
    renumber(conn, found.stream, order)


def _insert_epoch(conn: Connection, stream: str, epoch: str, parent: Branch | None, now_ms: int) -> None:
    lowest = select(func.min(epoch_table.c.ordinal)).where(epoch_table.c.stream == stream)
    conn.execute(
        insert(epoch_table).values(
            stream=stream,
            epoch=epoch,
            ordinal=(conn.execute(lowest).scalar() or 0) - 1,
            reason=RETURNED,
            opened_at_ms=now_ms,
            parent_epoch=parent.epoch if parent else None,
            parent_seq=parent.seq if parent else None,
            parent_hash=parent.hash if parent else None,
        )
    )


def _homeless(conn: Connection, code: str) -> list[str]:
    """Our own facts that stand in streams to readers and not in our own, in the order in which they once stood there."""
    home = entry.alias()
    elsewhere = exists().where(home.c.stream == code, home.c.fact_id == fact.c.fact_id)
    query = (
        select(entry.c.fact_id)
        .join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
        .where(entry.c.stream.like(f"{code}>%"), fact.c.author == code, fact.c.type != UNREADABLE_TYPE, ~elsewhere)
        .order_by(fact.c.recorded_at_ms, entry.c.origin_epoch, entry.c.origin_seq)
    )
    return list(dict.fromkeys(conn.execute(query).scalars()))


def _bring_home(conn: Connection, code: str, ids: Sequence[str], now_ms: int) -> None:
    """An epoch of our own stream with these facts, behind those that came back before and before all others."""
    c = epoch_table.c
    rows = conn.execute(select(c.epoch, c.reason).where(c.stream == code).order_by(c.ordinal)).all()
    made = random_key()
    bodies = bodies_of(conn, ids)
    hashes = chain(made, code, 1, GENESIS, (bodies[fact_id] for fact_id in ids))
    _insert_epoch(conn, code, made, None, now_ms)
    together = enumerate(zip(ids, hashes, strict=True), start=1)
    found = [{"stream": code, "epoch": made, "seq": n, "hash": h, "fact_id": i} for n, (i, h) in together]
    insert_all(conn, entry, found)
    before = [row.epoch for row in rows if row.reason == RETURNED]
    renumber(conn, code, [*before, made, *(row.epoch for row in rows if row.reason != RETURNED)])
