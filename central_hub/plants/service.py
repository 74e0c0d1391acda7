"""Taking plants into the group, and handing facts down to them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from central_hub.hub import Hub, downlink
from central_hub.plants.errors import BadPlantCode, TokenRefused
from central_hub.plants.tables import enrol_token, plant
from shared.db.engine import write
from shared.db.upsert import upsert
from shared.ids import secret_token
from shared.journal.journal import Work
from shared.keys import fingerprint
from sync import peers
from sync.limits import HEAD_BYTES_MAX, PROTOCOL
from sync.meeting import forget_visits
from sync.messages import ANY_HUB, ENROL, ENROLLED, Enrol, Enrolled
from sync.seal import open_self_signed, sign

CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}")
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class IssuedToken:
    """Shown once; only its hash is kept."""

    token: str
    expires_at_ms: int


def issue_token(hub: Hub, plant_code: str) -> IssuedToken:
    """A one-time token for this plant; older unused ones of the plant are void from now on."""
    if not CODE.fullmatch(plant_code) or plant_code == hub.code:
        raise BadPlantCode(plant_code)
    token, now = secret_token(), hub.clock.now_ms()
    expires = now + hub.settings.token_hours * HOUR_MS
    with write(hub.node.engine) as conn:
        conn.execute(
            update(enrol_token)
            .where(enrol_token.c.plant == plant_code, enrol_token.c.expires_at_ms > now)
            .values(expires_at_ms=now)
        )
        conn.execute(
            insert(enrol_token).values(
                token_hash=_hash(token), plant=plant_code, issued_at_ms=now, expires_at_ms=expires
            )
        )
    return IssuedToken(token, expires)


def enrol_plant(hub: Hub, raw: bytes, standards_root: str) -> bytes:
    """Take a plant in by its token and answer with the hub's key; TokenRefused, Malformed, BadSeal.

    A plant whose disk is gone is enrolled again the same way: its new key takes the place of the old. The token is the
    operator's approval, so the plant is told its earlier keys: with them it can prove the history that it takes back.
    """
    request = open_self_signed(raw, ENROL, Enrol, ANY_HUB, HEAD_BYTES_MAX)
    public, now = bytes.fromhex(request.public_key), hub.clock.now_ms()
    shown = fingerprint(public)
    with write(hub.node.engine) as conn:
        _use_token(conn, request, now)
        peers.trust_peer(conn, request.node, public, now)
        forget_visits(conn, request.node)  # who is the right installation has just been settled
        earlier = tuple(sorted(key.hex() for key in peers.keys_of(conn, request.node).values() if key != public))
        row = {"code": request.node, "name": request.name, "fingerprint": shown, "enrolled_at_ms": now}
        upsert(conn, plant, [row], update=["name", "fingerprint", "enrolled_at_ms"])
    answer = Enrolled(
        proto=PROTOCOL,
        node=hub.code,
        audience=request.node,
        sent_ms=now,
        nonce=request.nonce,
        public_key=hub.node.key.public.hex(),
        standards_root=standards_root,
        plant_fingerprint=shown,
        earlier_keys=earlier,
    )
    return sign(hub.node.key, ENROLLED, answer)


def relay(tx: Work, fact_id: str, to_plant: str) -> None:
    """Send a fact held here down to a plant, in its author's own bytes; doing it twice changes nothing."""
    tx.relay(fact_id, downlink(tx.journal.code, to_plant))


def relay_to_all(tx: Work, fact_id: str) -> None:
    """Send a fact down to every enrolled plant."""
    for code in tx.conn.execute(select(plant.c.code).order_by(plant.c.code)).scalars().all():
        relay(tx, fact_id, code)


def _use_token(conn: Connection, request: Enrol, now_ms: int) -> None:
    token = enrol_token.c
    used = conn.execute(
        update(enrol_token)
        .where(
            token.token_hash == _hash(request.token),
            token.plant == request.node,
            token.expires_at_ms > now_ms,
            token.used_at_ms.is_(None),
        )
        .values(used_at_ms=now_ms)
        .returning(token.plant)
    ).first()
    if used is None:
        raise TokenRefused


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
