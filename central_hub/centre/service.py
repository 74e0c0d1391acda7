"""The hub decides in domains that a plant gave to it: a fact goes down, the plant does it as its own, and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from central_hub.hub import Hub, downlink
from shared.centre.facts import (
    DISPOSITION,
    ORDER_RELEASE,
    TITLES,
    DispositionSentDown,
    OrdersSentDown,
    SentOrder,
)
from shared.centre.queries import all_owners, list_sent, owners_of
from shared.errors import BadInput, NotFound, Refused
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.quality.domain import DISPOSITIONS
from shared.quality.queries import find_hold
from sync.peers import ACTIVE, list_peers

__all__ = ["Decision", "all_owners", "decide", "list_sent", "owner_table", "release_orders"]
HUB = "hub"


@dataclass(frozen=True)
class Decision:
    """About a plant's hold: as in a release at the plant (local_mes.quality.release.ReleaseHold)."""

    hold_id: str
    disposition: str
    order_item: str = ""
    note: str = ""
    only_for: str = ""
    piece: str = ""


def release_orders(hub: Hub, plant: str, items: Sequence[SentOrder], actor: str, command_id: str) -> str:
    """Release order items at a plant whose order release is the hub's; returns the id under which it answers."""
    with hub.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return str(earlier)
        _check(tx.conn, plant, ORDER_RELEASE)
        for item in items:
            if min(item.thickness_um, item.width_um, item.mass_g) < 1:
                raise BadInput("centre.order", f"{item.item} has no thickness, width or mass.", todo="Say all three.")
        sent = OrdersSentDown(sent_id=new_id(hub.clock), plant=plant, items=tuple(items))
        return _send(hub, tx, sent, actor, command_id)


def decide(hub: Hub, plant: str, decision: Decision, actor: str, command_id: str) -> str:
    """Decide on a hold of a plant whose disposition is the hub's; returns the id under which it answers."""
    if decision.disposition not in DISPOSITIONS:
        raise BadInput(
            "centre.disposition",
            f"{decision.disposition!r} is no disposition.",
            todo=f"Choose one of: {', '.join(DISPOSITIONS)}.",
        )
    with hub.journal.work() as tx:
        earlier = tx.once(command_id)
        if earlier is not None:
            return str(earlier)
        _check(tx.conn, plant, DISPOSITION)
        hold = find_hold(tx.conn, decision.hold_id)
        if hold is None or hold.author != plant:
            raise NotFound("centre.no_hold", f"{plant} has no such hold.", todo="Read the list again.")
        if hold.released_at_ms is not None:
            raise Refused("centre.released", "This hold is released already.", todo="Read the list again.")
        sent = DispositionSentDown(sent_id=new_id(hub.clock), plant=plant, **vars(decision))
        return _send(hub, tx, sent, actor, command_id)


def owner_table(conn: Connection) -> list[tuple[str, Mapping[str, str]]]:
    """(plant, domain -> owner) of all plants that may speak; a plant that said nothing owns all."""
    told = all_owners(conn)
    return [(code, {domain: told.get(code, {}).get(domain, "plant") for domain in TITLES}) for code in _active(conn)]


def _check(conn: Connection, plant: str, domain: str) -> None:
    if plant not in _active(conn):
        raise NotFound("centre.no_plant", f"There is no plant {plant!r} that may be told.", todo="Check the code.")
    if owners_of(conn, plant).get(domain) != HUB:
        raise Refused(
            "centre.owner",
            f"{TITLES[domain]} of {plant} belongs to the plant.",
            kept="Nothing was sent.",
            todo=f"Ask its people, or move the domain (ownership.{domain} in the plant's settings).",
        )


def _active(conn: Connection) -> list[str]:
    return [peer.code for peer in list_peers(conn) if peer.state == ACTIVE]


def _send(hub: Hub, tx: Work, sent: OrdersSentDown | DispositionSentDown, actor: str, command_id: str) -> str:
    subject: Any = sent.sent_id
    (fact_id,) = tx.record(Draft(sent, (subject,), actor, Occurred(tx.now_ms(), "manual")))
    tx.relay(fact_id, downlink(hub.code, sent.plant))
    tx.done(command_id, sent.sent_id)
    return sent.sent_id
