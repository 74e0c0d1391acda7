"""What the plants of a history write: slabs with labels, moves, weighings, and pieces made of other plants' pieces."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from local_mes.model.domain import Scheme
from local_mes.model.numbers import next_number
from shared.ids import derived_id, new_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work, append_entry, lock_head
from shared.journal.tables import fact as fact_table
from shared.material.facts import (
    Consumed,
    Edge,
    MarkPlaced,
    Mass,
    MaterialCreated,
    MaterialMoved,
    MaterialTransformed,
    MaterialWeighed,
    NewAlias,
    NewMaterial,
    Size,
)

SCHEME = Scheme(code="slab", prefix="S", width=9, first=1)
NEWER = ("MarkPlaced", 1)
"""The fact type that old releases of a history do not know."""


def create(tx: Work) -> tuple[str, str, str]:
    """A slab with a label of its own: piece, fact, label."""
    piece, label = new_id(tx.journal.clock), next_number(tx, SCHEME)
    made = MaterialCreated(material=_new(tx.journal.code, piece, label), origin="made")
    return piece, _record(tx, made, piece), label


def speak(tx: Work, dice: Random, piece: str, foreign: Sequence[str]) -> str:
    """Something more about a piece; returns the fact."""
    roll = dice.random()
    if roll < 0.5:
        return _record(tx, MaterialMoved(material_id=piece, place=f"bay {dice.randrange(9)}"), piece)
    if roll < 0.75 or not foreign:
        return _record(tx, MaterialWeighed(material_id=piece, mass=Mass(dice.randrange(1, 10**7), "weighed")), piece)
    return cut(tx, dice.choice(foreign), piece)


def cut(tx: Work, parent: str, near: str) -> str:
    """A child of another plant's piece, which may not be known here yet."""
    child = new_id(tx.journal.clock)
    edge = Edge(
        parent_id=parent,
        child_id=child,
        parent_from_um=0,
        parent_to_um=9_000,
        child_from_um=0,
        child_to_um=9_000,
        mass_g=1_000,
    )
    step = MaterialTransformed(
        operation_id=new_id(tx.journal.clock),
        operation="cut",
        unit="cut",
        started_at_ms=0,
        ended_at_ms=1,
        parents=(Consumed(parent, 1_000),),
        children=(_new(tx.journal.code, child, child[-9:]),),
        edges=(edge,),
    )
    return _record(tx, step, child, parent, near)


def mark(tx: Work, dice: Random, piece: str) -> str:
    """A fact of the newer version about a piece."""
    mark_id = new_id(tx.journal.clock)
    payload = MarkPlaced(mark_id=mark_id, material_id=piece, kind="sliver", from_um=0, to_um=dice.randrange(1, 99))
    return _record(tx, payload, piece)


def poison(tx: Work) -> str:
    """A fact whose payload breaks its schema, as a faulty release might have written it: below the journal's checks."""
    journal, conn = tx.journal, tx.conn
    fact_id = new_id(journal.clock)
    at = max(journal.clock.now_ms(), lock_head(conn, journal.code, journal.clock.now_ms()).recorded_at_ms)
    body = msgspec.json.encode(
        {
            "fact_id": fact_id,
            "type": "MaterialMoved",
            "version": 1,
            "author": journal.code,
            "actor": "p1",
            "subjects": [{"id": derived_id(0, fact_id), "prev": None}],
            "recorded_at_ms": at,
            "occurred": {"at_ms": at, "source": "manual"},
            "payload": {"material_id": 7},
        },
        order="deterministic",
    )
    row = {"fact_id": fact_id, "type": "MaterialMoved", "version": 1, "author": journal.code, "body": body}
    conn.execute(fact_table.insert().values(**row, recorded_at_ms=at))
    append_entry(conn, journal.code, fact_id, body, at)
    return fact_id


def _new(code: str, piece: str, label: str) -> NewMaterial:
    return NewMaterial(
        material_id=piece,
        kind="slab",
        aliases=(NewAlias(f"{code}.slab", label),),
        mass=Mass(20_000_000, "theoretical"),
        size=Size(250_000, 1_500_000, 9_000_000),
        place="yard",
    )


def _record(tx: Work, payload: Payload, *subjects: str) -> str:
    occurred = Occurred(tx.journal.clock.now_ms(), "manual")
    return tx.record(Draft(payload=payload, subjects=subjects, actor="p1", occurred=occurred))[0]
