"""Local tables of the hub's transfers: what was judged, so that it is not looked at again."""

from __future__ import annotations

from sqlalchemy import Column

from shared.db.types import Code, local_table

judged = local_table(
    # kind: line (shipment id and material id) | receipt (receipt_id) | unlisted (receipt_id)
    "transfer_judged",
    Column("kind", Code, primary_key=True),
    Column("ref", Code, primary_key=True),
)
