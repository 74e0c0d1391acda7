"""What a welcome says is believed, also when it is less than the peer once said: it may have been restored."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from shared.clock import Clock
from shared.db.engine import write
from shared.journal.life import note_peer, raise_floor
from sync import link, marks, understanding
from sync.messages import EpochState, Welcome
from sync.peers import open_incident
from sync.positions import ahead


def believe(
    engine: Engine, clock: Clock, code: str, peer: str, welcome: Welcome, said: Sequence[EpochState], sent_ms: int
) -> None:
    """Keep what the peer holds of us, what it understands, which life it is in and how its clock stands to ours.

    said  our epochs as the hello named them, sent at sent_ms
    """
    now = clock.now_ms()
    with write(engine) as conn:
        marks.accept_holdings(conn, peer, [code], welcome.holds, now)
        understanding.keep(conn, peer, (welcome.proto, welcome.proto), welcome.facts, now)
        note_peer(conn, peer, welcome.incarnation)
        raise_floor(conn, code, welcome.through + 1)
        if "history" not in welcome.can:
            _note_ahead(conn, clock, peer, said, welcome)
        link.note_contact(conn, peer, now, welcome.sent_ms - (sent_ms + now) // 2)


def _note_ahead(conn: Connection, clock: Clock, peer: str, said: Sequence[EpochState], welcome: Welcome) -> None:
    """A peer of an older release keeps what it has of us to itself: people are told what is missing here."""
    for state in ahead(said, welcome.holds):
        what = f"{peer} holds {state.stream} {state.epoch} up to {state.seq}, we do not."
        open_incident(conn, clock, peer, "behind", what)
