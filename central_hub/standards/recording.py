"""What both trust and publishing need: recording in the hub's name, and who is to hear of it."""

from __future__ import annotations

from sqlalchemy import Connection

from central_hub.hub import Hub
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from sync.peers import ACTIVE, list_peers


def active_plants(conn: Connection) -> list[str]:
    """Codes of the plants that may speak and listen now."""
    return [peer.code for peer in list_peers(conn) if peer.state == ACTIVE]


def record(tx: Work, hub: Hub, payload: Payload, subject: str, actor: str) -> str:
    """Record one fact of the hub about one subject; returns its id."""
    occurred = Occurred(tx.now_ms(), "system")
    return tx.record(Draft(payload=payload, subjects=(subject,), actor=actor, occurred=occurred))[0]
