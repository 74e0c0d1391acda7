"""What is said at a plant's gate beside sending and taking in: diversions, pictures of damage, our own routes, labels that
were swapped; and what the hub tells a sender of receipts."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact


@fact("ShipmentDiverted")
class ShipmentDiverted(Payload, frozen=True, kw_only=True):
    """A piece on its way goes to another addressee: the line it left with ends, a new load's line goes on.

    custody_no: the number it left under; the new load carries the next one.
    """

    shipment_id: str
    material_id: str
    custody_no: int
    to: str
    new_shipment_id: str
    new_number: str
    note: str


@fact("DamagePictured")
class DamagePictured(Payload, frozen=True, kw_only=True):
    """A picture of a piece at its receipt. It is kept at the plant that took it, under its SHA-256."""

    receipt_id: str
    shipment_id: str
    from_plant: str
    material_id: str
    sha256: str
    media: str
    size_bytes: int


@fact("PieceRouted")
class PieceRouted(Payload, frozen=True, kw_only=True):
    """A person sends a piece that came from elsewhere over another route of the receiver's than its receipt said."""

    receipt_id: str
    shipment_id: str
    from_plant: str
    material_id: str
    route: str
    reason: str


class SwappedReceipt(msgspec.Struct, frozen=True):
    """A receipt and the piece that it is truly of, with the mass its sender told of that piece."""

    receipt_id: str
    material_id: str
    custody_no: int
    sender_g: int
    sender_basis: str


@fact("ReceiptsSwapped")
class ReceiptsSwapped(Payload, frozen=True, kw_only=True):
    """Two pieces of a load bore each other's label when they were taken in: each receipt is the other piece's.

    What stands where, what was weighed and the receiver's own label go with the steel (IdentityResolved beside it).
    """

    shipment_id: str
    from_plant: str
    material_id: str
    """The first one's piece, as it was booked before."""
    receipts: tuple[SwappedReceipt, ...]
    evidence: str
    case_id: str = ""


class ToldReceipt(msgspec.Struct, frozen=True):
    """A piece of a load, and who took it in as what (ms)."""

    shipment_id: str
    material_id: str
    receipt_id: str
    receiver: str
    own_number: str
    custody_no: int
    received_at_ms: int


@fact("ReceiptsTold")
class ReceiptsTold(Payload, frozen=True, kw_only=True):
    """The hub tells a sender which of its pieces were taken in: from then on they are not its own any more, as it knows."""

    plant: str
    """The sender."""
    receipts: tuple[ToldReceipt, ...]
