"""Set-points as JSON: which there are, send one, see what became of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.level2 import setpoints
from local_mes.level2.links import load_links
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, requires

tag = Tag(name="level2", description="Connections to Level 2, messages to repair, orders sent down")
bp = APIBlueprint("setpoint_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
SENDERS = ("operator", "lead", "engineer")


class SetPointBody(Body):
    """Values by field name, within what the layout allows; piece: the number of the one it is for, if it is for one."""

    command_id: str = Field(min_length=1, max_length=64)
    link: str = Field(max_length=64)
    message: str = Field(max_length=64)
    fields: dict[str, int | float | str | None] = Field(max_length=100)
    piece: str = Field("", max_length=64)


class WithdrawSetPointBody(Body):
    """Take one back that is not answered. The second time it is withdrawn already, and says so."""

    command_id: str = Field(min_length=1, max_length=64)


class OrderPath(BaseModel):
    """One that was sent."""

    down_id: int = Field(ge=1, le=2**53)


class SentQuery(BaseModel):
    """The newest first."""

    limit: int = Field(50, ge=1, le=500)


@bp.get("/setpoints")
def get_setpoints() -> dict[str, Any]:
    """The set-points of this plant's links, with the limits of each field."""
    here = plant()
    found = setpoints.find_setpoints(load_links(here.settings))
    return {"items": [_shown(one) for one in found], "next": None, "as_of": here.clock.now_ms()}


@bp.post("/setpoints")
@requires(*SENDERS)
def post_setpoint(body: SetPointBody) -> dict[str, Any]:
    """Queue a set-point; its state goes to sent and then to confirmed or refused. Never for a held piece."""
    sent = setpoints.send(
        plant(),
        body.link,
        body.message,
        body.fields,
        piece=body.piece.strip(),
        actor=actor(),
        command_id=body.command_id,
    )
    return asdict(sent)


@bp.get("/setpoints/sent")
def get_sent(query: SentQuery) -> dict[str, Any]:
    """What was sent, its state and Level 2's answer."""
    here = plant()
    rows = setpoints.find_sent(here, query.limit)
    return {"items": [asdict(row) for row in rows], "next": None, "as_of": here.clock.now_ms()}


@bp.post("/setpoints/sent/<int:down_id>/withdraw")
@requires(*SENDERS)
def post_withdraw(path: OrderPath, body: WithdrawSetPointBody) -> dict[str, Any]:
    """Take back one that is not answered."""
    return asdict(setpoints.take_back(plant(), path.down_id, actor()))


def _shown(one: setpoints.SetPoint) -> dict[str, Any]:
    return {
        "link": one.link.code,
        "unit": one.link.unit,
        "message": one.message,
        "title": one.layout.title,
        "fields": [
            {
                "name": f.name,
                "text": setpoints.is_text(f),
                "unit": f.unit,
                "min": f.low,
                "max": f.high,
                "values": list(f.values or f.codes.values()),
                "description": f.description,
            }
            for f in one.fields
        ],
    }
