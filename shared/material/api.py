"""JSON reads of material, the same at plants and at the hub: pieces, one piece, traces, places on ancestors.

Every row says its author: what two plants say of one piece is two rows. Grams, micrometres, ms since 1970 UTC.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row

from shared.errors import NotFound
from shared.material import queries
from shared.material.correction_api import api as corrections_api
from shared.material.history import history
from shared.material.identity_api import api as identity_api
from shared.material.search import CUTS, find_by_part, suggest
from shared.material.trace import Trace, TraceFilter, ancestor_places, projected_marks, trace
from shared.material.walk import DEPTH_MAX, EDGES_MAX, Piece, Step
from shared.material.way_trace import mixtures_in, names_in, operations_in, with_way
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading
from shared.web.features import Feature
from shared.web.paging import PageQuery

api = APIBlueprint("material_api", __name__, url_prefix="/api/v1")


class NumberPath(BaseModel):
    """A piece by any number printed on it, or by its material id."""

    number: str = Field(max_length=64)


class MaterialsQuery(PageQuery):
    """Which pieces; empty means any. q is the beginning of any number, else a part of a young piece's: `cut` says so."""

    author: str = ""
    kind: str = ""
    state: str = ""
    place: str = ""
    grade: str = ""
    order_item: str = ""
    q: str = Field("", max_length=64)


class TraceQuery(BaseModel):
    """Which way, how many steps away and how many at most; which are shown. Lists are separated by commas."""

    direction: Literal["backward", "forward", "both"] = "both"
    depth: int = Field(DEPTH_MAX, ge=1, le=DEPTH_MAX)
    count: int = Field(10_000, ge=1, le=EDGES_MAX, description="steps each way; the nearest come first")
    kind: str = Field("", max_length=200, description="of the piece a step reaches: heat, slab, coil, slit")
    plant: str = Field("", max_length=200, description="who did the step")
    operation: str = Field("", max_length=200, description="cast, roll, slit …")
    from_ms: int = Field(0, ge=0, description="end of the step, from")
    to_ms: int = Field(0, ge=0, description="and to; 0 = open")

    @property
    def wanted(self) -> TraceFilter:
        """The filter."""
        kinds, plants, operations = (
            frozenset(filter(None, text.split(","))) for text in (self.kind, self.plant, self.operation)
        )
        return TraceFilter(kinds, plants, operations, self.from_ms, self.to_ms)


class NumbersQuery(BaseModel):
    """What was typed so far, and how many numbers are wanted."""

    q: str = Field(min_length=1, max_length=64)
    limit: int = Field(10, ge=1, le=50)


class PlaceQuery(BaseModel):
    """A place on the piece from its head (metre_mm or at_um) and from its left edge."""

    metre_mm: int | None = Field(None, ge=0, le=10**10)
    at_um: int | None = Field(None, ge=0, le=10**13)
    left_um: int | None = Field(None, ge=0, le=10**13)

    @property
    def along_um(self) -> int:
        """The place along the piece, 0 where none was given."""
        if self.at_um is not None:
            return self.at_um
        return (self.metre_mm or 0) * 1000


class MaterialOut(BaseModel):
    """One author's row of one piece; numbers are those of all authors."""

    author: str
    material_id: str
    kind: str
    number: str
    numbers: list[str]
    grade: str
    order_item: str
    state: str
    mass_g: int
    mass_basis: str
    mass_scale: str
    mass_at_ms: int
    thickness_um: int
    width_um: int
    length_um: int
    place: str
    origin: str
    heat_number: str
    chemistry: dict[str, int]
    attributes: dict[str, str]
    identified_as: str | None
    born_at_ms: int
    ended_at_ms: int | None
    last_fact: str


class MaterialList(BaseModel):
    """One page of pieces."""

    items: list[MaterialOut]
    next: str | None
    cut: str = Field("", description="what a search by q did not look through; empty when nothing")
    as_of: int
    complete_through_ms: dict[str, int | None] | None = Field(None, description="at the hub: plant -> ms or null")


def as_json(row: Row[Any] | Piece, numbers: dict[str, list[str]]) -> dict[str, Any]:
    """A material row as the API shows it."""
    found = dict(row._asdict())
    found["numbers"] = numbers.get(row.material_id, [])
    found["chemistry"] = msgspec.json.decode(row.chemistry)
    found["attributes"] = msgspec.json.decode(row.attributes)
    return found


@api.get("/materials", summary="Pieces, youngest first", responses={200: MaterialList})
def materials(query: MaterialsQuery) -> dict[str, Any]:
    """A page of pieces over all authors known here."""
    wanted = queries.MaterialFilter(**query.model_dump(exclude={"after", "limit"}))
    with reading() as conn:
        rows, cursor = queries.list_materials(conn, wanted, query.after, query.limit)
        cut = CUTS[find_by_part(conn, query.q).cut]
        numbers = queries.numbers_of(conn, [row.material_id for row in rows])
    return {"items": [as_json(row, numbers) for row in rows], "next": cursor, "cut": cut, **as_of()}


@api.get("/materials/<number>", summary="One piece: every author's row, its life, its marks")
def one_material(path: NumberPath) -> dict[str, Any]:
    """All candidates for the number; history and marks are of the first, which is the likeliest."""
    with reading() as conn:
        rows = _candidates(conn, path.number)
        material_id = rows[0].material_id
        numbers = queries.numbers_of(conn, [row.material_id for row in rows])
        return {
            "items": [as_json(row, numbers) for row in rows],
            "history": [_plain(event) for event in history(conn, material_id)],
            "marks": [_plain(mark) for mark in projected_marks(conn, material_id)],
            **as_of(),
        }


@api.get("/numbers", summary="Numbers that begin so, for a box that completes what is typed")
def numbers(query: NumbersQuery) -> dict[str, Any]:
    """By number; of one piece each of its numbers."""
    with reading() as conn:
        found = suggest(conn, query.q, query.limit)
    return {"items": [{"number": number, "material_id": piece} for number, piece in found]}


@api.get("/traces/<number>", summary="What a piece came from and became")
def one_trace(path: NumberPath, query: TraceQuery) -> dict[str, Any]:
    """Edges with their intervals and flips, every piece on the way, and the heats of transition slabs by interval."""
    with reading() as conn:
        material_id = _candidates(conn, path.number)[0].material_id
        found = trace(conn, material_id, query.direction, query.depth, query.count, query.wanted)
        found = with_way(conn, found, query.wanted, query.depth)
        operations, mixtures = operations_in(conn, found), mixtures_in(conn, found)
    return {
        "material_id": material_id,
        "direction": found.direction,
        "depth": found.depth,
        "nodes": _nodes(found),
        "edges": [_edge(edge, operations) for edge in found.edges],
        "mixtures": [msgspec.to_builtins(told) for _, told in sorted(mixtures.items())],
        "cut": {**_plain(found.cut), "words": found.cut.words},
        **as_of(),
    }


@api.get("/places/<number>", summary="A place on a piece, and the same place on each ancestor")
def one_place(path: NumberPath, query: PlaceQuery) -> dict[str, Any]:
    """Nearest ancestor first; on a heat the place is the metre of the strand, and share_ppm its part of the steel there."""
    with reading() as conn:
        material_id = _candidates(conn, path.number)[0].material_id
        places = ancestor_places(conn, material_id, query.along_um, query.left_um)
        names = names_in(conn, material_id, [place.material_id for place in places])
    items = [
        _plain(place) | dict(zip(("kind", "numbers"), names.get(place.material_id, ("", [])), strict=True))
        for place in places
    ]
    return {"material_id": material_id, "items": items, **as_of()}


def _candidates(conn: Connection, number: str) -> list[Row[Any]]:
    rows = queries.find_by_number(conn, number)
    if not rows:
        raise NotFound(
            "material.unknown_number",
            f"No piece with the number {number!r} is known here.",
            todo="Check the number on the piece; at a plant, its sender's data may still be on the way.",
        )
    return list(rows)


def _nodes(found: Trace) -> list[dict[str, Any]]:
    nodes: dict[str, dict[str, Any]] = {}
    for row in found.rows:
        nodes.setdefault(row.material_id, as_json(row, found.numbers) | {"authors": []})["authors"].append(row.author)
    return list(nodes.values())


def _edge(edge: Step, operations: dict[tuple[str, str], Any]) -> dict[str, Any]:
    made_by = operations.get((edge.author, edge.operation_id))
    what = (
        {"operation": made_by.operation, "unit": made_by.unit, "ended_at_ms": made_by.ended_at_ms}
        if made_by
        else {"operation": "identify", "unit": "", "ended_at_ms": None}
    )
    flips = {name: bool(getattr(edge, name)) for name in ("flip_length", "flip_width", "flip_face")}
    return edge._asdict() | flips | what


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


FEATURE = Feature(apis=(api, corrections_api, identity_api))
