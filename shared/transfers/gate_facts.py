"""What is said at a plant's gate beside sending and taking in: diversions, pictures of damage, our own routes."""

from __future__ import annotations

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
