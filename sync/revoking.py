"""A stolen key: what was signed with it from a number on is not its owner's, and leaves the stream.

Nothing is erased: the entries lie aside with their bytes as evidence, the rows are made again without them, and the key
never speaks again. The owner makes itself a new key, is enrolled with it, and sends what it really recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, select, update

from shared.errors import BadInput, NotFound, Refused
from shared.journal.abandon import abandon
from shared.journal.chain import GENESIS
from shared.journal.reading import Life, entries_after, hash_at, lives
from shared.journal.rebuild_author import rebuild_author
from shared.journal.tables import entry, fact
from shared.node import Node
from sync.meeting import forget_visits
from sync.peers import REVOKED, find_peer, mark_revoked, open_incident, set_state
from sync.tables import position, seal

IDS_A_QUERY = 500
IDS_TOLD = 20
FATE = "revoked"


@dataclass(frozen=True)
class Revoked:
    """What left the stream of a peer, and which other nodes were sent some of it before."""

    code: str
    epoch: str
    first: int
    last: int
    passed_on: tuple[str, ...]

    def __str__(self) -> str:
        told = f" Passed on before to {', '.join(self.passed_on)}: look at it there." if self.passed_on else ""
        return (
            f"The key of {self.code} is revoked from entry {self.first} of epoch {self.epoch} on: {self.first} to "
            f"{self.last} lie aside as evidence, the rows were made again without them.{told}"
        )


def revoke_from(conn: Connection, node: Node, code: str, epoch: str, first: int) -> Revoked:
    """Take a peer's stream back to before an entry and revoke its key, in the caller's transaction.

    first begins a batch: that is what a key signed. NotFound, BadInput, Refused where the peer has built on it since.
    """
    peer = find_peer(conn, code)
    if peer is None:
        raise NotFound("sync.no_peer", f"{node.code} has no peer {code}.", todo="See: strandline hub peer list.")
    life = _find_life(conn, code, epoch, first)
    now = node.clock.now_ms()
    ids = [item.fact_id for item in entries_after(conn, code, epoch, first - 1, life.seq)]
    passed_on = _passed_on(conn, code, ids)
    abandon(conn, code, epoch, first - 1, dict.fromkeys(ids, FATE), now)
    _drop_facts(conn, ids)
    conn.execute(delete(seal).where(seal.c.stream == code, seal.c.epoch == epoch, seal.c.last >= first))
    _take_position_back(conn, code, epoch, first - 1)
    rebuild_author(conn, node.journal.appliers, code, now)
    set_state(conn, code, REVOKED, now)
    mark_revoked(conn, code, epoch, first, now)
    forget_visits(conn, code)
    done = Revoked(code, epoch, first, life.seq, passed_on)
    evidence = f"key {peer.key_id}; facts {', '.join(ids[:IDS_TOLD])}"
    open_incident(conn, node.clock, code, "revoked_from", str(done), evidence=evidence)
    return done


def _find_life(conn: Connection, code: str, epoch: str, first: int) -> Life:
    known = {life.epoch: life for life in lives(conn, code)}
    life = known.get(epoch)
    if life is None or not 1 <= first <= life.seq:
        held = "; ".join(f"{one.epoch} up to {one.seq}" for one in known.values()) or "nothing"
        raise BadInput("sync.no_entry", f"{code} has no entry {first} in epoch {epoch} here.", todo=f"Held: {held}.")
    if any(one.parent and one.parent[0] == epoch and one.parent[1] >= first for one in known.values()):
        raise Refused(
            "sync.built_on",
            f"{code} has taken entry {first} of epoch {epoch} for its own and built on it since.",
            kept="Nothing was changed.",
            todo="Hold the peer, and correct what those facts say from the plant itself.",
        )
    starts = _batch_starts(conn, code, epoch)
    if first not in starts:
        near = max((start for start in starts if start < first), default=1)
        raise BadInput(
            "sync.inside_a_batch",
            f"Entry {first} stands inside a signed batch.",
            todo=f"The batch begins at {near}: revoke from there, the plant sends the rest again.",
        )
    return life


def _batch_starts(conn: Connection, code: str, epoch: str) -> list[int]:
    query = select(seal.c.first).where(seal.c.stream == code, seal.c.epoch == epoch, seal.c.kind == "batch")
    return sorted(conn.execute(query).scalars())


def _passed_on(conn: Connection, code: str, ids: Sequence[str]) -> tuple[str, ...]:
    found: set[str] = set()
    for at in range(0, len(ids), IDS_A_QUERY):
        named = entry.c.fact_id.in_(ids[at : at + IDS_A_QUERY])
        found |= set(conn.execute(select(entry.c.stream).where(named, entry.c.stream != code).distinct()).scalars())
    return tuple(sorted(stream.partition(">")[2] or stream for stream in found))


def _drop_facts(conn: Connection, ids: Sequence[str]) -> None:
    """Their bytes lie aside; a fact that another stream passed on stays, because that stream names it."""
    for at in range(0, len(ids), IDS_A_QUERY):
        chosen = fact.c.fact_id.in_(ids[at : at + IDS_A_QUERY])
        conn.execute(delete(fact).where(chosen, ~exists().where(entry.c.fact_id == fact.c.fact_id)))


def _take_position_back(conn: Connection, code: str, epoch: str, keep: int) -> None:
    """What is promised complete ends with the last entry that is its owner's."""
    c = position.c
    last = entries_after(conn, code, epoch, keep - 1, 1) if keep else []
    through = last[0].recorded_at_ms - 1 if last else 0
    conn.execute(
        update(position)
        .where(c.peer == code, c.stream == code, c.epoch == epoch)
        .values(durable=keep, hash=hash_at(conn, code, epoch, keep) or GENESIS, complete_through=through)
    )
