"""The peers a node trusts, each by one Ed25519 key, and the incidents they gave cause to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from shared.clock import Clock
from shared.db.upsert import upsert
from shared.ids import new_id
from shared.keys import key_id
from sync.errors import BadSeal, PeerHeld
from sync.tables import incident, node_key, peer

ACTIVE = "active"
HELD = "held"
REVOKED = "revoked"


@dataclass(frozen=True)
class Peer:
    """A node we exchange streams with."""

    code: str
    key_id: str
    public_key: bytes
    state: str

    @property
    def trusted(self) -> dict[str, bytes]:
        """Its key as open_signed takes it."""
        return {self.key_id: self.public_key}


def trust_peer(conn: Connection, code: str, public_key: bytes, now_ms: int, standards_root: str = "") -> None:
    """Accept a peer, or its new key after it was enrolled again."""
    row = {
        "peer": code,
        "key_id": key_id(public_key),
        "public_key": public_key,
        "state": ACTIVE,
        "since_ms": now_ms,
        "standards_root": standards_root,
    }
    before = find_peer(conn, code)
    if before is not None:  # known by that key until now; an older release did not write it down
        keep_key(conn, code, before.public_key, now_ms)
    keep_key(conn, code, public_key, now_ms)
    upsert(conn, peer, [row], update=["key_id", "public_key", "state", "since_ms", "standards_root"])


def keep_key(conn: Connection, node: str, public_key: bytes, now_ms: int) -> None:
    """Remember for ever that a node, this one too, signed with this key: its old seals are verified under it."""
    row = {"node": node, "key_id": key_id(public_key), "public_key": public_key, "since_ms": now_ms}
    upsert(conn, node_key, [row])


def keys_of(conn: Connection, node: str) -> dict[str, bytes]:
    """Every key that a node was ever known by, as open_signed takes them."""
    rows = conn.execute(select(node_key).where(node_key.c.node == node))
    return {row.key_id: bytes(row.public_key) for row in rows}


@dataclass(frozen=True)
class KnownKey:
    """A key that a node is or was known by; revoked: from this entry (epoch, seq) of its stream on, since revoked_ms."""

    node: str
    public_key: bytes
    since_ms: int
    revoked_epoch: str
    revoked_seq: int
    revoked_ms: int


def list_keys(conn: Connection) -> list[KnownKey]:
    """All keys of all nodes, by node and age."""
    c = node_key.c
    rows = conn.execute(select(node_key).order_by(c.node, c.since_ms, c.key_id))
    return [
        KnownKey(r.node, bytes(r.public_key), r.since_ms, r.revoked_epoch, r.revoked_seq, r.revoked_ms) for r in rows
    ]


def mark_revoked(conn: Connection, peer_code: str, epoch: str, seq: int, now_ms: int) -> None:
    """A peer's present key counts for nothing from this entry of its stream on; what was said first stands."""
    present = select(peer.c.key_id).where(peer.c.peer == peer_code).scalar_subquery()
    conn.execute(
        update(node_key)
        .where(node_key.c.node == peer_code, node_key.c.key_id == present, node_key.c.revoked_ms == 0)
        .values(revoked_epoch=epoch, revoked_seq=seq, revoked_ms=now_ms)
    )


def set_state(conn: Connection, code: str, state: str, now_ms: int) -> None:
    """Hold, revoke or release a peer."""
    conn.execute(update(peer).where(peer.c.peer == code).values(state=state, since_ms=now_ms))


def find_peer(conn: Connection, code: str) -> Peer | None:
    """The peer of this code, or None."""
    row = conn.execute(select(peer).where(peer.c.peer == code)).first()
    return Peer(row.peer, row.key_id, bytes(row.public_key), row.state) if row else None


def list_peers(conn: Connection) -> list[Peer]:
    """All peers, by code."""
    rows = conn.execute(select(peer).order_by(peer.c.peer))
    return [Peer(row.peer, row.key_id, bytes(row.public_key), row.state) for row in rows]


def get_by_keys(conn: Connection, key_ids: list[str]) -> Peer:
    """The active peer that one of these keys belongs to. BadSeal for a stranger, PeerHeld when it may not speak."""
    row = conn.execute(select(peer).where(peer.c.key_id.in_(key_ids[:8]))).first()
    if row is None:
        raise BadSeal("sync.unknown_key", "No enrolled node signs with this key.", todo="Enrol the node first.")
    if row.state != ACTIVE:
        raise PeerHeld("sync.peer_held", f"{row.peer} is {row.state} here.", todo="Ask the operator of the hub.")
    return Peer(row.peer, row.key_id, bytes(row.public_key), row.state)


def find_standards_root(conn: Connection, code: str) -> str:
    """What the peer named as the root of its standards when we were enrolled; empty when it named none."""
    return conn.execute(select(peer.c.standards_root).where(peer.c.peer == code)).scalar() or ""


def open_incident(
    conn: Connection, clock: Clock, peer_code: str, kind: str, what: str, *, level: str = "alarm", evidence: str = ""
) -> None:
    """Note something that people must look at, with its evidence as text; the same thing is noted once.

    level: info | attention | alarm. States that pass by themselves: sync/incidents.py.
    """
    same = (incident.c.peer == peer_code) & (incident.c.kind == kind) & (incident.c.what == what)
    if conn.execute(select(incident.c.incident_id).where(same)).first():
        return
    row = {
        "incident_id": new_id(clock),
        "at_ms": clock.now_ms(),
        "peer": peer_code,
        "kind": kind,
        "what": what,
        "level": level,
        "evidence": evidence,
    }
    conn.execute(insert(incident).values(row))
