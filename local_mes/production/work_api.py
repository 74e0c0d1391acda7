"""Work by hand as JSON: cut, slit, crop, sample, weld; pack and take apart; return to the melt. Grams, micrometres."""

from __future__ import annotations

from typing import Any, Literal

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.production import packing
from local_mes.production.handwork import HandWork, work
from local_mes.production.handwork_domain import Part
from local_mes.production.person import Command
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body, Moment
from shared.web.context import actor, requires

tag = Tag(name="work", description="Operations by hand on pieces")
bp = APIBlueprint("work_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
MAY = ("operator", "lead", "yard")
PARTS_MAX = 100
LENGTH_MAX_UM = 10**10


class CommandBody(Body):
    """What every command carries."""

    command_id: str = Field(min_length=1, max_length=64)
    occurred_at: Moment | None = None

    def command(self) -> Command:
        """As the use cases take it."""
        return Command(self.command_id, actor(), self.occurred_at)


class WorkPartBody(Body):
    """One product: from where to where of the piece, along (cut, crop, sample) or across (slit)."""

    from_um: int = Field(ge=0, le=LENGTH_MAX_UM)
    to_um: int = Field(ge=0, le=LENGTH_MAX_UM)
    number: str = Field("", max_length=64, description="empty: the next of the plant's scheme")
    mass_g: int = Field(0, ge=0, le=10**9, description="0: by its part of the piece")


class WorkBody(CommandBody):
    """An operation by hand. parts: of the one piece; a weld joins `pieces` in their order to `number`."""

    operation: Literal["cut", "slit", "crop", "sample", "weld"]
    unit: str = Field(min_length=1, max_length=64)
    pieces: list[str] = Field(min_length=1, max_length=PARTS_MAX)
    parts: list[WorkPartBody] = Field(default_factory=list, max_length=PARTS_MAX)
    number: str = Field("", max_length=64)
    scrap_g: int = Field(0, ge=0, le=10**9)
    reason: str = Field("", max_length=500)


class PackBody(CommandBody):
    """Pieces that become one pack; mass_g as weighed, 0 = the sum."""

    pieces: list[str] = Field(min_length=1, max_length=packing.MEMBERS_MAX)
    number: str = Field("", max_length=64)
    mass_g: int = Field(0, ge=0, le=10**9)
    unit: str = Field("", max_length=64)


class NumberPath(BaseModel):
    """A piece by any number printed on it."""

    number: str = Field(max_length=64)


class RemeltBody(CommandBody):
    """Where the piece lies as scrap of which grade, and why."""

    bay: str = Field(min_length=1, max_length=64)
    scrap_grade: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=500)


@bp.post("/operations/work")
@requires(*MAY)
def post_work(body: WorkBody) -> tuple[dict[str, Any], int]:
    """Cut, slit, crop, sample or weld by hand."""
    parts = tuple(Part(part.from_um, part.to_um, part.number, part.mass_g) for part in body.parts)
    asked = HandWork(body.operation, body.unit, tuple(body.pieces), parts, body.number, body.scrap_g, body.reason)
    return work(plant(), body.command(), asked), 201


@bp.post("/packs")
@requires(*MAY)
def post_pack(body: PackBody) -> tuple[dict[str, Any], int]:
    """Pack pieces."""
    made = packing.pack(plant(), body.command(), body.pieces, number=body.number, mass_g=body.mass_g, unit=body.unit)
    return made, 201


@bp.post("/packs/<number>/open")
@requires(*MAY)
def post_open(path: NumberPath, body: CommandBody) -> dict[str, Any]:
    """Take a pack apart."""
    return packing.open_pack(plant(), body.command(), path.number)


@bp.post("/pieces/<number>/remelt")
@requires("lead", "quality")
def post_remelt(path: NumberPath, body: RemeltBody) -> dict[str, Any]:
    """Return a piece to the melt shop."""
    return packing.remelt(plant(), body.command(), path.number, body.bay, body.scrap_grade, body.reason)
