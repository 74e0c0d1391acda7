"""What must be there before a piece leaves the group: the order's demands against what is known of it; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from local_mes.transfers.domain import PIECE_KINDS, ShipCandidate, serves
from shared.outside.facts import CUSTOMER
from shared.outside.queries import Terms

NOBODY = ("", "stock")
STATES = {
    "shipped": "it has left already",
    "consumed": "it was used up",
    "scrapped": "it was scrapped",
    "identified": "it was found to be another piece",
    "packed": "it is inside a pack: list the pack",
    "opened": "this pack was taken apart",
}


@dataclass(frozen=True)
class DispatchCandidate:
    """A piece somebody wants to send out of the group, and what is known of it.

    customer: of its order, empty where the order is not released here; certificate: the number given for it.
    passed: quality rules whose last decision on it or on what it was made from is a pass.
    """

    piece: ShipCandidate
    party_kind: str
    party_name: str
    customer: str
    terms: Terms
    mass_basis: str
    theoretical_g: int
    has_analysis: bool
    certificate: str = ""
    passed: Collection[str] = ()


def find_missing(wanted: DispatchCandidate) -> tuple[str, ...]:
    """Everything that speaks against the piece leaving, each in one phrase; none: it may go."""
    found = [*_custody(wanted.piece), *_quality(wanted.piece)]
    if wanted.party_kind == CUSTOMER:
        found += [*_order(wanted), *_mass(wanted), *_papers(wanted), *_packing(wanted)]
    return tuple(found)


def _custody(piece: ShipCandidate) -> list[str]:
    if piece.state != "live":
        return [STATES.get(piece.state, f"it is {piece.state}")]
    return [] if piece.kind in PIECE_KINDS else [f"a {piece.kind} is no unit of delivery"]


def _quality(piece: ShipCandidate) -> list[str]:
    found = [f"held: {reason}" for reason in dict.fromkeys(piece.holds)]
    if piece.only_for and not serves(piece.only_for, piece):
        found.append(f"released only for {piece.only_for}")
    return found


def _order(wanted: DispatchCandidate) -> list[str]:
    item = wanted.piece.order_item
    if item in NOBODY:
        return ["no order item: it is stock"]
    if not wanted.customer:
        return [f"order item {item} is not released here"]
    if wanted.customer != wanted.party_name:
        return [f"order item {item} is of {wanted.customer}, not of {wanted.party_name}"]
    return []


def _mass(wanted: DispatchCandidate) -> list[str]:
    basis = wanted.terms.mass_basis
    if basis == "weighed" and wanted.mass_basis != "weighed":
        return [f"no weighed mass: what is known is {wanted.mass_basis}"]
    if basis == "theoretical" and not wanted.theoretical_g:
        return ["no theoretical mass: its dimensions are not all known"]
    return []


def _papers(wanted: DispatchCandidate) -> list[str]:
    found = []
    if wanted.terms.certificate:
        if not wanted.certificate:
            found.append(f"no certificate {wanted.terms.certificate}")
        if not wanted.has_analysis:
            found.append("no analysis of its heat")
    return found + [f"no pass of {rule}" for rule in wanted.terms.rules if rule not in wanted.passed]


def _packing(wanted: DispatchCandidate) -> list[str]:
    return ["not packed"] if wanted.terms.packed and wanted.piece.kind != "pack" else []
