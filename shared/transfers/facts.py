"""Transfers between plants (transfers.md): each fact has one author; custody_no fences every change of custody."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from shared.journal.fact import Payload, fact
from shared.material.facts import Mass, NewMaterial, Size
from shared.material.way_facts import Way


class PieceData(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver must know of a piece: identity, numbers, size, mass, quality; travels with the departure."""

    material_id: str
    kind: str
    number: str
    """The number painted or printed on it, as the sender knows it."""
    aliases: tuple[str, ...] = ()
    grade: str = ""
    order_item: str = ""
    size: Size = Size()
    mass: Mass
    chemistry_e6: dict[str, int] = {}
    heats: dict[str, int] = {}
    """Heat number -> share in ppm."""
    quality: str = "free"
    """free | held | restricted"""
    holds: tuple[str, ...] = ()
    attributes: dict[str, str] = {}
    way: Way | UnsetType = UNSET
    """How it was made, up to its heats, where its sender knows; a passport has no room for it. Not written where it is
    not known: rows of before and of now are the same text."""


class ShipmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One piece on a vehicle. custody_no = the new number (n+1)."""

    piece: PieceData
    position: str = ""
    """Wagon or bay, e.g. 'W1'."""
    custody_no: int


@fact("MaterialShipped")
class MaterialShipped(Payload, frozen=True, kw_only=True):
    """A load left: custody passes to the carrier, on the sender's account."""

    shipment_id: str
    number: str
    to: str
    lane: str
    mode: str
    """rail | truck"""
    vehicle: str
    departed_at_ms: int
    eta_ms: int
    lines: tuple[ShipmentLine, ...]
    carrier: str = ""
    """Who drives it, by name or code; empty where nobody said."""


@fact("LoadArrived")
class LoadArrived(Payload, frozen=True, kw_only=True):
    """A vehicle is at the addressee's gate."""

    shipment_number: str
    shipment_id: str = ""
    arrived_at_ms: int
    from_plant: str = ""


@fact("MaterialReceived")
class MaterialReceived(Payload, frozen=True, kw_only=True):
    """A piece was taken in. shipment_id empty and provisional true when it was not (yet) announced.

    material is the receiver's own row: same material_id where known, else a provisional identity; own number first.
    """

    receipt_id: str
    shipment_id: str
    shipment_number: str
    from_plant: str
    custody_no: int
    provisional: bool
    printed_number: str
    material: NewMaterial
    sender_mass: Mass | None
    position: str = ""
    damage: str = ""


@fact("ReceiptMatched")
class ReceiptMatched(Payload, frozen=True, kw_only=True):
    """The receiver ties an earlier provisional receipt to the sender's line that arrived later."""

    receipt_id: str
    shipment_id: str
    material_id: str
    custody_no: int
    material: NewMaterial | None = None
    """The receiver's own row under the true identity, completed with what the sender's data says."""
    sender_mass: Mass | None = None
    provisional: bool = False
    """By the piece's passport alone, which came to light after it; the departure itself is still awaited, and
    shipment_id is empty until it is here."""


@fact("ReceiptClosed")
class ReceiptClosed(Payload, frozen=True, kw_only=True):
    """The receiver has unloaded everything there was; what is on the list and not here is short."""

    shipment_id: str
    shipment_number: str
    received: int
    short_ids: tuple[str, ...] = ()
    from_plant: str = ""


@fact("DepartureCorrected")
class DepartureCorrected(Payload, frozen=True, kw_only=True):
    """The sender's error declaration: a listed piece never left (did_not_occur) or an unlisted one did (late)."""

    shipment_id: str
    kind: str
    line: ShipmentLine
    note: str = ""


@fact("MaterialRefused")
class MaterialRefused(Payload, frozen=True, kw_only=True):
    """The addressee sent a piece away at the gate: it stays the carrier's, on its way back, on the sender's account."""

    shipment_id: str
    from_plant: str
    material_id: str
    custody_no: int
    """The departure's number."""
    printed_number: str
    reason: str


@fact("MaterialReturned")
class MaterialReturned(Payload, frozen=True, kw_only=True):
    """The sender has a piece back that had left: custody is its own again, under the next number (n+2)."""

    shipment_id: str
    material_id: str
    custody_no: int
    place: str
    note: str = ""


@fact("MaterialLost")
class MaterialLost(Payload, frozen=True, kw_only=True):
    """One side gives a piece up that is on its way; it is written off once both sides have said so."""

    shipment_id: str
    from_plant: str
    material_id: str
    custody_no: int
    note: str


@fact("QualityAmended")
class QualityAmended(Payload, frozen=True, kw_only=True):
    """The sender learned something of a piece after it left: what it says of the piece now, whole, and why."""

    shipment_id: str
    piece: PieceData
    reason: str


@fact("AmendmentTaken")
class AmendmentTaken(Payload, frozen=True, kw_only=True):
    """The receiver heard of an amendment. used: what is left of the piece, or what became of it, is in held."""

    amended_by: str
    """Fact id of the amendment."""
    shipment_id: str
    from_plant: str
    material_id: str
    used: bool
    held: tuple[str, ...] = ()
    """Material ids that are held here because of it."""
    reason: str


class Difference(msgspec.Struct, frozen=True):
    """One field of a certificate: what the sender's data says and what the paper at the gate says, as text."""

    field: str
    told: str
    found: str


@fact("CertificateCompared")
class CertificateCompared(Payload, frozen=True, kw_only=True):
    """The paper that came with a piece says something else than its sender's data."""

    receipt_id: str
    shipment_id: str
    from_plant: str
    material_id: str
    differences: tuple[Difference, ...]


@fact("PieceRebundled")
class PieceRebundled(Payload, frozen=True, kw_only=True):
    """A piece came in another bundle than it left in: packed anew on the way."""

    receipt_id: str
    shipment_id: str
    from_plant: str
    material_id: str
    bundle: str


@fact("CaseOpened")
class CaseOpened(Payload, frozen=True, kw_only=True):
    """The hub found a contradiction that people must look at. kind: mass | short | unannounced | double_receipt |
    wrong_plant | quality_mismatch | quality_changed | damage | found_again | genealogy_gap | number_reuse | contested |
    correction | identity | overdue; evidence = fact ids of both sides."""

    case_id: str
    kind: str
    shipment_id: str = ""
    material_id: str = ""
    plants: tuple[str, ...]
    summary: str
    evidence: tuple[str, ...] = ()
    values: dict[str, int] = {}
    shipment_number: str = ""
    piece_number: str = ""
    receipt_id: str = ""
    due_at_ms: int = 0
    """Until when it is to end by the group's own standard (the envelope names it); 0: by the table of its kind."""


@fact("CaseResolved")
class CaseResolved(Payload, frozen=True, kw_only=True):
    """A person ended a case, saying how."""

    case_id: str
    resolution: str
    note: str


@fact("AwaitingData")
class AwaitingData(Payload, frozen=True, kw_only=True):
    """An episode, not a case: receipts whose sender is known to be behind (open) or has caught up (closed)."""

    episode_id: str
    plant: str
    shipment_number: str
    lines: int
    closed: bool
    complete_to_ms: int
    receiver: str = ""


@fact("VehicleWeighed")
class VehicleWeighed(Payload, frozen=True, kw_only=True):
    """A vehicle was weighed loaded and empty, in either order: gross - tare = net, all in grams."""

    weighing_id: str
    ticket: str
    vehicle: str
    gross_g: int
    tare_g: int
    net_g: int
    gross_at_ms: int
    tare_at_ms: int
    scale: str
    shipment_number: str = ""
    """The load it carried, where one is known."""
    remark: str = ""
    """What speaks against the figures, such as a calibration that had expired."""


TYPES = (
    "MaterialShipped",
    "LoadArrived",
    "MaterialReceived",
    "ReceiptMatched",
    "ReceiptClosed",
    "DepartureCorrected",
    "MaterialRefused",
    "MaterialReturned",
    "MaterialLost",
)
"""What plants say of transfers: while one of these cannot be read, its author's silence proves nothing."""
