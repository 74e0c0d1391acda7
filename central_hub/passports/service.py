"""The list of all plants' keys, signed with the hub's online key and laid on every plant's stream.

With it a plant verifies another plant's passport when there is no network: root -> online key -> this list -> plant.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, literal, select

from central_hub.hub import Hub, downlink
from central_hub.standards.queries import find_root
from shared.db.engine import read
from shared.errors import Refused
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.journal.tables import entry
from shared.passports.facts import PlantKeysListed
from shared.passports.keys import LIST_ANEW_MS, KeyList, PlantKey, Revoked, open_list, seal_list
from shared.passports.queries import list_key_lists
from shared.standards.messages import Root
from sync.peers import list_keys, list_peers

ACTOR = "job:plant-keys"


def publish_keys(hub: Hub) -> int:
    """List the plants' keys anew when one was added or revoked, or the list is a month old, and tell every plant; returns how
    many were told.

    Nothing to do writes nothing. Without a root of the group there is no chain, so nothing is listed.
    """
    with read(hub.node.engine) as conn:
        if not _is_due(conn, hub):
            return 0
    with hub.journal.work() as tx:
        latest = _in_force(tx.conn, hub)
        if latest is None:
            return 0
        stands = _stands(tx.conn, hub, latest[0])
        fact_id = latest[1] if stands else _list(tx, hub, latest[0].version + 1)
        told = _untold(tx.conn, hub, fact_id)
        for plant in told:
            tx.relay(fact_id, downlink(hub.code, plant))
        return len(told)


def _is_due(conn: Connection, hub: Hub) -> bool:
    latest = _in_force(conn, hub)
    if latest is None:
        return False
    return not _stands(conn, hub, latest[0]) or bool(_untold(conn, hub, latest[1]))


def _stands(conn: Connection, hub: Hub, latest: KeyList) -> bool:
    """Whether the latest list still says it; an old one is told again, so that plants know it is not out of date."""
    keys = _keys(conn, hub.code)
    is_young = hub.node.clock.now_ms() < latest.issued_ms + LIST_ANEW_MS
    return latest.keys == keys and (is_young or not keys)


def _in_force(conn: Connection, hub: Hub) -> tuple[KeyList, str] | None:
    """The list that counts and its fact, an empty one before the first; None as long as this hub is under no root."""
    found = find_root(conn)
    if found is None or hub.node.key.id not in found[0].roles["online"].keyids:
        return None
    rows = list_key_lists(conn, hub.code, limit=1)
    listed = _opened(rows[0], found[0]) if rows else None
    if listed is None:  # none yet, or signed with an online key that the root names no more
        version = rows[0].version if rows else 0
        return KeyList(version=max(version, 1), hub=hub.code, issued_ms=0, keys=()), ""
    return listed, str(rows[0].fact_id)


def _opened(row: Row[Any], root: Root) -> KeyList | None:
    try:
        return open_list(row.envelope, root)
    except Refused:
        return None


def _keys(conn: Connection, hub: str) -> tuple[PlantKey, ...]:
    return tuple(
        PlantKey(
            key.node,
            key.public_key.hex(),
            key.since_ms,
            Revoked(key.revoked_epoch, key.revoked_seq, key.revoked_ms) if key.revoked_ms else None,
        )
        for key in list_keys(conn)
        if key.node != hub
    )


def _list(tx: Work, hub: Hub, version: int) -> str:
    now = tx.now_ms()
    listed = KeyList(version=version, hub=hub.code, issued_ms=now, keys=_keys(tx.conn, hub.code))
    fact = PlantKeysListed(version=version, issued_ms=now, envelope=seal_list(listed, hub.node.key))
    return tx.record(Draft(fact, ("plant-keys",), ACTOR, Occurred(now, "system")))[0]


def _untold(conn: Connection, hub: Hub, fact_id: str) -> list[str]:
    """Also one that may not speak now: its stream goes on, and what stands behind this list on it came after it."""
    plants = [peer.code for peer in list_peers(conn)]
    there = entry.c.fact_id == fact_id
    return [
        plant
        for plant in plants
        if not conn.execute(select(literal(1)).where(there, entry.c.stream == downlink(hub.code, plant))).first()
    ]
