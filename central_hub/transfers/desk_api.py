"""The case desk and the figures of lanes as JSON: hand a case over, say a word, what lanes and scales show."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import Field

from central_hub.context import hub
from central_hub.transfers import lane_reads
from central_hub.transfers.desk import Charge, assign, say
from shared.transfers.api import CasePath
from shared.transfers.case_rules import TEXT_MAX
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body, Moment
from shared.web.context import actor, reading, requires

tag = Tag(name="transfers", description="Loads, receipts and cases between plants")
bp = APIBlueprint("case_desk_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class CaseChargeBody(Body):
    """Who looks after a case, whose turn it is, until when (ms since 1970 UTC)."""

    command_id: str = Field(min_length=1, max_length=64)
    owner: str = Field("", max_length=64, description="id of a person of the group's logistics; empty: nobody")
    party: str = Field(min_length=1, max_length=64, description="code of the hub or of a plant of the case")
    deadline_ms: Moment
    note: str = Field("", max_length=TEXT_MAX)


class GroupWordOnCase(Body):
    """A word about a case that both of its plants read."""

    command_id: str = Field(min_length=1, max_length=64)
    text: str = Field(min_length=1, max_length=TEXT_MAX)


@bp.post("/cases/<case_id>/charge", summary="Hand a case to somebody with a deadline")
@requires("logistics")
def post_charge(path: CasePath, body: CaseChargeBody) -> dict[str, Any]:
    """The last charge stands; both plants are told whose turn it is."""
    charge = Charge(body.owner, body.party, body.deadline_ms, body.note)
    return assign(hub(), path.case_id, charge, actor=actor(), command_id=body.command_id)


@bp.post("/cases/<case_id>/words", summary="Say a word about a case")
@requires("logistics")
def post_group_word(path: CasePath, body: GroupWordOnCase) -> dict[str, Any]:
    """Both plants read it."""
    return say(hub(), path.case_id, body.text, actor=actor(), command_id=body.command_id)


@bp.get("/lanes", summary="Figures of all lanes over the last quarter, and what they say about scales")
def get_lanes() -> dict[str, Any]:
    """Transit times in ms, masses in grams, differences in ppm of the sender's mass with 95 % confidence."""
    with reading() as conn:
        shown = lane_reads.read_lanes(conn)
    return {
        "items": [asdict(one) | {"loss_ppm": one.loss_ppm} for one in shown["figures"]],
        "carriers": [asdict(one) | {"loss_ppm": one.loss_ppm} for one in shown["carriers"]],
        "pairs": [_rounded(asdict(one)) | {"differs": one.differs, "agrees": one.agrees} for one in shown["pairs"]],
        "findings": [_rounded(asdict(one) | {"pair": _rounded(asdict(one.pair))}) for one in shown["findings"]],
        "weeks": shown["weeks"],
        "next": None,
        **as_of(),
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Whole ppm; what is known to nothing is null, for JSON has no infinity."""
    return {name: _whole(value) if name.endswith("_ppm") else value for name, value in values.items()}


def _whole(ppm: float) -> int | None:
    return None if ppm in (float("inf"), float("-inf")) else round(ppm)
