"""Signed links to one load: whoever holds the address may confirm that load, and nothing else.

The address carries the link's id and a signature of 128 bits over it by a key of this node. The signature is checked
before anything is read, so that guesses cost nothing; expiry and revocation are looked up at every request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from local_mes.dispatch.service import get_party
from local_mes.outside import errors
from local_mes.outside.domain import Said, Statement
from local_mes.outside.queries import find_link
from local_mes.outside.service import Outcome, take
from local_mes.outside.tables import load_link
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.ids import new_id, random_key
from shared.outside.queries import find_party
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_shipment
from shared.web.tables import web_secret

HOUR_MS = 3_600_000
HOURS_MAX = 24 * 30
"""A link lives at most a month: longer than any load is on its way."""
SIGNATURE_BYTES = 16
"""128 bits: 2 to the 64th tries would be needed for a chance worth naming."""
KEY_NAME = "load_links"


@dataclass(frozen=True)
class OpenLoad:
    """What the holder of a link sees: one load and its pieces."""

    link: Row[Any]
    load: Row[Any]
    lines: list[TransferLine]
    sender: str

    @property
    def to_confirm(self) -> list[TransferLine]:
        """Pieces of which nothing was said yet."""
        return [line for line in self.lines if line.receipt_id is None and line.closed_at_ms is None]


@dataclass(frozen=True)
class Found:
    """What the holder found of one piece; mass in grams, 0: not weighed."""

    material_id: str
    came: bool
    mass_g: int = 0
    damage: str = ""
    own_number: str = ""


def give_link(plant: Plant, shipment: str, hours: int, *, actor: str) -> str:
    """The secret part of the address, shown once. NotFound unless the load left here for an outside party."""
    with write(plant.node.engine) as conn:
        load = find_shipment(conn, shipment, sender=plant.code)
        if load is None or find_party(conn, plant.code, load.to_plant) is None:
            raise errors.no_load(shipment)
        party = get_party(conn, plant.code, load.to_plant)
        now_ms, link_id = plant.clock.now_ms(), new_id(plant.clock)
        row = {
            "link_id": link_id,
            "party": party.code,
            "shipment_id": load.shipment_id,
            "created_at_ms": now_ms,
            "created_by": actor,
            "expires_at_ms": now_ms + max(1, min(hours, HOURS_MAX)) * HOUR_MS,
            "revoked_at_ms": None,
            "opened_at_ms": None,
            "said_by": "",
        }
        conn.execute(insert(load_link).values(row))
        return _address_part(link_id, _new_key(conn))


def revoke_link(plant: Plant, link_id: str) -> None:
    """From now on the link opens nothing."""
    c = load_link.c
    with write(plant.node.engine) as conn:
        query = update(load_link).where(c.link_id == link_id, c.revoked_at_ms.is_(None))
        conn.execute(query.values(revoked_at_ms=plant.clock.now_ms()))


def is_signed(conn: Connection, text: str) -> str:
    """The link's id when the signature is ours, else empty; nothing else is looked at."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return ""
    link_id = raw[:-SIGNATURE_BYTES].hex()
    ours = len(raw) == 16 + SIGNATURE_BYTES and hmac.compare_digest(_signature(link_id, _key(conn)), raw[16:])
    # several texts decode to the same bytes: only the one that was given out counts
    return link_id if ours and _encode(raw) == text else ""


def open_load(conn: Connection, plant: Plant, link_id: str) -> OpenLoad:
    """The load of a link in force; one refusal for all others, so that nothing is learnt from it."""
    link = find_link(conn, link_id)
    now_ms = plant.clock.now_ms()
    if link is None or link.revoked_at_ms is not None or link.expires_at_ms <= now_ms:
        raise errors.no_such_link()
    party = find_party(conn, plant.code, link.party)
    load = find_shipment(conn, link.shipment_id, sender=plant.code)
    if party is None or party.ended or load is None:
        raise errors.no_such_link()
    lines = find_lines(conn, LineFilter(sender=plant.code, shipment_id=link.shipment_id))
    standing = [line for line in lines if not line.withdrawn and line.returned_at_ms is None]
    standing.sort(key=lambda line: (line.position, line.number))
    return OpenLoad(link, load, standing, plant.model.plant.name)


def note_opened(plant: Plant, link_id: str) -> None:
    """When the link was first used, so that whoever gave it knows that it arrived."""
    c = load_link.c
    with write(plant.node.engine) as conn:
        query = update(load_link).where(c.link_id == link_id, c.opened_at_ms.is_(None))
        conn.execute(query.values(opened_at_ms=plant.clock.now_ms()))


def confirm(plant: Plant, link_id: str, found: list[Found], said_by: str) -> list[Outcome]:
    """What the holder says of pieces of the link's own load; anything else in `found` is passed over.

    Of a piece that was spoken of before nothing is said again: a form sent twice changes nothing.
    """
    with read(plant.node.engine) as conn:
        seen = open_load(conn, plant, link_id)
    lines = {line.material_id: line for line in seen.to_confirm}
    at_ms = plant.clock.now_ms()
    outcomes = []
    for one in found:
        line = lines.get(one.material_id)
        if line is not None:
            outcomes.append(take(plant, seen.link.party, _statement(link_id, line, one, at_ms), "link"))
    if said_by:
        with write(plant.node.engine) as conn:
            conn.execute(update(load_link).where(load_link.c.link_id == link_id).values(said_by=said_by))
    return outcomes


def _statement(link_id: str, line: TransferLine, one: Found, at_ms: int) -> Statement:
    said = Said(
        piece=line.material_id,
        own_number=one.own_number,
        mass_g=one.mass_g,
        damage=one.damage,
        note="" if one.came else "said on the web link",
    )
    return Statement(
        event_id=f"link:{link_id}:{line.material_id}",
        kind="received" if one.came else "missed",
        at_ms=at_ms,
        pieces=(said,),
        load=line.shipment_id,
    )


def _address_part(link_id: str, key: bytes) -> str:
    return _encode(bytes.fromhex(link_id) + _signature(link_id, key))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signature(link_id: str, key: bytes) -> bytes:
    return hmac.new(key, f"load-link:{link_id}".encode(), hashlib.sha256).digest()[:SIGNATURE_BYTES]


def _key(conn: Connection) -> bytes:
    """The key of this node's links; a random one, which has signed nothing, before the first link was given."""
    secret = conn.execute(select(web_secret.c.secret).where(web_secret.c.name == KEY_NAME)).scalar()
    return bytes.fromhex(secret or random_key())


def _new_key(conn: Connection) -> bytes:
    """The same, made with the first link."""
    upsert(conn, web_secret, [{"name": KEY_NAME, "secret": random_key() + random_key()}])
    return _key(conn)
