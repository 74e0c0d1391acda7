"""Uncertain identities as rows. When they are resolved, what was booked since goes to the piece it happened to: where it
is, whether it is used up, what was made of it. Both histories stay as they were told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, case, delete, select, update

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.material.books import alias_row, change, json_text
from shared.material.correction_queries import was_corrected
from shared.material.identity_facts import IdentityDoubted, IdentityResolved
from shared.material.tables import (
    alias,
    alias_end,
    edge,
    identity_candidate,
    identity_set,
    mass_history,
    material,
    operation,
)

_json = msgspec.json.Encoder(order="deterministic")
BODILY = ("state", "place", "ended_at_ms", "identified_as")
"""What goes with the steel; its mass too, where it was weighed since."""
MASS = ("mass_g", "mass_basis", "mass_scale", "mass_at_ms")
Resolved = AppliedFact[IdentityResolved]


def apply_identity_doubted(conn: Connection, facts: Sequence[AppliedFact[IdentityDoubted]]) -> None:
    """A set, open."""
    for x in facts:
        p = x.payload
        row = {
            "author": x.author,
            "set_id": p.set_id,
            "state": "open",
            "numbers": _json.encode(p.numbers).decode(),
            "place": p.place,
            "reason": p.reason,
            "since_ms": p.since_ms,
            "doubted_by": x.actor,
            "doubted_at_ms": x.recorded_at_ms,
            "evidence": "",
            "found": "[]",
            "resolved_by": "",
            "resolved_at_ms": None,
        }
        upsert(conn, identity_set, [row])
        rows = [{"author": x.author, "set_id": p.set_id, "material_id": c, "truly": None} for c in p.candidates]
        upsert(conn, identity_candidate, rows)


def apply_identity_resolved(conn: Connection, facts: Sequence[Resolved]) -> None:
    """Which is which: rows of pieces, of what was made of them, and of their labels follow."""
    for x in facts:
        truly = {f.booked: f.truly for f in x.payload.found if f.booked != f.truly}
        doubt = conn.execute(
            select(identity_set.c.since_ms).where(
                identity_set.c.author == x.author, identity_set.c.set_id == x.payload.set_id
            )
        ).scalar()
        if truly and doubt is not None:
            _exchange(conn, x, truly, int(doubt))
            _lead_edges(conn, x.author, truly, int(doubt))
        for heir in x.payload.heirs:
            new = {"heat_number": heir.heat_number, "chemistry": json_text(heir.chemistry_e6), "last_fact": x.fact_id}
            change(conn, [{"author": x.author, "material_id": heir.material_id, **new}])
        _bear(conn, x)
        _close(conn, x)


def _exchange(conn: Connection, x: Resolved, truly: dict[str, str], since_ms: int) -> None:
    c = material.c
    rows = conn.execute(select(material).where(c.author == x.author, c.material_id.in_(sorted(truly)))).all()
    by_id = {row.material_id: row for row in rows}
    for booked, true in sorted(truly.items()):
        if booked not in by_id or true not in by_id:
            continue
        new = {name: getattr(by_id[booked], name) for name in BODILY} | _mass(
            conn, by_id[booked], by_id[true], since_ms
        )
        change(conn, [{"author": x.author, "material_id": true, "last_fact": x.fact_id, **new}])


def _mass(conn: Connection, booked: Row[Any], true: Row[Any], since_ms: int) -> dict[str, Any]:
    """What a scale said since goes with the steel; the piece that a scale meant only by mistake weighs what it did before."""
    if booked.mass_at_ms >= since_ms:
        return {name: getattr(booked, name) for name in MASS}
    h = mass_history.c
    if true.mass_at_ms < since_ms:
        return {}
    mine = h.author == true.author, h.material_id == true.material_id, h.at_ms < since_ms
    query = select(h.mass_g, h.basis, h.scale, h.at_ms).where(*mine, ~was_corrected())
    before = conn.execute(query.order_by(h.at_ms.desc(), h.fact_id.desc()).limit(1)).first()
    return {} if before is None else dict(zip(MASS, before, strict=True))


def _lead_edges(conn: Connection, author: str, truly: dict[str, str], since_ms: int) -> None:
    o = operation.c
    later = select(o.operation_id).where(o.author == author, o.ended_at_ms >= since_ms)
    conn.execute(
        update(edge)
        .where(edge.c.author == author, edge.c.parent_id.in_(sorted(truly)), edge.c.operation_id.in_(later))
        .values(parent_id=case(dict(sorted(truly.items())), value=edge.c.parent_id, else_=edge.c.parent_id))
    )


def _bear(conn: Connection, x: Resolved) -> None:
    for borne in x.payload.borne:
        upsert(conn, alias, [alias_row(x.author, borne.material_id, borne.alias, x.occurred.at_ms)])
        wrong = alias_row(x.author, borne.was, borne.alias, 0)
        del wrong["given_at_ms"]
        upsert(conn, alias_end, [wrong | {"ended_at_ms": x.occurred.at_ms, "fact_id": x.fact_id}])
        # a number that was ended on this piece by a resolution that was wrong is in force again
        e, given = alias_end.c, borne.alias
        again = e.material_id == borne.material_id, e.value == given.value, e.scheme == given.scheme
        conn.execute(delete(alias_end).where(e.author == x.author, *again))
        number = {"number": borne.alias.value, "last_fact": x.fact_id}
        change(conn, [{"author": x.author, "material_id": borne.material_id, **number}])


def _close(conn: Connection, x: Resolved) -> None:
    s, c = identity_set.c, identity_candidate.c
    conn.execute(
        update(identity_set)
        .where(s.author == x.author, s.set_id == x.payload.set_id)
        .values(
            state="resolved",
            evidence=x.payload.evidence,
            found=_json.encode(x.payload.found).decode(),
            resolved_by=x.actor,
            resolved_at_ms=x.recorded_at_ms,
        )
    )
    for found in x.payload.found:
        conn.execute(
            update(identity_candidate)
            .where(c.author == x.author, c.set_id == x.payload.set_id, c.material_id == found.booked)
            .values(truly=found.truly)
        )


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of uncertain identities."""
    appliers.add(IdentityDoubted, apply_identity_doubted)
    appliers.add(IdentityResolved, apply_identity_resolved)
