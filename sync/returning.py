"""Giving an author its own history back: what is held of its epochs, hashes at single places, and its own batches.

A batch given back is the one that was received: the kept seal, and the entries packed again. Packing is deterministic,
so the seal verifies under the key that the author signed it with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from shared.clock import Clock
from shared.journal.reading import entries_after, hash_at, lives
from shared.keys import SigningKey
from sync.errors import OutOfStep
from sync.limits import PROTOCOL
from sync.messages import GIVEN, HASHES, Branch, EpochState, Given, Hashes, History, Probe, Seal
from sync.pack import Origin, PackedEntry, join, pack_entries, put_behind
from sync.seal import digest, parse, payload_of, read_envelope, sign
from sync.tables import seal as seal_table


@dataclass(frozen=True)
class Giving:
    """This node's signed answers to an author that looks for its own history."""

    code: str
    clock: Clock
    key: SigningKey

    def hashes(self, conn: Connection, to: str, asked: Probe) -> bytes:
        """The chain at the probed places."""
        answer = Hashes(
            proto=PROTOCOL,
            node=self.code,
            audience=to,
            sent_ms=self.clock.now_ms(),
            stream=asked.stream,
            epoch=asked.epoch,
            hashes=tuple(hash_at(conn, asked.stream, asked.epoch, place) or "" for place in asked.places),
            nonce=asked.nonce,
        )
        return sign(self.key, HASHES, answer)

    def batch(self, conn: Connection, to: str, asked: History) -> bytes:
        """The batch that follows a place. OutOfStep."""
        found = find_batch(conn, asked.stream, asked.epoch, asked.after)
        given = Given(
            proto=PROTOCOL,
            node=self.code,
            audience=to,
            sent_ms=self.clock.now_ms(),
            batch=digest(found),
            nonce=asked.nonce,
        )
        return put_behind(sign(self.key, GIVEN, given), found)


def copies_of(conn: Connection, stream: str, named: Mapping[str, int]) -> tuple[EpochState, ...]:
    """What is held of a stream, oldest epoch first; with the hash at the head that its author named where more is."""
    found = []
    for life in lives(conn, stream):
        said = named.get(life.epoch)
        meets = hash_at(conn, stream, life.epoch, said) if said is not None and said < life.seq else None
        parent = Branch(*life.parent) if life.parent else None
        found.append(EpochState(stream, life.epoch, life.seq, life.hash, parent, meets))
    return tuple(found)


def find_batch(conn: Connection, stream: str, epoch: str, after: int) -> bytes:
    """The batch that covers the entry after a place, as its author sealed it. OutOfStep when no kept seal does."""
    c = seal_table.c
    covering = (
        select(c.envelope)
        .where(c.stream == stream, c.epoch == epoch, c.kind == "batch", c.first <= after + 1, c.last > after)
        .order_by(c.last.desc())
    )
    for envelope in conn.execute(covering).scalars():
        found = _pack_again(conn, bytes(envelope))
        if found is not None:
            return found
    raise OutOfStep("sync.no_history", f"No seal kept here covers entry {after + 1} of {stream} {epoch}.")


def _pack_again(conn: Connection, envelope: bytes) -> bytes | None:
    """The whole batch, or None when the entries held are not those that were sealed."""
    seal = parse(payload_of(read_envelope(envelope)), Seal)
    entries = entries_after(conn, seal.stream, seal.epoch, seal.first - 1, seal.last - seal.first + 1)
    raw = pack_entries(PackedEntry(item.body, Origin(*item.origin) if item.origin else None) for item in entries)
    return join(envelope, raw) if digest(raw) == seal.bytes else None
