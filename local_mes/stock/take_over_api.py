"""A take-over as JSON: the same rows as in the files, checked, recorded, taken back."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import Field

from local_mes.context import plant
from local_mes.stock import take_over
from local_mes.stock.api import CommandBody
from local_mes.stock.take_over_plan import Plan
from local_mes.stock.take_over_rows import Row
from shared.stock.queries import list_take_overs
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Asked
from shared.web.context import reading, requires

tag = Tag(name="take-over", description="Stock, open heats and genealogy from an old system")
bp = APIBlueprint("take_over_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
MOVERS = ("planner", "engineer")
Rows = list[dict[str, str]]
FAULTS_SHOWN = 1_000


class TakeOverPath(Asked):
    """A take-over by its id."""

    take_over_id: str = Field(max_length=32)


class HandInBody(CommandBody):
    """Rows as texts by column, as in the files (docs/take-over.md); they are numbered from 2, as lines of a file are."""

    stock: Rows = Field(default_factory=list, max_length=take_over.ROWS_MAX)
    heats: Rows = Field(default_factory=list, max_length=take_over.ROWS_MAX)
    steps: Rows = Field(default_factory=list, max_length=take_over.ROWS_MAX)
    count: Rows = Field(default_factory=list, max_length=take_over.ROWS_MAX)


class RecordBody(CommandBody):
    """What it is called."""

    title: str = Field(min_length=1, max_length=200)


class ReverseBody(CommandBody):
    """Why."""

    reason: str = Field(min_length=1, max_length=500)


@bp.get("/take-overs", summary="Take-overs that were begun, youngest first")
def get_take_overs() -> dict[str, Any]:
    """state: begun | done | reversed."""
    here = plant()
    with reading() as conn:
        rows = list_take_overs(conn, here.code)
    return {"items": [dict(row._mapping) for row in rows], "next": None, "as_of": here.clock.now_ms()}


@bp.post("/take-overs", summary="Hand in rows; the answer is the report, nothing is recorded")
@requires(*MOVERS)
def post_take_over(body: HandInBody) -> tuple[dict[str, Any], int]:
    """Line, column, what is wrong, what to do; and what does not agree with a count."""
    files = {
        name: [Row(n, cells) for n, cells in enumerate(getattr(body, name), start=2)]
        for name in ("stock", "heats", "steps", "count")
    }
    take_over_id = take_over.hand_in(plant(), body.command(), files)
    return report(take_over_id), 201


@bp.get("/take-overs/<take_over_id>", summary="The report of what was handed in, against the books of now")
def get_report(path: TakeOverPath) -> dict[str, Any]:
    """As it was answered when it was handed in."""
    return report(path.take_over_id)


@bp.post("/take-overs/<take_over_id>/record", summary="Record all of it; again after a crash: what is missing")
@requires(*MOVERS)
def post_record(path: TakeOverPath, body: RecordBody) -> dict[str, Any]:
    """Refused while anything is wrong."""
    return take_over.record(plant(), body.command(), path.take_over_id, body.title)


@bp.post("/take-overs/<take_over_id>/reverse", summary="Take all of it out of the books again")
@requires(*MOVERS)
def post_reverse(path: TakeOverPath, body: ReverseBody) -> dict[str, Any]:
    """Until the plant's first own fact about any of it."""
    return take_over.reverse(plant(), body.command(), path.take_over_id, body.reason)


def report(take_over_id: str) -> dict[str, Any]:
    """What a take-over would record, and everything that speaks against it."""
    here = plant()
    with reading() as conn:
        plan = take_over.check(conn, here, take_over_id)
    return {"take_over_id": take_over_id, **as_report(plan)}


def as_report(plan: Plan) -> dict[str, Any]:
    """A plan's totals, faults and differences from a count as plain values."""
    return {
        "totals": dict(plan.totals),
        "faults": [asdict(fault) for fault in plan.faults[:FAULTS_SHOWN]],
        "fault_count": len(plan.faults),
        "differs_from_count": [
            {name: getattr(one, name) for name in ("kind", "number", "expected_place", "found_place")}
            for one in plan.counted[:FAULTS_SHOWN]
        ],
        "recordable": bool(plan.pieces) and not plan.faults,
    }


def read_csv(text: str) -> Sequence[Row]:
    """Rows of a CSV file with a head line, numbered as lines of the file; comma or semicolon."""
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    rows: list[Row] = []
    for cells in reader:
        told: Mapping[str, str] = {str(k or "").strip(): v if isinstance(v, str) else "" for k, v in cells.items()}
        rows.append(Row(reader.line_num, told))
    return rows
