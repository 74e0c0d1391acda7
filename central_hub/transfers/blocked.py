"""What a plant found wrong of its own record that concerns another plant: both must look.

Corrections that were not carried out because what stands on the wrong fact is in another plant's hands; and pieces that
turned out to be others after something that was made of them had left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from central_hub.transfers.domain import Contradiction
from central_hub.transfers.reading import not_judged
from shared.material.correction_facts import Blocker, Change
from shared.material.identity_facts import Found
from shared.material.tables import correction_case, identity_set
from shared.material.walk import Piece, pieces_of, walk
from shared.transfers.lines import LineFilter, find_lines

JUDGED = "correction"
MISTAKEN = "identity"


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


def find_mistaken(conn: Connection) -> Iterator[tuple[str, Contradiction | None]]:
    """(set id, contradiction) of resolved sets not looked at yet, whose mistaken pieces went on to another plant."""
    s = identity_set.c
    query = select(identity_set).where(s.state == "resolved", not_judged(MISTAKEN, s.set_id)).order_by(s.set_id)
    for row in conn.execute(query).all():
        yield row.set_id, _mistaken(conn, row)


def _mistaken(conn: Connection, row: Row[Any]) -> Contradiction | None:
    pairs = msgspec.json.decode(row.found, type=list[Found])
    moved = [pair.booked for pair in pairs if pair.booked != pair.truly]
    below = [step.child_id for step in walk(conn, moved, False).steps] if moved else []
    pieces = pieces_of(conn, [*moved, *below])
    there = [(piece, piece.author, "at") for piece in pieces if piece.author != row.author]
    known = {piece.material_id for piece, _, _ in there}
    going = [piece for piece in pieces if piece.author == row.author and piece.material_id not in known]
    there += [(piece, to, "on its way to") for piece in going if (to := _bound_for(conn, row, piece))]
    if not there:
        return None
    first, other, how = there[0]
    numbers = ", ".join(sorted({piece.number for piece, to, _ in there if to == other})[:10])
    return Contradiction(
        MISTAKEN,
        row.resolved_at_ms,
        (row.author, row.set_id),
        (row.author, other),
        f"{row.author} found that pieces had been mixed up ({row.evidence}). {numbers} {how} {other} may be of another "
        "heat than was told: compare the trace with the paper.",
        material_id=first.material_id,
        piece_number=first.number,
    )


def _bound_for(conn: Connection, row: Row[Any], piece: Piece) -> str:
    """To whom a piece left before its set was resolved, with the papers of another; empty where it did not."""
    if piece.state != "shipped":
        return ""
    lines = find_lines(conn, LineFilter(sender=row.author, material_id=piece.material_id), limit=20)
    gone = [line for line in lines if not line.withdrawn and line.departed_at_ms <= row.resolved_at_ms]
    return gone[0].receiver if gone else ""


def _holders(conn: Connection, blockers: Sequence[Blocker]) -> set[str]:
    """Every plant in whose books these pieces, or what was made of them, are, or to which they were sent."""
    ids = [blocker.material_id for blocker in blockers]
    below = [step.child_id for step in walk(conn, ids, False).steps]
    return {blocker.plant for blocker in blockers} | {piece.author for piece in pieces_of(conn, [*ids, *below])}
