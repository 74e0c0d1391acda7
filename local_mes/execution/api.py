"""JSON of the route in work: next step of a piece, of an order item's pieces, and the work-list of a unit."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.execution.lists import WorkLine, order_pieces, work_list
from local_mes.execution.next_step import Next, aims_of, checks_at, find_next
from local_mes.execution.serving import choices
from local_mes.execution.standing import Standing
from shared.execution.collecting import Due
from shared.execution.way import Stage
from shared.material.queries import get_piece
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import node, reading

tag = Tag(name="execution", description="Pieces and orders on their routes")
api = APIBlueprint("execution_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class NumberPath(BaseModel):
    """Any number of a piece."""

    number: str = Field(max_length=64)


class ItemPath(BaseModel):
    """An order item; it holds a slash, as in 710045/10."""

    item: str = Field(max_length=64)


class UnitPath(BaseModel):
    """A unit of the plant model."""

    unit: str = Field(max_length=64)


@api.get("/next-steps/<number>")
def next_step(path: NumberPath) -> dict[str, Any]:
    """One piece: stages of its route, where it may go, aims with their source, data and checks."""
    with reading() as conn:
        standing = Standing(conn, plant())
        found = find_next(conn, plant(), get_piece(conn, path.number, node().code))
        aims, unsure = aims_of(standing, found)
        checks = checks_at(standing, found.step) if found.step else []
        serves = choices(conn, node().code, found.row)
    stages = found.way.stages if found.way else ()
    return {
        **_said(found),
        "order_item": found.row.order_item,
        "stages": [_stage(stage) for stage in stages],
        "aims": [{**vars(aim), "over": list(aim.over)} for aim in aims],
        "not_settled": [vars(one) for one in unsure],
        "collections": [_due(due) for due in found.dues],
        "checks": [vars(check) for check in checks],
        "may_serve": [{"order_item": one.order.item, **vars(one.serving)} for one in serves],
        **as_of(),
    }


@api.get("/order-steps/<path:item>")
def order_steps(path: ItemPath) -> dict[str, Any]:
    """The live pieces of an order item here, each with what comes; more: pieces beyond those listed."""
    with reading() as conn:
        found, more = order_pieces(conn, plant(), path.item)
    return {"items": [_said(one) for one in found], "next": None, "more": more, **as_of()}


@api.get("/work-lists/<unit>")
def unit_list(path: UnitPath) -> dict[str, Any]:
    """What is in a unit, what may be worked next in running order, and what must wait with its reason."""
    with reading() as conn:
        found = work_list(conn, plant(), plant().model.get_unit(path.unit))
    return {
        "unit": found.unit.code,
        "inside": [_said(one) for one in found.inside],
        "items": [_line(line) for line in found.ready],
        "waiting": [_line(line) for line in found.waiting],
        "more": found.unseen,
        "next": None,
        **as_of(),
    }


def _said(found: Next) -> dict[str, Any]:
    step = found.step
    return {
        "material_id": found.row.material_id,
        "number": found.row.number,
        "kind": found.row.kind,
        "place": found.row.place,
        "route": found.route,
        "route_version": found.adopted.version if found.adopted else 0,
        "step": step.number if step else None,
        "step_name": step.name if step else "",
        "inside": bool(found.way and found.way.here),
        "rework": bool(found.way and found.way.loop),
        "ready": found.is_ready,
        "why_not": found.why,
        "units": [vars(offer) for offer in found.offers],
    }


def _line(line: WorkLine) -> dict[str, Any]:
    return {**_said(line.found), "position": line.position, "ready": not line.why_not, "why_not": line.why_not}


def _stage(stage: Stage) -> dict[str, Any]:
    step = stage.step
    return {
        "number": step.number,
        "name": step.name,
        "classes": sorted(step.all_classes),
        "state": stage.state,
        "unit": stage.unit,
        "at_ms": stage.at_ms,
    }


def _due(due: Due) -> dict[str, Any]:
    return {
        "standard_id": due.document.id,
        "version": due.document.version,
        "unit": due.unit,
        "since_ms": due.since_ms,
        "values": due.values,
        "missing": [item.name for item in due.missing],
        "holds_step": due.holds_step,
    }
