"""Row 19 of transfers.md, pure: a departure that its sender denies, and a receipt of the piece all the same."""

from __future__ import annotations

from dataclasses import dataclass

from central_hub.transfers.domain import IN_ORDER, PENDING, Contradiction, KnownLine, KnownReceipt, Sight, Verdict


@dataclass(frozen=True)
class Denial:
    """The sender's word that a listed piece never left, and when it said that it did after all."""

    fact_id: str
    recorded_at_ms: int
    taken_back_ms: tuple[int, ...] = ()


def judge_denied(line: KnownLine, denial: Denial, receipt: KnownReceipt, sight: Sight) -> Verdict:
    """Row 19: the sender says that it never left, and yet it was taken in: it would live in two plants' books."""
    at_ms = max(denial.recorded_at_ms, receipt.recorded_at_ms, receipt.matched_at_ms)
    if not sight.sees(line.sender, at_ms):
        return PENDING
    if any(denial.recorded_at_ms < taken_back <= at_ms for taken_back in denial.taken_back_ms):
        return IN_ORDER
    return Verdict(
        False,
        Contradiction(
            "contested",
            at_ms,
            (line.sender, line.shipment_id, line.material_id),
            (line.sender, line.receiver),
            f"{line.number}: {line.sender} declared that it never left with {line.shipment_number}; {line.receiver} "
            f"has taken it in as {receipt.own_number}.",
            line.shipment_id,
            line.shipment_number,
            line.material_id,
            line.number,
            receipt.receipt_id,
            (line.fact_id, denial.fact_id, receipt.fact_id),
            {"sender_g": line.mass_g, "receiver_g": receipt.mass_g},
        ),
    )
