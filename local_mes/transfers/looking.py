"""What a person sees of a piece at the gate besides its number and mass: damage, another paper, another bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_mes.plant import Plant
from local_mes.transfers.checking import ACTOR
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.quality.facts import HoldPlaced
from shared.transfers.facts import CertificateCompared, Difference, MaterialReceived, PieceData, PieceRebundled
from shared.transfers.words import describe

DAMAGE_RULE = "T-DAMAGE"
PAPER_RULE = "T-PAPER"


@dataclass(frozen=True)
class Arrived:
    """A receipt just recorded, what its sender says, and what came with the piece."""

    receipt: MaterialReceived
    piece: PieceData
    certificate: Mapping[str, str]
    bundle: str
    at_ms: int


def look_closer(plant: Plant, tx: Work, arrived: Arrived) -> None:
    """Hold what is damaged or comes with another paper, and note the bundle it came in."""
    receipt = arrived.receipt
    hold_damaged(plant, tx, receipt.receipt_id, receipt.material.material_id, receipt.damage, arrived.at_ms)
    _compare_paper(plant, tx, arrived)
    if arrived.bundle:
        _note_bundle(tx, arrived)


def hold_damaged(plant: Plant, tx: Work, receipt_id: str, material_id: str, damage: str, at_ms: int) -> None:
    """Row 22: received, and held until somebody has decided what it still serves for. Without damage nothing."""
    if damage:
        _hold(plant, tx, (receipt_id, material_id), at_ms, DAMAGE_RULE, f"damaged on the way: {damage}")


def damage_hold(plant: Plant, receipt_id: str, at_ms: int) -> str:
    """The hold that a damaged piece gets, always the same; at_ms: when it was received."""
    return derived_id(at_ms, plant.code, DAMAGE_RULE, receipt_id)


def hold_for_paper(plant: Plant, tx: Work, receipt_id: str, material_id: str, differences: str, at_ms: int) -> None:
    """Held until somebody has decided which is right, the paper or the data; differences: in words."""
    reason = f"its paper differs from the data: {differences}"
    _hold(plant, tx, (receipt_id, material_id), at_ms, PAPER_RULE, reason)


def paper_hold(plant: Plant, receipt_id: str, at_ms: int) -> str:
    """The hold that a piece with another paper gets, always the same; at_ms: when it was received."""
    return derived_id(at_ms, plant.code, PAPER_RULE, receipt_id)


def compare_certificate(piece: PieceData, certificate: Mapping[str, str]) -> tuple[Difference, ...]:
    """Fields of a paper that say something else than the data; what the sender did not tell differs too."""
    told = {name: str(value) for name, value in piece.chemistry_e6.items()} | {"grade": piece.grade}
    return tuple(
        Difference(name, told.get(name, "nothing"), found)
        for name, found in sorted(certificate.items())
        if told.get(name) != found
    )


def _compare_paper(plant: Plant, tx: Work, arrived: Arrived) -> None:
    differences = compare_certificate(arrived.piece, arrived.certificate)
    if not differences:
        return
    receipt = arrived.receipt
    compared = CertificateCompared(
        receipt_id=receipt.receipt_id,
        shipment_id=receipt.shipment_id,
        from_plant=receipt.from_plant,
        material_id=receipt.material.material_id,
        differences=differences,
    )
    tx.record(Draft(compared, _subjects(receipt), ACTOR, Occurred(arrived.at_ms, ACTOR)))
    material_id = receipt.material.material_id
    hold_for_paper(plant, tx, receipt.receipt_id, material_id, describe(compared), arrived.at_ms)


def _note_bundle(tx: Work, arrived: Arrived) -> None:
    receipt = arrived.receipt
    bundled = PieceRebundled(
        receipt_id=receipt.receipt_id,
        shipment_id=receipt.shipment_id,
        from_plant=receipt.from_plant,
        material_id=receipt.material.material_id,
        bundle=arrived.bundle,
    )
    tx.record(Draft(bundled, _subjects(receipt), ACTOR, Occurred(arrived.at_ms, ACTOR)))


def _hold(plant: Plant, tx: Work, came: tuple[str, str], at_ms: int, rule: str, reason: str) -> None:
    receipt_id, material_id = came
    hold_id = derived_id(at_ms, plant.code, rule, receipt_id)
    hold = HoldPlaced(hold_id=hold_id, material_id=material_id, reason=reason, rule_id=rule)
    tx.record(Draft(hold, (material_id, hold_id), ACTOR, Occurred(at_ms, ACTOR)))


def _subjects(receipt: MaterialReceived) -> tuple[str, ...]:
    return tuple(i for i in (receipt.material.material_id, receipt.receipt_id, receipt.shipment_id) if i)
