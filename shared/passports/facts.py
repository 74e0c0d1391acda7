"""What is said about passports: a plant issued them, a plant took a piece in by one, the hub lists the plants' keys."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact


class IssuedDocument(msgspec.Struct, frozen=True):
    """One passport: SHA-256 and base64 of its bytes; material_id empty: that of the load."""

    material_id: str
    digest: str
    body: str


class NotIssued(msgspec.Struct, frozen=True):
    """A piece that left without a passport, and why."""

    material_id: str
    reason: str


@fact("PassportIssued")
class PassportIssued(Payload, frozen=True, kw_only=True):
    """The sender issued passports for a load that left, or again for some of its pieces; they are good until expires_ms."""

    shipment_id: str
    shipment_number: str
    to: str
    key_id: str
    issued_ms: int
    expires_ms: int
    documents: tuple[IssuedDocument, ...]
    without: tuple[NotIssued, ...] = ()


@fact("PassportTaken")
class PassportTaken(Payload, frozen=True, kw_only=True):
    """The receiver took a piece in by a passport that it verified with what is on its disk.

    standing  good: the key is its plant's; revoked: it is revoked, so the piece waits for its ship fact
    body      base64 of the passport's bytes
    """

    receipt_id: str
    digest: str
    key_id: str
    sender: str
    shipment_id: str
    shipment_number: str
    material_id: str
    """As the passport says; the row's own is another one while it is not believed."""
    custody_no: int
    standing: str
    body: str


@fact("PlantKeysListed")
class PlantKeysListed(Payload, frozen=True, kw_only=True):
    """The hub's list of all plants' keys, signed with its online key (DSSE envelope as JSON text)."""

    version: int
    issued_ms: int
    envelope: str
