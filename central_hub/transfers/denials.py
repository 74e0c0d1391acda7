"""Departures that their sender denies although the piece was taken in (transfers.md, row 19).

A denial without a receipt is the usual case and stays open without cost: only those with a receipt are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_, select

from central_hub.transfers.denial_domain import Denial
from central_hub.transfers.domain import KnownReceipt
from central_hub.transfers.reading import not_judged, read_receipts
from shared.transfers.tables import departure_correction, receipt, shipment


def find_denied(conn: Connection) -> Iterator[tuple[Denial, KnownReceipt]]:
    """Denials not judged yet of pieces that their addressee has taken in, each with the first receipt."""
    c, s, r = departure_correction.c, shipment.c, receipt.c
    load = and_(s.author == c.author, s.shipment_id == c.shipment_id)
    came = and_(
        r.author == s.to_plant,
        r.shipment_id == c.shipment_id,
        r.material_id == c.material_id,
        r.provisional.is_(False),
    )
    query = (
        select(c.author, c.fact_id, c.recorded_at_ms, c.shipment_id, c.material_id, s.to_plant)
        .join_from(departure_correction, shipment, load)
        .where(c.kind == "did_not_occur", select(r.receipt_id).where(came).exists(), not_judged("denial", c.fact_id))
        .order_by(c.recorded_at_ms, c.fact_id)
    )
    for row in conn.execute(query).all():
        later = select(c.recorded_at_ms).where(
            c.author == row.author,
            c.shipment_id == row.shipment_id,
            c.material_id == row.material_id,
            c.kind == "late",
        )
        denial = Denial(row.fact_id, row.recorded_at_ms, tuple(sorted(conn.execute(later).scalars())))
        taken_in = and_(
            r.author == row.to_plant,
            r.shipment_id == row.shipment_id,
            r.material_id == row.material_id,
            r.provisional.is_(False),
        )
        yield denial, read_receipts(conn, taken_in)[0]
