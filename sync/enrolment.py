"""Entering a group: the plant's half. A one-time token and a key go to the hub, the hub's key comes back.

Both ends show the other's fingerprint; two people compare them aloud. From then on only these keys count.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.db.engine import read, write
from shared.errors import Denied
from shared.ids import random_key
from shared.keys import fingerprint
from shared.node import Node
from sync.errors import Unreachable
from sync.limits import PROTOCOL
from sync.messages import ANY_HUB, ENROL, ENROLLED, Enrol, Enrolled
from sync.peers import keep_key, list_peers, trust_peer
from sync.seal import open_self_signed, sign
from sync.transport import Transport


@dataclass(frozen=True)
class Enrolment:
    """What two people compare: the hub's fingerprint as it came here, and this node's."""

    hub: str
    hub_fingerprint: str
    own_fingerprint: str
    standards_root: str


def enrol(node: Node, token: str, transport: Transport) -> Enrolment:
    """Show the token and this node's key to the hub and trust the key it answers with.

    Raises PeerHeld when the hub refuses the token, Unreachable when it does not answer, Denied for a second hub;
    then nothing was changed here.
    """
    request = make_request(node, token)
    return take_answer(node, request, transport.send("enrol", sign(node.key, ENROL, request)))


def make_request(node: Node, token: str) -> Enrol:
    """What the plant shows the hub."""
    return Enrol(
        proto=PROTOCOL,
        node=node.code,
        audience=ANY_HUB,
        sent_ms=node.clock.now_ms(),
        token=token,
        public_key=node.key.public.hex(),
        name=node.settings.name,
        nonce=random_key(),
    )


def open_answer(node: Node, request: Enrol, raw: bytes) -> Enrolled:
    """The hub's answer to this request, and whether it enrolled this node's key. Unreachable, Malformed, BadSeal."""
    answer = open_self_signed(raw, ENROLLED, Enrolled, node.code)
    if answer.nonce != request.nonce or answer.plant_fingerprint != fingerprint(node.key.public):
        raise Unreachable(
            "sync.foreign_answer", "The hub enrolled another key than ours: something on the way changed the request."
        )
    return answer


def take_answer(node: Node, request: Enrol, raw: bytes) -> Enrolment:
    """Trust the hub that answered. Raises as enrol does."""
    answer = open_answer(node, request, raw)
    public = bytes.fromhex(answer.public_key)
    _refuse_second_hub(node, answer.node)
    with write(node.engine) as conn:
        # the hub's operator let this plant in: what it was enrolled with before has signed history that is its own
        for earlier in answer.earlier_keys:
            keep_key(conn, node.code, bytes.fromhex(earlier), node.clock.now_ms())
        trust_peer(conn, answer.node, public, node.clock.now_ms(), answer.standards_root)
    return Enrolment(answer.node, fingerprint(public), fingerprint(node.key.public), answer.standards_root)


def _refuse_second_hub(node: Node, hub: str) -> None:
    with read(node.engine) as conn:
        others = [peer.code for peer in list_peers(conn) if peer.code != hub]
    if others:
        raise Denied(
            "sync.other_hub", f"{node.code} is enrolled at {others[0]}; {hub} answered.", todo="Check hub_url."
        )
