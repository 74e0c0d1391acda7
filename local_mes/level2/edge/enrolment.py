"""An edge enters its plant: a one-time token and a key come, the desk's key goes back. The plant's half.

One edge has one token at a time, kept as its hash in the desk's folder.
"""

from __future__ import annotations

import hashlib
from typing import cast

import msgspec
from flask import Blueprint, Response, current_app

from local_mes.level2.edge.errors import token_refused
from shared.db.engine import write
from shared.ids import secret_token
from shared.keys import fingerprint
from shared.node import Node
from shared.storage import sync_folder
from sync import peers
from sync.endpoint import OCTETS, read_body
from sync.limits import HEAD_BYTES_MAX, HELLO_BYTES_MAX, PROTOCOL
from sync.meeting import forget_visits
from sync.messages import ANY_HUB, ENROL, ENROLLED, Enrol, Enrolled
from sync.seal import open_self_signed, sign

FILE = "token.json"
HOURS = 48
HOUR_MS = 3_600_000
DESK, EDGE = "strandline.edge_desk", "strandline.edge_code"

door = Blueprint("edge_enrolment", __name__, url_prefix="/sync/v1")


class Token(msgspec.Struct, frozen=True):
    """What is kept of a token."""

    edge: str
    sha256: str
    expires_ms: int


def issue_token(desk: Node, edge: str) -> str:
    """A new token for the edge, good for 48 hours; an older one is void from now on."""
    token = secret_token()
    row = Token(edge, _hash(token), desk.clock.now_ms() + HOURS * HOUR_MS)
    (desk.settings.folder / FILE).write_bytes(msgspec.json.encode(row))
    return token


def enrol_edge(desk: Node, edge: str, raw: bytes) -> bytes:
    """Take the edge in and answer with the desk's key. Denied, Malformed, BadSeal.

    An edge whose disk is gone comes in the same way; it is told its earlier keys, to prove the history it takes back.
    """
    request = open_self_signed(raw, ENROL, Enrol, ANY_HUB, HEAD_BYTES_MAX)
    public, now, file = bytes.fromhex(request.public_key), desk.clock.now_ms(), desk.settings.folder / FILE
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Token)
    except (OSError, msgspec.DecodeError) as error:
        raise token_refused(request.node) from error
    if (
        (kept.edge, kept.sha256) != (request.node, _hash(request.token))
        or request.node != edge
        or now > kept.expires_ms
    ):
        raise token_refused(request.node)
    with write(desk.engine) as conn:
        peers.trust_peer(conn, edge, public, now)
        forget_visits(conn, edge)
        earlier = tuple(sorted(key.hex() for key in peers.keys_of(conn, edge).values() if key != public))
    # a crash before this leaves a token that lets in the same key once more
    file.unlink()
    sync_folder(file.parent)
    answer = Enrolled(
        proto=PROTOCOL,
        node=desk.code,
        audience=edge,
        sent_ms=now,
        nonce=request.nonce,
        public_key=desk.key.public.hex(),
        standards_root="",
        plant_fingerprint=fingerprint(public),
        earlier_keys=earlier,
    )
    return sign(desk.key, ENROLLED, answer)


@door.post("/enrol")
def enrol() -> Response:
    """The door of the plant's process."""
    desk, edge = cast(Node, current_app.extensions[DESK]), cast(str, current_app.extensions[EDGE])
    return Response(enrol_edge(desk, edge, read_body(HELLO_BYTES_MAX)), mimetype=OCTETS)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
