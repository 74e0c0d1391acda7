"""The called side of a sight: who calls is proven by signature, what it says is kept, the time is signed back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import msgspec
from flask import Blueprint, Flask, Response, current_app
from sqlalchemy import Connection, Engine, select

from shared.clock import Clock
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.journal.life import get_identity
from shared.keys import SigningKey
from shared.node import Node
from sync import apart, marks
from sync.endpoint import OCTETS, read_body
from sync.errors import BadSeal
from sync.limits import HELLO_BYTES_MAX, PROTOCOL
from sync.peers import get_by_keys
from sync.seal import open_signed, read_envelope, sign
from sync.sight import SEEN, SIGHT, Seen, Sight
from sync.tables import session, sight
from sync.transport import PATH

EXTENSION = "strandline.sights"

SET_BACK_MS = 600_000
"""With no newer sight for so long, one with an earlier time is believed."""

door = Blueprint("sight", __name__, url_prefix=PATH.rstrip("/"))


@dataclass(frozen=True)
class Kept:
    """The last sight of a peer and when it came, ms of this node's clock."""

    sight: Sight
    received_ms: int


@dataclass(frozen=True)
class Sights:
    """Answers sights."""

    code: str
    engine: Engine
    clock: Clock
    key: SigningKey

    def answer(self, raw: bytes) -> bytes:
        """Keep what an enrolled node says of its line, and sign that it was seen. BadSeal, PeerHeld, Malformed."""
        with read(self.engine) as conn:
            peer = get_by_keys(conn, [s.keyid for s in read_envelope(raw).signatures])
        said = open_signed(raw, SIGHT, Sight, peer.trusted, self.code)
        if said.node != peer.code:
            raise BadSeal("sync.wrong_author", f"{peer.code} signed as {said.node}.")
        now = self.clock.now_ms()
        with write(self.engine) as conn:
            incarnation = get_identity(conn).incarnation
            if _is_news(conn, said, now):
                _keep(conn, said, now)
        seen = Seen(
            proto=PROTOCOL, node=self.code, audience=peer.code, sent_ms=now, nonce=said.nonce, incarnation=incarnation
        )
        return sign(self.key, SEEN, seen)


def install_sights(app: Flask, node: Node) -> None:
    """Let this application answer sights for the node."""
    app.extensions[EXTENSION] = Sights(node.code, node.engine, node.clock, node.key)


@door.post("/sight")
def take() -> Response:
    """One sight."""
    sights = cast(Sights, current_app.extensions[EXTENSION])
    return Response(sights.answer(read_body(HELLO_BYTES_MAX)), mimetype=OCTETS)


def find_sight(conn: Connection, peer: str) -> Kept | None:
    """What the peer last said of its side, or None."""
    row = conn.execute(select(sight).where(sight.c.peer == peer)).first()
    return Kept(msgspec.json.decode(row.body, type=Sight), row.received_ms) if row else None


def _is_news(conn: Connection, said: Sight, now_ms: int) -> bool:
    """An older one sent again tells nothing; after a hello or a long silence the peer's clock was set back instead."""
    kept = conn.execute(select(sight.c.sent_ms, sight.c.received_ms).where(sight.c.peer == said.node)).first()
    if kept is None or said.sent_ms > kept.sent_ms or now_ms - kept.received_ms > SET_BACK_MS:
        return True
    opened = conn.execute(select(session.c.opened_ms).where(session.c.peer == said.node)).scalar()
    return opened is not None and opened > kept.received_ms


def _keep(conn: Connection, said: Sight, now_ms: int) -> None:
    row = {
        "peer": said.node,
        "sent_ms": said.sent_ms,
        "received_ms": now_ms,
        "body": msgspec.json.encode(said).decode(),
    }
    upsert(conn, sight, [row], update=["sent_ms", "received_ms", "body"])
    marks.note_call(conn, said.node, now_ms)
    conn.execute(session.update().where(session.c.peer == said.node).values(backlog=said.backlog))
    apart.keep(conn, said.node, apart.bounded(apart.measured(conn, said.node), said.sent_ms, now_ms, said.heard_ms))
