"""The group's root of trust at the hub: whose signatures count, taken from outside, never made here."""

from __future__ import annotations

from sqlalchemy import Connection

from central_hub.hub import Hub, downlink
from central_hub.standards.counting import is_signed
from central_hub.standards.publishing import ask_for_signatures, issue_to
from central_hub.standards.queries import find_catalogue, find_root
from central_hub.standards.recording import active_plants, record
from shared.errors import Refused
from shared.journal.journal import Work
from shared.standards import facts
from shared.standards import messages as m
from shared.standards.canonical import sha256
from shared.standards.trust import Trusted, TrustError, first_root, next_root


def trust_root(hub: Hub, envelope: str, actor: str, *, anew: bool = False) -> m.Root:
    """Hand the hub a root document: the first one, or the next of the chain; its online key must be this hub's.

    Where the signatures on what is published no longer count, the key holders are asked for new ones at once.
    anew: it need not be signed by the one before, whose keys are lost; each plant takes it only by a person's word.
    """
    with hub.journal.work() as tx:
        known = find_root(tx.conn)
        root = _read_root(known[0] if known else None, envelope.encode(), anew)
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
        _follow(tx, hub, actor)
    return root


def _read_root(known: m.Root | None, envelope: bytes, anew: bool) -> m.Root:
    if known is None:
        return first_root(envelope)
    if not anew:
        return next_root(Trusted(known), envelope).root
    root = first_root(envelope)
    if root.version != known.version + 1:
        raise TrustError("root_order", f"Root {root.version} cannot follow root {known.version}.")
    return root


def root_envelope(conn: Connection) -> str:
    """The root document to ship at enrolment (`make_enrol_door(root_envelope)`), empty when there is none yet."""
    found = find_root(conn)
    return found[1] if found else ""


def _follow(tx: Work, hub: Hub, actor: str) -> None:
    """Plants get an assignment that they verify under it; where what is published no longer counts, keys sign first."""
    if find_catalogue(tx.conn, hub.code) is not None and is_signed(tx.conn, hub):
        for plant in active_plants(tx.conn):
            issue_to(tx, hub, plant, actor, chosen_anew=True)
    ask_for_signatures(tx, hub, actor)
