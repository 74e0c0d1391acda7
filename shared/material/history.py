"""The life of a piece in order, over all authors: what counts, what was said before it was corrected, and by whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from shared.material.correction_queries import was_corrected
from shared.material.queries import aliases_of, numbers_of
from shared.material.tables import (
    correction,
    deviation_raised,
    edge,
    identity_candidate,
    identity_set,
    mark,
    mass_history,
    material,
    operation,
    pack_member,
    piece_label,
    place_history,
    remelted,
)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a piece's life."""

    at_ms: int
    author: str
    what: str
    text: str
    actor: str = ""
    """Opaque id of the person, where one speaks."""


def history(conn: Connection, material_id: str) -> list[Event]:
    """The life of a piece over all authors, oldest first: numbers, places, masses, operations, marks, deviations,
    corrections."""
    events = [
        Event(r.given_at_ms, r.author, "number", f"{r.value} ({r.scheme})") for r in aliases_of(conn, material_id)
    ]
    said = conn.execute(select(correction).where(correction.c.material_id == material_id)).all()
    wrong = {row.corrects for row in said if row.what == "mass"}
    for table in (mass_history, place_history, mark, deviation_raised, piece_label):
        rows = conn.execute(select(table).where(table.c.material_id == material_id))
        events += [_event(table.name, row, wrong) for row in rows]
    events += _operations(conn, material_id)
    events += [_corrected(row) for row in said]
    events += _packs(conn, material_id)
    events += _doubts(conn, material_id)
    events += [
        Event(r.at_ms, r.author, "remelted", f"to {r.bay} as {r.scrap_grade}, {r.mass_g / 1000:,.0f} kg: {r.reason}")
        for r in conn.execute(select(remelted).where(remelted.c.material_id == material_id))
    ]
    return sorted(events, key=lambda e: (e.at_ms, e.what, e.text, e.author))


def _event(table: str, row: Row[Any], wrong: Collection[str]) -> Event:
    if table == "mass_history":
        why = (f", {row.reason}" if row.reason else "") + (", corrected since" if row.fact_id in wrong else "")
        return Event(row.at_ms, row.author, "mass", f"{row.mass_g} g {row.basis} {row.scale}".strip() + why)
    if table == "piece_label":
        read = f", reads {row.read}" if row.read not in ("", row.text) else ""
        return Event(row.at_ms, row.author, row.means, f"{row.text} ({row.device}): {row.outcome}{read}")
    if table == "place_history":
        return Event(row.at_ms, row.author, "place", row.place)
    if table == "mark":
        return Event(row.placed_at_ms, row.author, "mark", f"{row.kind} {row.text}".strip())
    return Event(row.at_ms, row.author, "deviation", row.text)


def _operations(conn: Connection, material_id: str) -> list[Event]:
    touches = or_(edge.c.parent_id == material_id, edge.c.child_id == material_id)
    same = and_(operation.c.author == edge.c.author, operation.c.operation_id == edge.c.operation_id)
    query = (
        select(operation.c.author, operation.c.operation, operation.c.unit, operation.c.ended_at_ms, edge.c.child_id)
        .join(edge, same)
        .where(touches)
        .distinct()
    )
    lines = {
        Event(r.ended_at_ms, r.author, "made" if r.child_id == material_id else "used", f"{r.operation} at {r.unit}")
        for r in conn.execute(query)
    }
    return list(lines)


def _packs(conn: Connection, material_id: str) -> list[Event]:
    """Into which packs a piece went, and when it came out."""
    p, m = pack_member.c, material.c
    named = and_(m.author == p.author, m.material_id == p.pack_id)
    query = select(pack_member, m.number).join(material, named).where(p.material_id == material_id)
    found = []
    for r in conn.execute(query):
        found.append(Event(r.packed_at_ms, r.author, "packed", f"into {r.number}"))
        if r.opened_at_ms is not None:
            found.append(Event(r.opened_at_ms, r.author, "unpacked", f"out of {r.number}"))
    return found


def _doubts(conn: Connection, material_id: str) -> list[Event]:
    """When a piece was not certain of itself, and what it turned out to be."""
    s, c = identity_set.c, identity_candidate.c
    same = and_(s.author == c.author, s.set_id == c.set_id)
    query = select(identity_set, c.truly).join(identity_candidate, same).where(c.material_id == material_id)
    found = []
    for r in conn.execute(query):
        found.append(Event(r.doubted_at_ms, r.author, "in doubt", f"one of several: {r.reason}", r.doubted_by))
        if r.resolved_at_ms is not None and r.truly not in (None, material_id):
            other = ", ".join(numbers_of(conn, [r.truly]).get(r.truly, [r.truly]))
            text = f"what was booked for it since belongs to {other}: {r.evidence}"
            found.append(Event(r.resolved_at_ms, r.author, "identified", text, r.resolved_by))
            found += _exchanged(conn, r, material_id)
        elif r.resolved_at_ms is not None:
            found.append(Event(r.resolved_at_ms, r.author, "identified", f"as booked: {r.evidence}", r.resolved_by))
    return found


def _exchanged(conn: Connection, doubt: Row[Any], material_id: str) -> list[Event]:
    """The mass that a piece has since a doubt was resolved: what was weighed meanwhile under another's name, or its own
    from before where only the other was on the scale."""
    c, h = identity_candidate.c, mass_history.c
    mine = c.author == doubt.author, c.set_id == doubt.set_id, c.truly == material_id
    was = str(conn.execute(select(c.material_id).where(*mine)).scalar() or "")
    later = h.at_ms >= doubt.since_ms, h.at_ms <= doubt.resolved_at_ms
    query = select(mass_history).where(h.author == doubt.author, ~was_corrected())
    query = query.order_by(h.at_ms.desc(), h.fact_id.desc()).limit(1)
    found = conn.execute(query.where(h.material_id == was, *later)).first()
    why = f"weighed as {', '.join(numbers_of(conn, [was]).get(was, [was]))} while they were mixed up"
    if found is None:
        if conn.execute(query.where(h.material_id == material_id, *later)).first() is None:
            return []
        found = conn.execute(query.where(h.material_id == material_id, h.at_ms < doubt.since_ms)).first()
        why = "as before they were mixed up; what was weighed since was another"
    if found is None:
        return []
    text = f"{found.mass_g} g {found.basis} {found.scale}".strip()
    return [Event(doubt.resolved_at_ms, doubt.author, "mass", f"{text}, {why}")]


def _corrected(row: Row[Any]) -> Event:
    """What was said until it was corrected, what is said since, and why."""
    text = f"{row.what} was {row.was} until then; now {row.now}, because {row.reason}"
    return Event(row.at_ms, row.author, "withdrawn" if row.withdrawn else "corrected", text, row.actor)
