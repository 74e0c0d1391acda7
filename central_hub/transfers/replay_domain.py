"""Rows 10 and 11 of transfers.md, pure: a receipt under a custody number that is over."""

from __future__ import annotations

from central_hub.transfers.domain import Contradiction, KnownReceipt
from shared.transfers.domain import CLOCK_SLACK_MS, fence


def judge_replayed(receipt: KnownReceipt, newer: KnownReceipt) -> Contradiction | None:
    """Rows 10 and 11: a receipt that cites a custody number which is over: the piece was taken in under a later one
    before. Two plants' times are compared with what their clocks may differ by."""
    if receipt.provisional or newer.provisional or fence(receipt.custody_no, newer.custody_no) != "stale":
        return None
    apart_ms = CLOCK_SLACK_MS if receipt.receiver != newer.receiver else 0
    at_ms, before_ms = _cited_ms(receipt), _cited_ms(newer)
    if at_ms <= before_ms + apart_ms:
        return None
    return Contradiction(
        "double_receipt",
        at_ms,
        (newer.receipt_id, receipt.receipt_id),
        (newer.receiver, receipt.receiver),
        f"{receipt.printed_number} was taken in at {receipt.receiver} as {receipt.own_number} under custody number "
        f"{receipt.custody_no}, which was over: {newer.receiver} had taken it in under {newer.custody_no} before.",
        receipt.shipment_id,
        receipt.shipment_number,
        receipt.material_id,
        receipt.printed_number,
        receipt.receipt_id,
        (newer.fact_id, receipt.fact_id),
        {"receiver_g": receipt.mass_g},
    )


def _cited_ms(receipt: KnownReceipt) -> int:
    """When a receipt came to cite its number."""
    return receipt.matched_at_ms or receipt.recorded_at_ms
