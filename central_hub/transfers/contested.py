"""Two facts of one plant that follow the same one about the same piece: it has lived twice, from a restored backup on.

Both are applied, in the plant's order; what the piece really is, a person finds out. The rule that finds them is the
journal's own (shared/journal/subjects.py); here each becomes a case.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, RowMapping, select

from central_hub.transfers.domain import Contradiction
from central_hub.transfers.reading import not_judged
from shared.journal.tables import contested, fact
from shared.material.queries import find_material


def find_contested(conn: Connection) -> Iterator[tuple[str, Contradiction]]:
    """(fact id, contradiction) of those that no case was opened for yet, in the order they were recorded."""
    first, later = fact.alias(), fact.alias()
    c = contested.c
    query = (
        select(
            c.author,
            c.subject,
            c.previous,
            c.head,
            c.fact_id,
            later.c.type.label("type"),
            later.c.recorded_at_ms.label("at_ms"),
            first.c.type.label("head_type"),
        )
        .join_from(contested, later, later.c.fact_id == c.fact_id)
        .join(first, first.c.fact_id == c.head)
        .where(not_judged("contested", c.fact_id))
        .order_by(later.c.recorded_at_ms, c.fact_id)
    )
    for row in conn.execute(query).mappings().all():
        yield row["fact_id"], _contradiction(conn, row)


def _contradiction(conn: Connection, row: RowMapping) -> Contradiction:
    author, subject = row["author"], row["subject"]
    piece = find_material(conn, author, subject)
    number = piece.number if piece is not None else ""
    return Contradiction(
        "contested",
        row["at_ms"],
        (author, row["fact_id"]),
        (author,),
        f"{number or 'One subject'}: two of {author}'s facts follow the same earlier one: {row['head_type']}, and later "
        f"{row['type']}, which does not know of it. Both count, in this order.",
        material_id=subject if piece is not None else "",
        piece_number=number,
        evidence=tuple(i for i in (row["previous"], row["head"], row["fact_id"]) if i),
    )
