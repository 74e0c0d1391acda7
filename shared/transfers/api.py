"""Transfers as JSON, the reading part: the same at a plant and at the hub, over all authors known there.

Masses in grams, times in ms since 1970 UTC. A line's state follows from both sides' facts; `receipt_id` and what
belongs to it are null until the receiver spoke.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
from flask_openapi import Tag
from pydantic import BaseModel, Field
from sqlalchemy import Row

from shared.errors import NotFound
from shared.transfers import case_desk, case_queries, queries
from shared.transfers.lines import LineFilter, TransferLine, find_lines, find_lines_in_state, lines_of
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading
from shared.web.paging import PageQuery

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("transfers_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])

EPISODES_MAX = 1_000
"""Outages that crossed a train's arrival: years of them."""


class ShipmentsQuery(PageQuery):
    """Narrows the list of loads."""

    sender: str = Field("", max_length=64)
    receiver: str = Field("", max_length=64)
    q: str = Field("", max_length=64, description="part of the load's number or of the vehicle")


class ReceiptsQuery(PageQuery):
    """Narrows the list of receipts."""

    receiver: str = Field("", max_length=64)
    sender: str = Field("", max_length=64)
    q: str = Field("", max_length=64, description="part of a printed number, of ours or of the load's")
    provisional: bool | None = None


class LinesQuery(PageQuery):
    """Narrows the list of lines."""

    sender: str = Field("", max_length=64)
    receiver: str = Field("", max_length=64)
    state: str = Field("", max_length=32)
    q: str = Field("", max_length=64)


class CasesQuery(PageQuery):
    """Narrows the list of cases."""

    state: str = Field("", pattern="^(|open|resolved)$")
    kind: str = Field("", max_length=32)
    plant: str = Field("", max_length=64)
    q: str = Field("", max_length=64)


class ShipmentPath(BaseModel):
    """A load by number or id."""

    number: str = Field(max_length=64)


class CasePath(BaseModel):
    """A case."""

    case_id: str = Field(max_length=64)


@bp.get("/shipments", summary="Loads, the youngest first")
def get_shipments(query: ShipmentsQuery) -> dict[str, Any]:
    """Loads with their lines, and the count and mass of the pieces that did leave with them."""
    with reading() as conn:
        rows = queries.find_shipments(conn, **query.model_dump(exclude={"limit"}), limit=query.limit + 1)
        lines = lines_of(conn, [row.shipment_id for row in rows])
    items = [
        dict(row._mapping) | {"lines": [line_json(line) for line in lines.get(row.shipment_id, ())]} for row in rows
    ]
    return page(items, query.limit, "shipment_id")


@bp.get("/shipments/<number>", summary="One load with its lines, cases and the word that it is unloaded")
def get_shipment(path: ShipmentPath) -> dict[str, Any]:
    """One load as both sides tell it."""
    with reading() as conn:
        row = queries.find_shipment(conn, path.number)
        if row is None:
            raise NotFound("transfers.unknown_load", f"No load {path.number} is known here.", todo="Check the number.")
        lines = find_lines(conn, LineFilter(sender=row.author, shipment_id=row.shipment_id))
        close = queries.find_close(conn, row.to_plant, row.shipment_id)
        cases = case_queries.cases_of_shipment(conn, row.shipment_id)
    return dict(row._mapping) | {
        "lines": [line_json(line) for line in lines],
        "cases": [case_json(case) for case in cases],
        "closed_at_ms": close.closed_at_ms if close else None,
        **as_of(),
    }


@bp.get("/receipts", summary="Receipts, the youngest first")
def get_receipts(query: ReceiptsQuery) -> dict[str, Any]:
    """What was taken in, under which numbers, with both masses."""
    with reading() as conn:
        rows = queries.find_receipts(conn, **query.model_dump(exclude={"limit"}), limit=query.limit + 1)
    return page([dict(row._mapping) | {"number": row.own_number} for row in rows], query.limit, "receipt_id")


@bp.get("/transfers", summary="Lines of all loads with their state, the youngest load first")
def get_transfers(query: LinesQuery) -> dict[str, Any]:
    """Each piece on its way between plants: sender's part, receiver's part, derived state."""
    wanted = LineFilter(sender=query.sender, receiver=query.receiver, q=query.q)
    with reading() as conn:
        if query.state:
            lines = find_lines_in_state(conn, wanted, query.state, after=query.after, limit=query.limit + 1)
        else:
            lines = find_lines(conn, wanted, after=query.after, limit=query.limit + 1)
    return page([line_json(line) for line in lines], query.limit, "key")


@bp.get("/cases", summary="Cases, the youngest first")
def get_cases(query: CasesQuery) -> dict[str, Any]:
    """Contradictions between plants that people must look at."""
    with reading() as conn:
        rows = case_queries.find_cases(conn, **query.model_dump(exclude={"limit"}), limit=query.limit + 1)
    return page([case_json(row) for row in rows], query.limit, "case_id")


@bp.get("/cases/<case_id>", summary="One case with both sides' facts")
def get_case(path: CasePath) -> dict[str, Any]:
    """A case and the line it speaks of."""
    with reading() as conn:
        row = case_queries.find_case(conn, path.case_id)
        if row is None:
            raise NotFound("transfers.unknown_case", f"There is no case {path.case_id}.", todo="Read the list again.")
        wanted = LineFilter(shipment_id=row.shipment_id, material_id=row.material_id)
        lines = find_lines(conn, wanted) if row.shipment_id else []
    return case_json(row) | {"lines": [line_json(line) for line in lines], **as_of()}


@bp.get("/cases/<case_id>/words", summary="What hub and plants said about a case, and who confirmed its end")
def get_words(path: CasePath) -> dict[str, Any]:
    """The words oldest first; due_ms, owner and party (whose turn it is) as they are now; each plant's word on the end."""
    with reading() as conn:
        row = case_desk.find_on_desk(conn, path.case_id)
        if row is None:
            raise NotFound("transfers.unknown_case", f"There is no case {path.case_id}.", todo="Read the list again.")
        talk = case_desk.read_talk(conn, row)
    now = {"due_ms": row.due_ms, "owner": row.owner, "party": row.party}
    standings = [asdict(standing) for standing in talk.standings]
    items = [dict(word._mapping) for word in talk.words]
    return {"items": items, "next": None, "standings": standings, **now, **as_of()}


@bp.get("/episodes", summary="Episodes of waiting for a plant's data")
def get_episodes() -> dict[str, Any]:
    """Who is or was waited for, by whom, and how many pieces."""
    with reading() as conn:
        rows = case_queries.find_episodes(conn, limit=EPISODES_MAX)
    items = [dict(row._mapping) | {"lines": max(row.lines, row.waiting)} for row in rows]
    return page(items, EPISODES_MAX, "episode_id")


def page(items: list[dict[str, Any]], limit: int, key: str) -> dict[str, Any]:
    """A page of a list that was read with one row more than wanted."""
    shown = items[:limit]
    return {"items": shown, "next": shown[-1][key] if len(items) > limit else None, **as_of()}


def line_json(line: TransferLine) -> dict[str, Any]:
    """A line with the comparison of its masses spelt out."""
    mass = line.mass
    return asdict(line) | {
        "key": line.key,
        "mass": None,
        "difference_g": mass.difference_g if mass else None,
        "allowed_g": mass.allowed_g if mass else None,
        "within_tolerance": mass.is_within if mass else None,
    }


def case_json(row: Row[Any]) -> dict[str, Any]:
    """A case with its evidence (fact ids), its figures and the numbers it speaks of."""
    return dict(row._mapping) | {
        "numbers": [row.piece_number] if row.piece_number else [],
        "evidence": msgspec.json.decode(row.evidence),
        "figures": msgspec.json.decode(row.figures),
    }
