"""Two pieces of a load bore each other's label when they were taken in: the receiver says so, and each gets its own again.

What stands where, what a scale said here and our own labels go with the steel; grade, heat, chemistry, holds and order stay
with the piece that they were told of. Both receipts stand, each of the other piece. The sender is told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from local_mes.cases import errors
from local_mes.cases.service import check_here
from local_mes.plant import Plant
from local_mes.production.exchange import Exchange, exchange
from local_mes.production.person import Command, carry_out
from local_mes.quality.service import Deed
from local_mes.transfers.checking import check_mass
from shared.material.facts import Mass
from shared.transfers.case_queries import find_case
from shared.transfers.gate_facts import ReceiptsSwapped, SwappedReceipt
from shared.transfers.queries import find_receipt, find_receipts, get_piece
from shared.transfers.words import find_words


@dataclass(frozen=True)
class Swap:
    """Two receipts of one load, by id or by our number; evidence: how it is known; case_id where one led to it."""

    first: str
    second: str
    evidence: str
    case_id: str = ""


def swap(plant: Plant, command: Command, asked: Swap) -> dict[str, Any]:
    """Exchange the two. Done once for a command id; the same two are exchanged once."""

    def decide(deed: Deed) -> dict[str, Any]:
        if not asked.evidence.strip():
            raise errors.no_evidence()
        one, other = (_receipt(deed, wanted) for wanted in (asked.first, asked.second))
        _check(one, other)
        _check_first_time(deed, one, other)
        if asked.case_id:
            _check_case(deed, asked.case_id, one, other)
        pair = Exchange(
            pieces=(one.material_id, other.material_id),
            numbers=(one.own_number, other.own_number),
            since_ms=min(one.received_at_ms, other.received_at_ms),
            place=one.place,
            evidence=asked.evidence.strip(),
        )
        exchange(deed, pair)
        fact = ReceiptsSwapped(
            shipment_id=one.shipment_id,
            from_plant=one.from_plant,
            material_id=one.material_id,
            receipts=(_as_of(one, other), _as_of(other, one)),
            evidence=pair.evidence,
            case_id=asked.case_id,
        )
        ids = (one.material_id, other.material_id, one.receipt_id, other.receipt_id, one.shipment_id)
        deed.record(fact, ids)
        for came, truly in ((one, other), (other, one)):
            _compare(deed, came, truly)
        return {"numbers": list(pair.numbers), "material_ids": [other.material_id, one.material_id]}

    return carry_out(plant, command, decide)


def _receipt(deed: Deed, wanted: str) -> Row[Any]:
    here = deed.plant.code
    row = find_receipt(deed.conn, wanted)
    if row is None:
        found = find_receipts(deed.conn, receiver=here, q=wanted, limit=50)
        row = next((one for one in found if wanted in (one.own_number, one.printed_number)), None)
    if row is None or row.author != here:
        raise errors.unknown_receipt(wanted)
    return row


def _check(one: Row[Any], other: Row[Any]) -> None:
    if one.provisional or other.provisional:
        raise errors.not_swappable("One of them waits for its sender's data.", "Tie it to its line first.")
    if one.shipment_id != other.shipment_id or one.material_id == other.material_id:
        raise errors.not_swappable(
            "They did not come with one load as two pieces.", "Name the other piece of the load."
        )


def _check_first_time(deed: Deed, one: Row[Any], other: Row[Any]) -> None:
    """Refuse what was said of the two already, from the other one's case say: it would put the labels back."""
    for word in find_words(deed.conn, "swapped", shipment_id=one.shipment_id, author=deed.plant.code):
        if {told["receipt_id"] for told in json.loads(word.detail)} == {one.receipt_id, other.receipt_id}:
            raise errors.swapped_already(one.own_number, other.own_number)


def _check_case(deed: Deed, case_id: str, one: Row[Any], other: Row[Any]) -> None:
    case = check_here(find_case(deed.conn, case_id), deed.plant.code, case_id)
    about = {one.material_id, other.material_id, one.receipt_id, other.receipt_id}
    if not about & {case.material_id, case.receipt_id}:
        raise errors.not_swappable("The case that is named is about neither of them.", "Name theirs, or none.")


def _as_of(came: Row[Any], truly: Row[Any]) -> SwappedReceipt:
    """A receipt, and the piece that it is of: the sender's word of a piece goes with the piece."""
    sender_g, basis = truly.sender_mass_g or 0, truly.sender_mass_basis or ""
    return SwappedReceipt(came.receipt_id, truly.material_id, truly.custody_no, sender_g, basis)


def _compare(deed: Deed, came: Row[Any], truly: Row[Any]) -> None:
    """The masses of the two sides anew: they fit crosswise, or this was no swap."""
    told = get_piece(deed.conn, truly.from_plant, truly.shipment_id, truly.material_id)
    found = Mass(came.mass_g, came.mass_basis, came.scale, came.received_at_ms)
    at_ms = deed.occurred.at_ms
    check_mass(deed.plant, deed.tx, truly.from_plant, truly.material_id, told.mass, found, at_ms)
