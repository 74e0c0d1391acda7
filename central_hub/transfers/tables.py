"""Local tables of the hub's transfers: what was judged, so that it is not looked at again."""

from __future__ import annotations

from sqlalchemy import Column

from shared.db.types import Code, Int, local_table

judged = local_table(
    # kind: line (fact_id that put it on the list, and material id) | receipt (receipt_id) | unlisted (receipt_id) |
    # denial (fact_id of the declaration that a piece never left) | contested (fact_id) | word (fact_id) |
    # no_origin (receipt_id: noted, not settled) | origin (receipt_id) | correction (fact_id of the blocked one) |
    # identity (set_id) | party (fact_id of what an outside party said)
    "transfer_judged",
    Column("kind", Code, primary_key=True),
    Column("ref", Code, primary_key=True),
)

floor = local_table(
    # nothing of this author that was recorded before from_ms is unjudged
    "transfer_floor",
    Column("author", Code, primary_key=True),
    Column("from_ms", Int, nullable=False),
)
