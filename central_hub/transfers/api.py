"""The hub's transfers as JSON: the daily balance, and the word that ends a case; other reads in shared/transfers/api.py."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from central_hub.context import hub
from central_hub.transfers import cases, service
from central_hub.transfers.balance import read_balance, start_of_day
from central_hub.transfers.proposals import propose
from shared.transfers.api import CasePath
from shared.transfers.case_queries import find_case
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body, Moment
from shared.web.context import actor, node, reading, requires

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("transfers_group", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class BalanceQuery(BaseModel):
    """The period, ms since 1970 UTC; without a word the day of `to_ms` so far."""

    from_ms: Moment | None = None
    to_ms: Moment | None = None


class ResolutionBody(Body):
    """How a case ends, and why."""

    command_id: str = Field(min_length=1, max_length=64)
    resolution: str = Field(min_length=1, max_length=64)
    note: str = Field(min_length=1, max_length=2_000)


@bp.get("/balance", summary="Balance of each lane, as of both plants' watermarks")
def get_balance(query: BalanceQuery) -> dict[str, Any]:
    """on the way at start + shipped = received + returned + on the way + disputed + written off, in pieces and grams."""
    now_ms = node().clock.now_ms()
    to_ms = now_ms if query.to_ms is None else query.to_ms
    from_ms = start_of_day(to_ms) if query.from_ms is None else query.from_ms
    with reading() as conn:
        lanes = read_balance(conn, from_ms, to_ms)
    items = [asdict(lane) | {"unexplained_g": lane.unexplained_g} for lane in lanes]
    return {"items": items, "next": None, "from_ms": from_ms, "to_ms": to_ms, **as_of()}


@bp.get("/cases/<case_id>/proposals", summary="What a case may come down to")
def get_proposals(path: CasePath) -> dict[str, Any]:
    """A renamed piece, two swapped labels: by likeness, with a score of 100; a person confirms or leaves it."""
    with reading() as conn:
        row = find_case(conn, path.case_id)
        if row is None:
            raise cases.unknown_case(path.case_id)
        items = [asdict(proposal) for proposal in propose(conn, row)]
    return {"items": items, "next": None, **as_of()}


class ReopeningBody(Body):
    """Why the end of a case does not hold."""

    command_id: str = Field(min_length=1, max_length=64)
    note: str = Field(min_length=1, max_length=2_000)


@bp.post("/cases/<case_id>/reopen", summary="A person opens an ended case again")
@requires("logistics")
def post_reopening(path: CasePath, body: ReopeningBody) -> dict[str, Any]:
    """As after a plant's objection; what plants said of the first end counts no more."""
    return service.reopen_case(hub(), path.case_id, body.note, actor=actor(), command_id=body.command_id)


@bp.post("/cases/<case_id>/resolve", summary="A person ends a case")
@requires("logistics")
def post_resolution(path: CasePath, body: ResolutionBody) -> dict[str, Any]:
    """Both plants are told how it ended; both sides' facts stay as they are."""
    return service.resolve_case(
        hub(), path.case_id, body.resolution, body.note, actor=actor(), command_id=body.command_id
    )
