"""Corrections as JSON commands; the reads are shared/material/correction_api.py."""

from __future__ import annotations

from typing import Any, Literal

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.production import correcting
from local_mes.production.correction_deciding import LENGTH_MAX_UM
from local_mes.production.correction_domain import Asked
from shared.material.facts import Loss
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, requires

tag = Tag(name="corrections", description="Recorded statements that turned out wrong")
bp = APIBlueprint("correcting_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
MAY = ("lead", "quality", "engineer")
"""Who may correct what is on record: not the one alone who booked it."""


class LossBody(Body):
    """A loss of the step; an addition has negative grams."""

    kind: str = Field(min_length=1, max_length=64)
    g: int = Field(ge=-(10**12), le=10**12)
    weighed: bool = False


class FactCorrectionBody(Body):
    """What is wrong of which piece, and what is right; g, um. Only what belongs to `what` counts."""

    command_id: str = Field(min_length=1, max_length=64)
    what: Literal["mass", "size", "interval", "consumption", "losses", "number", "move", "mark", "scrap", "step"]
    piece: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=500)
    mass_g: int = Field(0, ge=0, description="what=mass; 0: the weighing did not happen")
    scale: str = Field("", max_length=64)
    fact: str = Field(
        "", max_length=32, description="fact id of the wrong weighing or move, default the last; id of the mark"
    )
    thickness_um: int = Field(0, ge=0, le=LENGTH_MAX_UM)
    width_um: int = Field(0, ge=0, le=LENGTH_MAX_UM)
    length_um: int = Field(0, ge=0, le=LENGTH_MAX_UM)
    parent: str = Field("", max_length=64, description="what=interval, consumption; default the only or first parent")
    charged_g: int = Field(0, ge=0)
    whole: bool = True
    from_um: int = Field(0, ge=0, description="what=mark: with to_um 0 as it was; equal to to_um: one place")
    to_um: int = Field(0, ge=0)
    left_um: int = Field(0, ge=0, description="what=mark: with right_um 0 as it was")
    right_um: int = Field(0, ge=0)
    losses: list[LossBody] = Field(default_factory=list, max_length=40, description="what=losses: all of the step")
    number: str = Field("", max_length=64, description="what=number: the right one")
    place: str = Field("", max_length=64, description="what=move: where it was put")
    text: str = Field("", max_length=200, description="what=mark: empty for its text as it is")
    withdrawn: bool = Field(False, description="what=move, mark: it was not moved then; there is no such mark")


class CasePath(BaseModel):
    """A case."""

    case_id: str = Field(max_length=32)


class SettleBody(Body):
    """How the case ends: the correction is carried out after all, or the record stands."""

    command_id: str = Field(min_length=1, max_length=64)
    how: Literal["carried_out", "stands", "otherwise"]
    note: str = Field("", max_length=2_000)


@bp.post("/corrections")
@requires(*MAY)
def post_correction(body: FactCorrectionBody) -> tuple[dict[str, Any], int]:
    """Correct it; or open a case, when pieces that went on stand on it."""
    asked = Asked(
        **body.model_dump(exclude={"command_id", "losses"}),
        losses=tuple(Loss(loss.kind, loss.g, loss.weighed) for loss in body.losses),
    )
    return correcting.correct(plant(), asked, actor=actor(), command_id=body.command_id), 201


@bp.post("/correction-cases/<case_id>/settle")
@requires(*MAY)
def post_settle(path: CasePath, body: SettleBody) -> dict[str, Any]:
    """End a case."""
    return correcting.settle(plant(), path.case_id, body.how, body.note, actor=actor(), command_id=body.command_id)
