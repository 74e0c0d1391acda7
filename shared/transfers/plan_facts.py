"""What is said of a load before it leaves: planned, loaded, announced, cancelled. Custody stays the sender's all the while."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact
from shared.transfers.facts import PieceData


class LoadVehicle(msgspec.Struct, frozen=True, kw_only=True):
    """A wagon, bay or truck and what it may carry, in grams; 0: no limit is known."""

    code: str
    limit_g: int = 0


class PlannedPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece that is meant to go with a load; mass as it was known then, in grams."""

    material_id: str
    number: str
    mass_g: int


@fact("ShipmentPlanned")
class ShipmentPlanned(Payload, frozen=True, kw_only=True):
    """A load is to leave; told again it replaces the plan. What lies on the vehicle is told by PieceLoaded."""

    shipment_id: str
    number: str
    to: str
    lane: str
    mode: str
    vehicle: str
    """Train or truck, as on the paper; loads that share it are one combination load."""
    vehicles: tuple[LoadVehicle, ...]
    pieces: tuple[PlannedPiece, ...] = ()
    eta_ms: int = 0
    """0: by the lane's usual time, once it leaves."""
    carrier: str = ""
    """Who drives it, by name or code."""


@fact("PieceLoaded")
class PieceLoaded(Payload, frozen=True, kw_only=True):
    """A piece lies on the vehicle; it has not left yet."""

    shipment_id: str
    material_id: str
    number: str
    vehicle: str
    """Code of one of the load's vehicles."""
    mass_g: int
    position: str = ""


@fact("PieceUnloaded")
class PieceUnloaded(Payload, frozen=True, kw_only=True):
    """A piece was taken off the vehicle again before it left, or off the plan."""

    shipment_id: str
    material_id: str
    reason: str


@fact("ShipmentAnnounced")
class ShipmentAnnounced(Payload, frozen=True, kw_only=True):
    """What is about to leave, told to its addressee before it does; no custody passes. The last one stands."""

    shipment_id: str
    number: str
    to: str
    vehicle: str
    eta_ms: int
    pieces: tuple[PieceData, ...]


@fact("ShipmentCancelled")
class ShipmentCancelled(Payload, frozen=True, kw_only=True):
    """A planned load does not leave. What left already is corrected as never having left, piece by piece."""

    shipment_id: str
    reason: str
