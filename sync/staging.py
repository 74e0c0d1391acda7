"""Our own history on its way back: fetched batch by batch, proved, and kept beside the journal until all of it is here.

A batch counts when its seal verifies under a key that was ours and its entries chain on from what we hold. Nothing of it
shows before one transaction takes everything over (mending.py); a fetch that was cut short goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from shared.db.engine import read, write
from shared.journal.reading import hash_at
from sync.caller import Caller, Session
from sync.errors import BadSeal, OutOfStep, Unproven
from sync.incoming import Batch, unpack
from sync.messages import Seal
from sync.pack import split
from sync.peers import keys_of, open_incident
from sync.recovery import Step
from sync.seal import check_seal, open_seal, parse, payload_of, read_envelope
from sync.storing import Arrived
from sync.tables import accepted, staged


@dataclass(frozen=True)
class Piece:
    """A staged batch, and those of its entries that a step takes."""

    batch: Batch
    entries: tuple[Arrived, ...]


def fetch(caller: Caller, session: Session, step: Step) -> None:
    """Bring everything that a step takes to this side. Unproven, OutOfStep, Unreachable."""
    while (place := _prepared(caller, step)) < step.take:
        body = caller.history(session, step.epoch, place)
        seal = _prove(caller, body, step, place)
        row = {
            "stream": caller.code,
            "epoch": step.epoch,
            "first": place + 1,
            "last": seal.last,
            "head": seal.head,
            "body": body,
            "at_ms": caller.clock.now_ms(),
        }
        with write(caller.engine) as conn:
            conn.execute(insert(staged).values(row))


def pieces(conn: Connection, step: Step) -> Iterator[Piece]:
    """The staged batches of a step in order, unpacked and chained again, cut to what the step takes."""
    stream = step.state.stream
    rows = select(staged.c.body).where(staged.c.stream == stream, staged.c.epoch == step.epoch).order_by(staged.c.first)
    for body in conn.execute(rows).scalars().all():
        batch = _open(bytes(body))
        yield Piece(batch, tuple(item for item in batch.entries if step.keep < item.seq <= step.take))


def clear(conn: Connection, stream: str, epoch: str | None = None) -> None:
    """Drop what is staged, of one epoch or of all."""
    where = staged.c.stream == stream
    conn.execute(delete(staged).where(where if epoch is None else where & (staged.c.epoch == epoch)))


def _prepared(caller: Caller, step: Step) -> int:
    """Up to which place a step is staged. What does not fit the step is dropped; OutOfStep when the end differs."""
    with read(caller.engine) as conn:
        c = staged.c
        rows = conn.execute(
            select(c.first, c.last, c.head, c.body)
            .where(c.stream == caller.code, c.epoch == step.epoch)
            .order_by(c.first)
        ).all()
    if step.take == step.keep:
        return step.take
    if rows and rows[0].first != step.keep + 1:
        _drop(caller, step)
        return step.keep
    # the peer may have been put back since: what is staged then goes further than the step
    body = next((row.body for row in rows if row.last >= step.take), None)
    if body is None:
        return rows[-1].last if rows else step.keep
    last = _open(bytes(body))
    if last.entries[step.take - last.seal.first].hash != step.head:
        _drop(caller, step)
        raise OutOfStep("sync.history_differs", f"What came back of {step.epoch} does not lead to {step.head[:12]}….")
    return step.take


def _prove(caller: Caller, body: bytes, step: Step, place: int) -> Seal:
    """The seal of a batch that is ours and follows on at `place`."""
    envelope, frame = split(body)
    try:
        with read(caller.engine) as conn:
            seal = open_seal(envelope, keys_of(conn, caller.code), caller.peer.code)
    except BadSeal as error:
        seal = _without_proof(caller, envelope, step, error)
    if (seal.node, seal.stream, seal.epoch, seal.kind) != (caller.code, caller.code, step.epoch, "batch"):
        raise OutOfStep("sync.history_differs", f"A batch of {seal.stream} {seal.epoch} came for {step.epoch}.")
    if not seal.first <= place + 1 <= seal.last:
        raise OutOfStep("sync.history_differs", f"A batch from {seal.first} came where {place + 1} was asked for.")
    batch = unpack(seal, envelope, frame)
    before = seal.prev if place == seal.first - 1 else batch.entries[place - seal.first].hash
    if before != _expected(caller, step, place):
        _drop(caller, step)
        raise OutOfStep("sync.history_differs", f"What came back of {step.epoch} does not follow on entry {place}.")
    return seal


def _without_proof(caller: Caller, envelope: bytes, step: Step, error: BadSeal) -> Seal:
    """History whose seals do not verify is taken over only up to the hash that an operator named."""
    stream = caller.code
    with write(caller.engine) as conn:
        c = accepted.c
        row = conn.execute(select(c.hash).where(c.stream == stream, c.epoch == step.epoch)).first()
        agreed = row is not None and row.hash == step.head
        if not agreed:
            what = f"{stream} {step.epoch} up to {step.take} {step.head}: no key that was ours signed it."
            open_incident(conn, caller.clock, caller.peer.code, "unproven_history", what, evidence=error.what)
    if not agreed:
        raise Unproven(
            "sync.unproven_history",
            f"{caller.peer.code} holds entries of {stream} {step.epoch} up to {step.take} that this node cannot prove.",
            todo=f"If they are right: strandline plant history accept {step.epoch} {step.head}",
        ) from error
    seal = parse(payload_of(read_envelope(envelope)), Seal)
    check_seal(seal)
    return seal


def _expected(caller: Caller, step: Step, place: int) -> str | None:
    with read(caller.engine) as conn:
        if place == step.keep:
            return hash_at(conn, caller.code, step.epoch, place)
        c = staged.c
        where = (c.stream == caller.code) & (c.epoch == step.epoch) & (c.last == place)
        return conn.execute(select(c.head).where(where)).scalar()


def _drop(caller: Caller, step: Step) -> None:
    with write(caller.engine) as conn:
        clear(conn, caller.code, step.epoch)


def _open(body: bytes) -> Batch:
    """A staged batch; its seal was proved when it came."""
    envelope, frame = split(body)
    return unpack(parse(payload_of(read_envelope(envelope)), Seal), envelope, frame)
