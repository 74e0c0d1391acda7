"""Corrected moves and marks as rows: the places of a piece and its marks as they hold; what was said stays in `correction`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, update

from shared.db.fitting import check_fit
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material.books import change
from shared.material.correction_facts import MarkCorrected, MoveCorrected
from shared.material.tables import correction, mark, place_history

_MARK = ("kind", "from_um", "to_um", "left_um", "right_um", "text")


def apply_move_corrected(conn: Connection, facts: Sequence[AppliedFact[MoveCorrected]]) -> None:
    """The move stands in the piece's places as it was, or not at all; the piece lies where the fact says."""
    c = place_history.c
    for x in facts:
        p = x.payload
        check_fit(place_history, [{"place": p.place}])
        upsert(conn, correction, [_said(x, "MaterialMoved", "place", p.was, p.place or "not moved")])
        row = c.author == x.author, c.fact_id == p.corrects, c.material_id == p.material_id
        if p.withdrawn:
            conn.execute(delete(place_history).where(*row))
        else:
            conn.execute(update(place_history).where(*row).values(place=p.place))
        here = {"place": p.here} if p.here else {}
        change(conn, [{"author": x.author, "material_id": p.material_id, "last_fact": x.fact_id, **here}])


def apply_mark_corrected(conn: Connection, facts: Sequence[AppliedFact[MarkCorrected]]) -> None:
    """The mark as it is, or none."""
    for x in facts:
        p = x.payload
        values = {name: getattr(p, name) for name in _MARK}
        check_fit(mark, [values])
        upsert(conn, correction, [_said(x, "MarkPlaced", "mark", p.was, p.now)])
        row = mark.c.author == x.author, mark.c.mark_id == p.mark_id
        if p.withdrawn:
            conn.execute(delete(mark).where(*row))
        else:
            conn.execute(update(mark).where(*row).values(values))


def _said(
    x: AppliedFact[MoveCorrected] | AppliedFact[MarkCorrected], of: str, what: str, was: str, now: str
) -> dict[str, Any]:
    return {
        "author": x.author,
        "fact_id": x.fact_id,
        "ordinal": 0,
        "corrects": x.payload.corrects,
        "type": of,
        "withdrawn": x.payload.withdrawn,
        "material_id": x.payload.material_id,
        "what": what,
        "was": was,
        "now": now,
        "reason": x.payload.reason,
        "actor": x.actor,
        "at_ms": x.recorded_at_ms,
    }


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of corrected moves and marks."""
    appliers.add(MoveCorrected, apply_move_corrected)
    appliers.add(MarkCorrected, apply_mark_corrected)
