"""The yard as JSON: storages with their rules, and one of them with everything that lies in it."""

from __future__ import annotations

from typing import Any

from flask_openapi import Tag
from pydantic import Field
from sqlalchemy import Connection

from local_mes.context import plant
from local_mes.model.domain import Storage
from local_mes.plant import Plant
from local_mes.stock.yard_domain import Lying, hot_charge_left_h, hours, thermal
from local_mes.stock.yard_reads import Stack, Yard, read_yard
from shared.errors import NotFound
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Asked
from shared.web.context import reading

tag = Tag(name="yard", description="Storages, stacks, layers, clocks")
bp = APIBlueprint("yard_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class YardPath(Asked):
    """A storage of the plant model."""

    code: str = Field(max_length=16)


@bp.get("/yards", summary="The plant's storages with their rules, and how full they are")
def get_yards() -> dict[str, Any]:
    """Without the pieces."""
    here = plant()
    now = here.clock.now_ms()
    with reading() as conn:
        yards = [read_shift(conn, here, rules, now) for rules in here.model.storage]
    return {"items": [_summary(yard) for yard in yards], "next": None, "as_of": now}


@bp.get(
    "/yards/<code>", summary="One storage: stacks from the ground up, what is wrong with them, clocks of the pieces"
)
def get_yard(path: YardPath) -> dict[str, Any]:
    """loose: pieces that are here, and nobody has said in which stack."""
    here = plant()
    now = here.clock.now_ms()
    with reading() as conn:
        yard = read_shift(conn, here, get_storage(here, path.code), now)
    return {
        **_summary(yard),
        "stacks": [_stack(stack, yard.rules, now) for stack in yard.stacks],
        "loose": [_piece(piece, yard.rules, now) for piece in yard.loose],
        "as_of": now,
    }


def get_storage(here: Plant, code: str) -> Storage:
    """The storage of this code; NotFound naming those there are."""
    found = here.model.find_storage(code)
    if found is None:
        known = ", ".join(storage.code for storage in here.model.storage) or "none"
        raise NotFound("yard.unknown", f"{here.code} has no storage {code!r}.", todo=f"Its storages: {known}.")
    return found


def read_shift(conn: Connection, here: Plant, rules: Storage, now_ms: int) -> Yard:
    """A storage now, with the reshuffles of the shift that is on."""
    return read_yard(conn, here, rules, now_ms, here.model.calendar.at(now_ms).from_ms)


def _summary(yard: Yard) -> dict[str, Any]:
    pieces = yard.pieces
    return {
        "code": yard.rules.code,
        "rules": yard.rules.model_dump(mode="json"),
        "pieces": len(pieces),
        "mass_g": sum(piece.mass_g for piece in pieces),
        "stacks_used": len(yard.stacks),
        "stacks_with_faults": sum(bool(stack.faults) for stack in yard.stacks),
        "reshuffles_this_shift": yard.reshuffles,
        "dug_out_this_shift": yard.dug_out,
    }


def _stack(stack: Stack, rules: Storage, now_ms: int) -> dict[str, Any]:
    return {
        "place": stack.spot.text,
        "bay": rules.bay,
        "row": stack.spot.row,
        "stack": stack.spot.stack,
        "mass_g": stack.mass_g,
        "faults": [{"rule": one.rule, "text": one.text} for one in stack.faults],
        "pieces": [_piece(piece, rules, now_ms) | {"layer": n} for n, piece in enumerate(stack.pieces, start=1)],
    }


def _piece(piece: Lying, rules: Storage, now_ms: int) -> dict[str, Any]:
    age, left = hours(piece, now_ms), hot_charge_left_h(piece, rules, now_ms)
    return {
        "material_id": piece.material_id,
        "number": piece.number,
        "kind": piece.kind,
        "place": piece.place,
        "mass_g": piece.mass_g,
        "held": piece.held,
        "since_ms": piece.since_ms,
        "made_ms": piece.made_ms,
        "hours": None if age is None else round(age, 2),
        "thermal": thermal(piece, rules, now_ms),
        "hot_charge_left_h": None if left is None else round(left, 2),
    }
