"""A sender is told which of its pieces were taken in: it learns that they are not its own any more, and nothing else.

The hub says so itself, in one fact a sender and pass; the receiver's own facts, with its numbers, masses and places, stay
between it and the hub.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Select, and_, bindparam, literal, select

from central_hub.hub import downlink
from central_hub.transfers.floors import in_open_spans, recent
from shared.db.prepared import Prepared
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.transfers.gate_facts import ReceiptsTold, ToldReceipt
from shared.transfers.tables import receipt, shipment, told_receipt
from sync.understanding import reads_fact

ACTOR = "job:reconcile"
AT_ONCE = 200
"""Receipts in one fact: some 50 KB, a fifth of what a fact may have."""


def find_untold(conn: Connection, hub: str) -> list[tuple[str, ToldReceipt]]:
    """(sender, receipt) of what was taken in by its addressee and is not told yet, in the order of the receipts.

    A sender of an older release is told after its upgrade, of the last weeks."""
    rows = sorted(in_open_spans(conn, UNTOLD, hub=hub), key=lambda row: (row[0], row[3]))
    readers = {sender for sender in {row[0] for row in rows} if reads_fact(conn, sender, ReceiptsTold.__name__)}
    return [(row[0], ToldReceipt(*row[1:])) for row in rows if row[0] in readers]


def tell_senders(tx: Work, hub: str, untold: Sequence[tuple[str, ToldReceipt]]) -> int:
    """Record it and send it down; returns how many facts went."""
    by_sender: dict[str, list[ToldReceipt]] = {}
    for sender, one in untold:
        by_sender.setdefault(sender, []).append(one)
    sent = 0
    for sender, told in by_sender.items():
        for at in range(0, len(told), AT_ONCE):
            part = tuple(told[at : at + AT_ONCE])
            fact = ReceiptsTold(plant=sender, receipts=part)
            subjects = tuple(dict.fromkeys(one.shipment_id for one in part))
            (fact_id,) = tx.record(Draft(fact, subjects, ACTOR, Occurred(tx.now_ms(), ACTOR)))
            tx.relay(fact_id, downlink(hub, sender))
            sent += 1
    return sent


def _untold(_database: str) -> Select[tuple[str | int, ...]]:
    """What an addressee took in of a load to it and this hub has not told its sender; of a piece taken in twice the first."""
    r, s, t = receipt.c, shipment.c, told_receipt.c
    of_load = and_(s.shipment_id == r.shipment_id, s.to_plant == r.author)
    same = and_(t.shipment_id == r.shipment_id, t.material_id == r.material_id, t.receipt_id == r.receipt_id)
    told = and_(t.author == bindparam("hub"), same)
    earlier = receipt.alias()
    first = and_(
        earlier.c.author == r.author,
        earlier.c.shipment_id == r.shipment_id,
        earlier.c.material_id == r.material_id,
        earlier.c.receipt_id < r.receipt_id,
    )
    columns = (
        s.author, r.shipment_id, r.material_id, r.receipt_id, r.author, r.own_number, r.custody_no, r.received_at_ms
    )  # fmt: skip
    return (
        select(*columns)
        .join_from(receipt, shipment, of_load)
        .where(recent(receipt), r.provisional == bindparam("no", False))
        .where(~select(literal(1)).select_from(told_receipt).where(told).exists())
        .where(~select(literal(1)).select_from(earlier).where(first).exists())
        .order_by(r.receipt_id)
    )


UNTOLD = Prepared(_untold)
