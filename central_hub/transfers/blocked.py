"""Corrections that a plant could not carry out because what stands on the wrong fact is in another plant's hands.

The plant has its own list of them; where another plant received, or is to receive, such a piece, both must look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from central_hub.transfers.domain import Contradiction
from central_hub.transfers.reading import not_judged
from shared.material.correction_facts import Blocker, Change
from shared.material.tables import correction_case
from shared.material.walk import pieces_of, walk

JUDGED = "correction"


def find_blocked(conn: Connection) -> Iterator[tuple[str, Contradiction | None]]:
    """(fact id, contradiction) of those not looked at yet, in their order; None where all of it is the plant's own."""
    c = correction_case.c
    query = select(correction_case).where(not_judged(JUDGED, c.fact_id)).order_by(c.asked_at_ms, c.fact_id)
    for row in conn.execute(query).all():
        yield row.fact_id, _contradiction(conn, row)


def _contradiction(conn: Connection, case: Row[Any]) -> Contradiction | None:
    blockers = msgspec.json.decode(case.blockers, type=list[Blocker])
    change = msgspec.json.decode(case.changes, type=list[Change])[0]
    others = sorted(_holders(conn, blockers) - {case.author, ""})
    if not others:
        return None
    first = blockers[0]
    stands = "; ".join(f"{b.number} {b.why}" for b in blockers[:5])
    return Contradiction(
        JUDGED,
        case.asked_at_ms,
        (case.author, case.case_id),
        (case.author, others[0]),
        f"{case.author} would correct the {change.what} of a piece from {change.was} to {change.now} "
        f"({case.reason}); it was not carried out, because {stands}. Concerned: {', '.join(others)}.",
        material_id=first.material_id,
        piece_number=first.number,
        evidence=(case.fact_id, case.corrects),
    )


def _holders(conn: Connection, blockers: Sequence[Blocker]) -> set[str]:
    """Every plant in whose books these pieces, or what was made of them, are, or to which they were sent."""
    ids = [blocker.material_id for blocker in blockers]
    below = [step.child_id for step in walk(conn, ids, False).steps]
    return {blocker.plant for blocker in blockers} | {piece.author for piece in pieces_of(conn, [*ids, *below])}
