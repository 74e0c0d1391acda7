"""Two facts of one plant that follow the same one about the same piece: it has lived twice, from a restored backup on.

Both are applied, in the plant's order; what the piece really is, a person finds out. The rule that finds them is the
journal's own (shared/journal/subjects.py); here each becomes a case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from central_hub.transfers.domain import Contradiction
from central_hub.transfers.reading import not_judged
from shared.db.bulk import among
from shared.journal.tables import contested, fact
from shared.material.queries import find_material


@dataclass(frozen=True)
class _Said:
    """A fact's type and when it was recorded."""

    type: str
    at_ms: int


def find_contested(conn: Connection) -> Iterator[tuple[str, Contradiction]]:
    """(fact id, contradiction) of those that no case was opened for yet, in the order they were recorded."""
    c = contested.c
    query = select(c.author, c.subject, c.previous, c.head, c.fact_id).where(not_judged("contested", c.fact_id))
    rows = conn.execute(query).mappings().all()
    if not rows:
        return
    # asked apart: the facts may lie on other servers (shared/journal/distributing.py)
    ids = sorted({row[name] for row in rows for name in ("fact_id", "head")})
    facts = select(fact.c.fact_id, fact.c.type, fact.c.recorded_at_ms).where(among(conn, fact.c.fact_id, ids))
    said = {row.fact_id: _Said(row.type, row.recorded_at_ms) for row in conn.execute(facts)}
    told = [row for row in rows if row["fact_id"] in said and row["head"] in said]
    for row in sorted(told, key=lambda row: (said[row["fact_id"]].at_ms, row["fact_id"])):
        yield row["fact_id"], _contradiction(conn, row, said[row["fact_id"]], said[row["head"]].type)


def _contradiction(conn: Connection, row: RowMapping, later: _Said, head_type: str) -> Contradiction:
    author, subject = row["author"], row["subject"]
    piece = find_material(conn, author, subject)
    number = piece.number if piece is not None else ""
    return Contradiction(
        "contested",
        later.at_ms,
        (author, row["fact_id"]),
        (author,),
        f"{number or 'One subject'}: two of {author}'s facts follow the same earlier one: {head_type}, and later "
        f"{later.type}, which does not know of it. Both count, in this order.",
        material_id=subject if piece is not None else "",
        piece_number=number,
        evidence=tuple(i for i in (row["previous"], row["head"], row["fact_id"]) if i),
    )
