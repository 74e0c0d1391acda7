"""Whether a passport holds, with nothing but what is on disk: bytes, keys and time in, a passport or a refusal out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.clock import to_datetime
from shared.passports import errors
from shared.passports.coding import from_text
from shared.passports.document import WIRE_BYTES_MAX, LoadBody, PieceBody, Wire, digest, open_body, split
from shared.passports.keys import LIST_GOOD_MS, KeyList, PlantKey

Standing = Literal["good", "revoked"]


@dataclass(frozen=True)
class Passport:
    """One that holds. standing revoked: its key is, and only its plant's journal can show that it is older than that."""

    body: PieceBody | LoadBody
    digest: str
    key_id: str
    standing: Standing
    wire: bytes

    @property
    def piece(self) -> PieceBody:
        """What it says of its piece. Refused for the passport of a load."""
        if not isinstance(self.body, PieceBody):
            raise errors.not_a_piece()
        return self.body


def read_passport(text: str, keys: KeyList | None, here: str, now_ms: int) -> Passport:
    """A passport that holds at this plant now; Refused and BadInput say why not."""
    passport = check_signature(from_text(text, WIRE_BYTES_MAX), keys)
    shipped, number = passport.body.shipped, _name(passport.body)
    if shipped.addressee != here:
        raise errors.for_another(number, shipped.addressee, here)
    floor_ms = keys.issued_ms if keys is not None else 0
    if max(now_ms, floor_ms) > shipped.expires_ms:  # a clock that fell back makes nothing younger
        raise errors.expired(number, _date(shipped.expires_ms))
    if max(now_ms, shipped.issued_ms) > floor_ms + LIST_GOOD_MS:
        raise errors.old_list(number, _date(floor_ms))
    return passport


def check_signature(wire: bytes, keys: KeyList | None) -> Passport:
    """A passport that a plant of the group signed, whoever it is for."""
    try:
        parts = split(wire)
    except ValueError as error:
        raise errors.unreadable(str(error)) from error
    key = keys.find(parts.key_id) if keys is not None else None
    if key is None:
        raise errors.unknown_key(parts.key_id, _date(keys.issued_ms) if keys is not None else "never")
    if not _verifies(parts, key):
        raise errors.altered(key.plant)
    try:
        body = open_body(parts)
    except ValueError as error:
        raise errors.unreadable(str(error)) from error
    if body.shipped.sender != key.plant:
        raise errors.not_its_key(body.shipped.sender, key.plant)
    return Passport(body, digest(wire), parts.key_id, _standing(body, parts.key_id, key), wire)


def is_disowned(revoked: PlantKey, epoch: str, seq: int) -> bool:
    """Whether an entry of a plant's stream lies at or behind the point from which this key of it is revoked."""
    return revoked.revoked is not None and revoked.revoked.epoch in ("", epoch) and seq >= revoked.revoked.seq


def _standing(body: PieceBody | LoadBody, keyid: str, key: PlantKey) -> Standing:
    if key.revoked is None:
        return "good"
    if is_disowned(key, body.shipped.epoch.hex(), body.shipped.seq):
        raise errors.revoked_after(_name(body), keyid, body.shipped.seq, key.revoked.seq)
    return "revoked"


def _verifies(parts: Wire, key: PlantKey) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public)).verify(parts.signature, parts.message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _name(body: PieceBody | LoadBody) -> str:
    return body.number if isinstance(body, PieceBody) else body.shipped.number


def _date(ms: int) -> str:
    return to_datetime(ms).date().isoformat()
