"""The page and the figures of a plant's edge; only where it has one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, render_template
from flask_openapi import Tag

from local_mes.context import plant
from local_mes.level2.edge.enrolment import door
from local_mes.level2.edge.status import desk_here, find_incidents, view_edge
from local_mes.level2.link_state import find_states
from shared.errors import NotFound
from shared.node import Node
from shared.web.api_blueprint import APIBlueprint
from shared.web.features import Feature, MenuItem
from sync.endpoint import endpoint

bp = Blueprint("edge", __name__, url_prefix="/level2/edge", template_folder="templates")
tag = Tag(name="edge", description="The collector on site, where the MES is elsewhere")
api = APIBlueprint("edge_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
LINK_SIGNS = {"connected": "normal", "no_data": "nodata", "away": "nodata", "stopped": "alarm"}
SIGNS = {"online": "normal", "away": "nodata", "never": "nodata"}


@bp.get("/")
def page() -> str:
    """State, backlog, and up to when all is here."""
    here, desk = plant(), _desk()
    shown = view_edge(here, desk)
    links = [row for _, row in sorted(find_states(here.spool).items())]
    return render_template(
        "edge/edge.html", edge=shown, signs=SIGNS, links=links, link_signs=LINK_SIGNS, incidents=find_incidents(desk)
    )


@api.get("/edge")
def figures() -> dict[str, Any]:
    """The same as JSON."""
    here = plant()
    return asdict(view_edge(here, _desk())) | {"as_of": here.clock.now_ms()}


def _desk() -> Node:
    desk = desk_here()
    if desk is None:
        raise NotFound("edge.none", "This plant has no edge.", todo="docs/operations.md, Edge, says how it gets one.")
    return desk


FEATURE = Feature(
    pages=(bp,), apis=(api,), machine=(endpoint, door), menu=(MenuItem("Node", "Edge on site", "edge.page"),)
)
