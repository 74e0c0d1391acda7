"""What a load is allowed to carry and how shares of heats add up: pure decisions of the sender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local_mes.transfers import errors
from shared.errors import StrandlineError
from shared.transfers.told import taken_elsewhere
from shared.units import share_out

PIECE_KINDS = ("slab", "coil", "slit", "pack")
PPM = 1_000_000


@dataclass(frozen=True)
class ShipCandidate:
    """A piece somebody wants to put on a load: its state in this plant's books and what binds it."""

    number: str
    kind: str
    state: str
    order_item: str
    grade: str
    product: str
    holds: tuple[str, ...] = ()
    only_for: str = ""
    taken_by: tuple[str, str] = ("", "")
    """Another plant that says that it took the piece in, and its number there."""


def find_refusal(piece: ShipCandidate) -> StrandlineError | None:
    """The rule that forbids shipping this piece by command, or None."""
    if piece.kind not in PIECE_KINDS:
        return errors.not_a_piece(piece.number, piece.kind)
    if piece.state != "live":
        return errors.not_live(piece.number, piece.state)
    if piece.taken_by[0]:
        return taken_elsewhere(piece.number, *piece.taken_by)
    if piece.holds:
        return errors.held(piece.number, piece.holds[0])
    if piece.only_for and not serves(piece.only_for, piece):
        return errors.restricted(piece.number, piece.only_for, piece.order_item)
    return None


def serves(only_for: str, piece: ShipCandidate) -> bool:
    """Whether a piece's order is the use it was released for: named by order item, by grade or by product."""
    return only_for in (piece.order_item, piece.grade) or only_for in piece.product.split()


def mix_heats(parts: Sequence[tuple[int, Mapping[str, int]]]) -> dict[str, int]:
    """Heats of a piece from its parents: (weight, heat -> ppm) each; the result adds up to a million."""
    weights: dict[str, int] = {}
    for weight, heats in parts:
        for heat, ppm in heats.items():
            weights[heat] = weights.get(heat, 0) + weight * ppm
    names = sorted(name for name, weight in weights.items() if weight > 0)
    if not names:
        return {}
    return dict(zip(names, share_out(PPM, [weights[name] for name in names]), strict=True))


def main_heat(heats: Mapping[str, int]) -> str:
    """The heat with the largest share."""
    return max(heats, key=lambda name: (heats[name], name), default="")
