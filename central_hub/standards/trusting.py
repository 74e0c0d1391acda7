"""The group's root of trust at the hub: whose signatures count, taken from outside, never made here."""

from __future__ import annotations

from sqlalchemy import Connection

from central_hub.hub import Hub, downlink
from central_hub.standards import errors
from central_hub.standards.queries import (
    find_root,
)
from central_hub.standards.recording import active_plants, record
from shared.errors import Refused
from shared.standards import facts
from shared.standards import messages as m
from shared.standards.canonical import sha256
from shared.standards.trust import Trusted, first_root, next_root


def trust_root(hub: Hub, envelope: str, actor: str) -> m.Root:
    """Hand the hub a root document: the first one, or the next of the chain; its online key must be this hub's."""
    with hub.journal.work() as tx:
        known = find_root(tx.conn)
        root = next_root(Trusted(known[0]), envelope.encode()).root if known else first_root(envelope.encode())
        if hub.node.key.id not in root.roles["online"].keyids:
            raise Refused(
                "standards.other_hub",
                "The root names another hub's online key.",
                todo=f"Make it with --online {hub.node.key.public.hex()}.",
            )
        fact_id = record(
            tx,
            hub,
            facts.RootTrusted(version=root.version, sha256=sha256(envelope.encode()), envelope=envelope),
            "standards:root",
            actor,
        )
        for plant in active_plants(tx.conn):
            tx.relay(fact_id, downlink(hub.code, plant))
    return root


def root_envelope(conn: Connection) -> str:
    """The root document to ship at enrolment (`make_enrol_door(root_envelope)`), empty when there is none yet."""
    found = find_root(conn)
    return found[1] if found else ""


def get_root(conn: Connection) -> m.Root:
    """The root in force; Refused while the group has none."""
    found = find_root(conn)
    if found is None:
        raise errors.no_root()
    return found[0]
