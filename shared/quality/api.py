"""Quality as JSON, the reading part: the same at a plant and at the hub, over all authors known there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from flask_openapi import Tag
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row

from shared.errors import NotFound
from shared.material.queries import find_by_number, get_piece, rows_of
from shared.material.trace import LENGTH_MAX_UM
from shared.material.way_trace import names_in
from shared.quality import queries
from shared.quality.domain import Analysis
from shared.quality.mixed import read_steel
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading
from shared.web.paging import PageQuery

tag = Tag(name="quality", description="Samples, decisions and holds")
bp = APIBlueprint("quality_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class HoldsQuery(PageQuery):
    """Narrows the list of holds."""

    state: str = Field("", pattern="^(|open|released)$")
    piece: str = Field("", max_length=64, description="any number of the piece")
    rule: str = Field("", max_length=64)
    author: str = Field("", max_length=64)


class DecisionsQuery(PageQuery):
    """Narrows the list of decisions."""

    outcome: str = Field("", max_length=16)
    piece: str = Field("", max_length=64)
    rule: str = Field("", max_length=64)
    author: str = Field("", max_length=64)


class SamplesQuery(PageQuery):
    """Narrows the list of analyses."""

    place: str = Field("", max_length=16)
    piece: str = Field("", max_length=64)
    author: str = Field("", max_length=64)


class HoldPath(BaseModel):
    """A hold."""

    hold_id: str


@bp.get("/holds")
def get_holds(query: HoldsQuery) -> dict[str, Any]:
    """Holds, the youngest first: what is held, why, by which rule, and how it ended."""
    with reading() as conn:
        ids = _ids(conn, query.piece)
        rows = queries.list_holds(conn, query.author, query.state, ids, query.rule, query.after, query.limit)
        shown = rows[: query.limit]
        return _page([hold_json(row, names) for row, names in _named(conn, shown)], rows, query.limit, "hold_id")


@bp.get("/holds/<hold_id>")
def get_hold(path: HoldPath) -> dict[str, Any]:
    """One hold."""
    with reading() as conn:
        row = queries.find_hold(conn, path.hold_id)
        if row is None:
            raise NotFound("quality.unknown_hold", f"There is no hold {path.hold_id!r}.", todo="Read the list again.")
        return hold_json(row, next(iter(_named(conn, [row])))[1])


@bp.get("/decisions")
def get_decisions(query: DecisionsQuery) -> dict[str, Any]:
    """Decisions, the youngest first: which rule, which version, which inputs, what it said."""
    with reading() as conn:
        ids = _ids(conn, query.piece)
        rows = queries.list_decisions(conn, query.author, query.outcome, query.rule, ids, query.after, query.limit)
        shown = rows[: query.limit]
        return _page(
            [decision_json(row, names) for row, names in _named(conn, shown)], rows, query.limit, "decision_id"
        )


class NumberPath(BaseModel):
    """A piece by any number printed on it, or by its material id."""

    number: str = Field(max_length=64)


class PartQuery(BaseModel):
    """A part of the piece, um from its head; without to_um all of it, with both the same a place."""

    from_um: int = Field(0, ge=0, le=LENGTH_MAX_UM)
    to_um: int | None = Field(None, ge=0, le=LENGTH_MAX_UM)


@bp.get("/steel/<number>", summary="Which heats a part of a piece is made of, and the analysis that follows")
def get_steel(path: NumberPath, query: PartQuery) -> dict[str, Any]:
    """Heats by share of the mass, the largest first; an estimate, empty while an analysis of them is not known here."""
    with reading() as conn:
        material_id = get_piece(conn, path.number).material_id
        steel = read_steel(conn, material_id, query.from_um, query.to_um)
        names = names_in(conn, material_id, list(steel.shares))
    ordered = sorted(steel.shares.items(), key=lambda item: (-item[1], item[0]))
    items = [
        {"material_id": piece, "number": names[piece][1][0], "kind": names[piece][0], "share_ppm": ppm}
        for piece, ppm in ordered
        if piece in names
    ]
    return {"material_id": material_id, "items": items, "chemistry_e6": steel.chemistry_e6, **as_of()}


@bp.get("/samples")
def get_samples(query: SamplesQuery) -> dict[str, Any]:
    """Analyses, the youngest first; values in 1e-6 mass fraction with operator and digits as reported."""
    with reading() as conn:
        ids = _ids(conn, query.piece)
        found: list[Analysis] = []
        if ids is None:
            found = queries.list_samples(conn, query.author, query.place, "", query.after, query.limit)
        else:
            for material_id in ids:
                found += queries.list_samples(conn, query.author, query.place, material_id, query.after, query.limit)
            found.sort(
                key=lambda one: one.sample_id, reverse=True
            )  # a number may mean several pieces: one order for all
        shown = found[: query.limit]
        return _page([sample_json(a, names) for a, names in _named(conn, shown)], found, query.limit, "sample_id")


def _ids(conn: Connection, number: str) -> list[str] | None:
    """Ids a number may mean; None when no number narrows the list."""
    return sorted({row.material_id for row in find_by_number(conn, number)}) if number else None


def _named(conn: Connection, rows: Iterable[Any]) -> list[tuple[Any, Row[Any] | None]]:
    """Each row with the material row of its author, or of whoever knows the piece."""
    listed = list(rows)
    known: dict[str, list[Row[Any]]] = {}
    for row in rows_of(conn, [r.material_id for r in listed]) if listed else []:
        known.setdefault(row.material_id, []).append(row)
    return [(r, _best(known.get(r.material_id, []), r.author)) for r in listed]


def _best(rows: list[Row[Any]], author: str) -> Row[Any] | None:
    return next((row for row in rows if row.author == author), rows[0] if rows else None)


def _page(items: list[dict[str, Any]], rows: Any, limit: int, key: str) -> dict[str, Any]:
    return {"items": items, "next": items[-1][key] if len(rows) > limit else None, **as_of()}


def hold_json(row: Row[Any], piece: Row[Any] | None) -> dict[str, Any]:
    """A hold as JSON, with the number and kind of its piece."""
    return {
        "author": row.author,
        "hold_id": row.hold_id,
        "material_id": row.material_id,
        "number": piece.number if piece is not None else "",
        "kind": piece.kind if piece is not None else "",
        "mass_g": piece.mass_g if piece is not None else None,
        "state": "open" if row.released_at_ms is None else "released",
        "reason": row.reason,
        "rule": row.rule_id,
        "decision_id": row.decision_id,
        "inherited_from": row.inherited_from,
        "placed_at_ms": row.placed_at_ms,
        "placed_by": row.placed_by,
        "released_at_ms": row.released_at_ms,
        "released_by": row.released_by,
        "disposition": row.disposition,
        "note": row.note,
        "only_for": row.only_for,
    }


def decision_json(row: Row[Any], piece: Row[Any] | None) -> dict[str, Any]:
    """A decision as JSON with its inputs in stored units."""
    return {
        "author": row.author,
        "decision_id": row.decision_id,
        "rule": row.rule_id,
        "rule_version": row.rule_version,
        "rule_hash": row.rule_hash,
        "material_id": row.material_id,
        "number": piece.number if piece is not None else "",
        "outcome": row.outcome,
        "inputs": msgspec.json.decode(row.inputs),
        "explanation": row.explanation,
        "decided_at_ms": row.decided_at_ms,
        "decided_by": row.decided_by,
    }


def sample_json(analysis: Analysis, piece: Row[Any] | None) -> dict[str, Any]:
    """An analysis as JSON."""
    return {
        "author": analysis.author,
        "sample_id": analysis.sample_id,
        "sample_number": analysis.number,
        "material_id": analysis.material_id,
        "number": piece.number if piece is not None else "",
        "place": analysis.place,
        "taken_at_ms": analysis.taken_at_ms,
        "analysed_at_ms": analysis.analysed_at_ms,
        "results": [
            {"element": element, "value_e6": value.e6, "operator": value.operator, "digits": value.digits}
            for element, value in analysis.values.items()
        ],
    }
