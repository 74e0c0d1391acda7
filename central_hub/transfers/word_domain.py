"""What follows from words beside sending and taking in (transfers.md, rows 14, 15, 22, 24, 27, 28): pure rules.

All but the gap rest on facts that are there: nothing has to be waited for. A gap is an absence, judged behind watermarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from central_hub.transfers.domain import IN_ORDER, PENDING, Contradiction, KnownLine, KnownReceipt, Sight, Verdict


@dataclass(frozen=True)
class Said:
    """A word about a line by one side. Times in ms."""

    fact_id: str
    author: str
    note: str
    recorded_at_ms: int


def judge_found_again(line: KnownLine, losses: Sequence[Said], receipt: KnownReceipt) -> Contradiction | None:
    """Row 28: both sides gave it up, and it was taken in. The receipt counts; the loss is taken back in the balance."""
    if {said.author for said in losses} < {line.sender, line.receiver}:
        return None
    at_ms = max(receipt.recorded_at_ms, *(said.recorded_at_ms for said in losses))
    return _about(
        "found_again",
        at_ms,
        line,
        f"{line.number} of {line.shipment_number} was written off by {line.sender} and {line.receiver}; "
        f"{receipt.receiver} has taken it in as {receipt.own_number}.",
        (*(said.fact_id for said in losses), receipt.fact_id),
        receipt,
    )


def judge_back_and_received(line: KnownLine, back: Said, receipt: KnownReceipt) -> Contradiction:
    """Its sender says that it is back, and the addressee has taken it in: it would live in two plants' books."""
    at_ms = max(receipt.recorded_at_ms, receipt.matched_at_ms, back.recorded_at_ms)
    what = (
        f"{line.number} of {line.shipment_number}: {line.sender} says that it is back there; {receipt.receiver} has "
        f"taken it in as {receipt.own_number}."
    )
    return _about("contested", at_ms, line, what, (back.fact_id, receipt.fact_id), receipt)


def judge_diverted_and_received(line: KnownLine, diverted: Said, receipt: KnownReceipt) -> Contradiction:
    """Its sender sent it on elsewhere, and its first addressee has taken it in: the receipt counts until people looked.

    What ends it: the sender declares that it never went on with the new load, and the first departure stands again.
    """
    at_ms = max(receipt.recorded_at_ms, receipt.matched_at_ms, diverted.recorded_at_ms)
    what = (
        f"{line.number} of {line.shipment_number}: {line.sender} says that it was sent on to another plant; "
        f"{receipt.receiver} has taken it in as {receipt.own_number}."
    )
    return _about("contested", at_ms, line, what, (diverted.fact_id, receipt.fact_id), receipt)


def judge_paper(line: KnownLine, said: Said) -> Contradiction:
    """Row 14: the paper at the gate says something else than the sender's data."""
    what = f"{line.number}: the paper that came with it says something else than {line.sender}'s data. {said.note}."
    return _about("quality_mismatch", said.recorded_at_ms, line, what, (line.fact_id, said.fact_id))


def judge_used(line: KnownLine, said: Said, amended_by: str) -> Contradiction:
    """Row 15: it had been used when its sender changed what it says of it; what was made of it is held."""
    what = f"{line.sender} changed what it says of {line.number}: {said.note}. {line.receiver} had used it already."
    return _about("quality_changed", said.recorded_at_ms, line, what, (amended_by, said.fact_id))


def judge_damage(line: KnownLine | None, receipt: KnownReceipt) -> Contradiction | None:
    """Row 22: received damaged: a claim, whoever pays it."""
    if not receipt.damage or line is None:
        return None
    at_ms = max(receipt.recorded_at_ms, receipt.matched_at_ms)
    what = (
        f"{line.number} came to {receipt.receiver} damaged: {receipt.damage}. It is held there as {receipt.own_number}."
    )
    return _about("damage", at_ms, line, what, (line.fact_id, receipt.fact_id), receipt)


def judge_gap(line: KnownLine, receipt: KnownReceipt, unknown: Sequence[str], sight: Sight) -> Verdict:
    """Row 24: of the piece, or of what it was made from, nobody has told. unknown: material ids without any row.

    Whose fact is missing nobody knows, so every plant's silence counts.
    """
    if not unknown:
        return IN_ORDER
    at_ms = max(receipt.recorded_at_ms, receipt.matched_at_ms) + sight.margin(receipt.receiver, line.sender)
    if not all(sight.sees(plant, at_ms) for plant in sight.through):
        return PENDING
    what = (
        f"{line.number} came from {line.sender} with {line.shipment_number}, and nobody has told what "
        f"{len(unknown)} of the pieces it comes from are: its origin cannot be shown."
    )
    return Verdict(False, _about("genealogy_gap", at_ms, line, what, (line.fact_id, receipt.fact_id), receipt))


def judge_undeparted(receipt: KnownReceipt, sight: Sight) -> Verdict:
    """Row 26: a receipt of a departure that its sender has lost in a restore, before the hub or after it: the piece would
    live in two plants' books. Absence of a fact, so judged behind the sender's watermark."""
    at_ms = max(receipt.recorded_at_ms, receipt.matched_at_ms) + sight.margin(receipt.receiver, receipt.from_plant)
    if not (sight.sees(receipt.receiver, at_ms) and sight.sees(receipt.from_plant, at_ms)):
        return PENDING
    what = (
        f"{receipt.printed_number} was taken in at {receipt.receiver} as {receipt.own_number} from {receipt.shipment_number} "
        f"({receipt.mass_g / 1000:,.0f} kg); {receipt.from_plant} does not have that departure any more."
    )
    found = Contradiction(
        "unannounced",
        at_ms,
        (receipt.receiver, receipt.receipt_id),
        (receipt.from_plant, receipt.receiver),
        what,
        "",
        receipt.shipment_number,
        receipt.material_id,
        receipt.printed_number,
        receipt.receipt_id,
        (receipt.fact_id,),
        {"receiver_g": receipt.mass_g},
    )
    return Verdict(False, found)


def judge_reuse(
    author: str, number: str, first: tuple[str, int], second: tuple[str, int], evidence: str
) -> Contradiction:
    """Row 27: two pieces (material id, ms of its number) of one plant bear one number since a restore of it."""
    return Contradiction(
        "number_reuse",
        second[1],
        (author, number, first[0], second[0]),
        (author,),
        f"{author} gave the number {number} to two pieces after it was put back to a backup. The second one gets "
        "another number; its label has to be changed.",
        material_id=second[0],
        piece_number=number,
        evidence=(evidence,),
    )


def _about(
    kind: str,
    at_ms: int,
    line: KnownLine,
    summary: str,
    evidence: tuple[str, ...],
    receipt: KnownReceipt | None = None,
) -> Contradiction:
    values = {"sender_g": line.mass_g} | ({"receiver_g": receipt.mass_g} if receipt is not None else {})
    return Contradiction(
        kind,
        at_ms,
        (line.sender, line.shipment_id, line.material_id),
        (line.sender, line.receiver),
        summary,
        line.shipment_id,
        line.shipment_number,
        line.material_id,
        line.number,
        receipt.receipt_id if receipt is not None else "",
        evidence,
        values,
    )
