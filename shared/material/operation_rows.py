"""Operations as rows: their balance, losses, summaries and edges, and what their children inherit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from shared.db.prepared import Prepared, listed
from shared.db.upsert import upsert
from shared.journal.fact import AppliedFact
from shared.material.domain import Balance
from shared.material.facts import Edge, Loss, MaterialTransformed, MaterialWeighed, NewMaterial
from shared.material.tables import edge, loss, material, operation, process_value
from shared.units import share_out

Transformed = AppliedFact[MaterialTransformed]
Key = tuple[str, str]
"""(author, id)"""

_HEATS = Prepared(
    lambda database: select(
        material.c.author, material.c.material_id, material.c.heat_number, material.c.chemistry
    ).where(listed(database, material.c.author, "authors"), listed(database, material.c.material_id, "ids")),
    keeps_plan=False,
)


class Child(NamedTuple):
    """A child as the projection takes it in: author, fact, time, the piece, its origin."""

    author: str
    fact_id: str
    at_ms: int
    material: NewMaterial
    origin: str


def apply_material_transformed(conn: Connection, facts: Sequence[Transformed]) -> list[Child]:
    """Write operation, losses, values and edges; return the children, with what they inherit, to be taken in."""
    upsert(conn, operation, [_operation_row(x) for x in facts])
    upsert(
        conn,
        loss,
        [loss_row(x.author, x.payload.operation_id, i, item) for x in facts for i, item in enumerate(x.payload.losses)],
    )
    upsert(
        conn,
        process_value,
        [
            {"author": x.author, "operation_id": x.payload.operation_id, "name": name, "value": value}
            for x in facts
            for name, value in sorted(x.payload.values.items())
        ],
    )
    upsert(
        conn,
        edge,
        [edge_row(x.author, x.payload.operation_id, i, e) for x in facts for i, e in enumerate(x.payload.edges)],
    )
    return _children(conn, facts)


def balance_of(payload: MaterialTransformed) -> Balance:
    """The operation's balance as the fact tells it."""
    return Balance(
        charged_g=sum(p.charged_g for p in payload.parents),
        produced_g=sum(c.mass.g for c in payload.children),
        lost_g=sum(item.g for item in payload.losses if item.g > 0),
        added_g=-sum(item.g for item in payload.losses if item.g < 0),
    )


def _operation_row(x: Transformed) -> dict[str, Any]:
    balance = balance_of(x.payload)
    return {
        "author": x.author,
        "operation_id": x.payload.operation_id,
        "operation": x.payload.operation,
        "unit": x.payload.unit,
        "started_at_ms": x.payload.started_at_ms,
        "ended_at_ms": x.payload.ended_at_ms,
        "charged_g": balance.charged_g,
        "produced_g": balance.produced_g,
        "loss_g": balance.lost_g,
        "added_g": balance.added_g,
        "unexplained_g": balance.unexplained_g,
        "notes": "\n".join(x.payload.notes),
        "source": x.occurred.source,
        "actor": x.actor,
        "standard_id": x.standard.id if x.standard else None,
        "standard_version": x.standard.version if x.standard else None,
        "fact_id": x.fact_id,
    }


def edge_row(author: str, operation_id: str, ordinal: int, e: Edge) -> dict[str, Any]:
    """An edge of a fact as a row."""
    head = {"author": author, "operation_id": operation_id, "ordinal": ordinal, "kind": "transform"}
    return head | msgspec.structs.asdict(e)


def loss_row(author: str, operation_id: str, ordinal: int, item: Loss) -> dict[str, Any]:
    """A loss of a fact as a row."""
    return {"author": author, "operation_id": operation_id, "ordinal": ordinal} | msgspec.structs.asdict(item)


def _children(conn: Connection, facts: Sequence[Transformed]) -> list[Child]:
    known = _heats(conn, {(x.author, e.parent_id) for x in facts for e in x.payload.edges})
    children = []
    for x in facts:
        for new in x.payload.children:
            full = _inherit(new, _main_parent(x.payload.edges, new.material_id), x.author, known)
            known[x.author, full.material_id] = (full.heat_number, full.chemistry_e6)
            children.append(Child(x.author, x.fact_id, x.payload.ended_at_ms, full, "made"))
    return children


def _heats(conn: Connection, keys: Iterable[Key]) -> dict[Key, tuple[str, dict[str, int]]]:
    wanted = sorted(keys)
    if not wanted:
        return {}
    ids = sorted({material_id for _, material_id in wanted})
    rows = _HEATS.rows(conn, authors=sorted({author for author, _ in wanted}), ids=ids)
    return {(author, piece): (heat, msgspec.json.decode(chemistry)) for author, piece, heat, chemistry in rows}


def _main_parent(edges: Sequence[Edge], child_id: str) -> str:
    own = [e for e in edges if e.child_id == child_id]
    return max(own, key=lambda e: (e.share_ppm, e.mass_g, e.parent_id)).parent_id if own else ""


def _inherit(
    new: NewMaterial, parent_id: str, author: str, known: dict[Key, tuple[str, dict[str, int]]]
) -> NewMaterial:
    heat, chemistry = known.get((author, parent_id), ("", {}))
    if new.heat_number and new.chemistry_e6:
        return new
    return msgspec.structs.replace(new, heat_number=new.heat_number or heat, chemistry_e6=new.chemistry_e6 or chemistry)


def apply_operation_weighings(conn: Connection, facts: Sequence[AppliedFact[MaterialWeighed]]) -> None:
    """Where a weighing is an operation's output, carry it into that operation's balance and edges.

    The balance moves by the difference to what the edges said the piece weighed when it was made; what became of the
    piece since (charged in part, weighed in a yard) is no matter of that operation.
    """
    moves = []
    for x in facts:
        if x.payload.operation_id:
            more_g = _share_edges(conn, x.author, x.payload.operation_id, x.payload.material_id, x.payload.mass.g)
            moves.append({"key_author": x.author, "key_operation": x.payload.operation_id, "more_g": more_g})
    if moves:
        _move_balances(conn, moves)


def _move_balances(conn: Connection, moves: list[dict[str, Any]]) -> None:
    conn.execute(
        update(operation)
        .where(operation.c.author == bindparam("key_author"), operation.c.operation_id == bindparam("key_operation"))
        .values(
            produced_g=operation.c.produced_g + bindparam("more_g"),
            unexplained_g=operation.c.unexplained_g - bindparam("more_g"),
        ),
        moves,
    )


def _share_edges(conn: Connection, author: str, operation_id: str, child_id: str, mass_g: int) -> int:
    """Share the weighed mass over the edges that made the piece; returns by how many grams they carry more now."""
    rows = conn.execute(
        select(edge.c.ordinal, edge.c.mass_g)
        .where(edge.c.author == author, edge.c.operation_id == operation_id, edge.c.child_id == child_id)
        .order_by(edge.c.ordinal)
    ).all()
    if not rows:
        return 0
    weights = [max(0, r.mass_g) for r in rows]
    parts = share_out(mass_g, weights if sum(weights) else [1] * len(rows))
    for row, part in zip(rows, parts, strict=True):
        conn.execute(
            update(edge)
            .where(edge.c.author == author, edge.c.operation_id == operation_id, edge.c.ordinal == row.ordinal)
            .values(mass_g=part)
        )
    before: int = sum(r.mass_g for r in rows)
    return mass_g - before
