"""What may lie on a vehicle: custody, holds, the order's demands, weight. Pure; each refusal names its rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local_mes.transfers import load_errors
from local_mes.transfers.domain import ShipCandidate, find_refusal
from shared.errors import StrandlineError
from shared.transfers.plan_facts import LoadVehicle
from shared.units import G_PER_KG


@dataclass(frozen=True)
class LoadCandidate:
    """A piece somebody puts on a load: what decides whether it may leave, its mass (g), where else it lies."""

    piece: ShipCandidate
    mass_g: int
    order_grade: str = ""
    other_load: str = ""


def find_load_refusal(wanted: LoadCandidate) -> StrandlineError | None:
    """The rule that forbids loading the piece, whichever vehicle, or None."""
    piece = wanted.piece
    refusal = find_refusal(piece)
    if refusal is not None:
        return refusal
    if wanted.other_load:
        return load_errors.on_other_load(piece.number, wanted.other_load)
    if wanted.order_grade and piece.grade and wanted.order_grade != piece.grade:
        return load_errors.other_grade(piece.number, piece.grade, piece.order_item, wanted.order_grade)
    return None


def choose_vehicle(
    vehicles: Sequence[LoadVehicle], loaded: Mapping[str, int], wanted: LoadCandidate, named: str = ""
) -> str:
    """The vehicle that a piece goes on: the one named, else the first with room. Raises the refusal where there is none.

    loaded: code -> grams that lie on it, over all loads that share it.
    """
    codes = [vehicle.code for vehicle in vehicles]
    if named and named not in codes:
        raise load_errors.no_vehicle(named, codes)
    asked = [vehicle for vehicle in vehicles if named in ("", vehicle.code)]
    for vehicle in asked:
        if not vehicle.limit_g or 0 < wanted.mass_g <= vehicle.limit_g - loaded.get(vehicle.code, 0):
            return vehicle.code
    if not wanted.mass_g:
        raise load_errors.unweighed(wanted.piece.number)
    full = asked[-1]
    raise load_errors.over_limit(
        full.code,
        full.limit_g // G_PER_KG,
        loaded.get(full.code, 0) // G_PER_KG,
        wanted.piece.number,
        wanted.mass_g // G_PER_KG,
    )
