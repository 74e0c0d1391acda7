"""The plant's signals and a trial of a message, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.level2.again import interpret_again, let_followers_go
from local_mes.level2.heard import find_link
from local_mes.level2.links import load_links
from local_mes.level2.mapping.live import find_live
from local_mes.level2.mapping.trial import try_message
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, requires

tag = Tag(name="mapping", description="Signals of the plant by name, and what Level 2's messages mean")
bp = APIBlueprint("mapping_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class LinkPath(BaseModel):
    """A link of the plant model."""

    code: str = Field(max_length=64)


class NamespaceQuery(BaseModel):
    """Part of a signal's name, and a link."""

    q: str = Field("", max_length=200)
    link: str = Field("", max_length=64)


class TrialBody(Body):
    """A message as it might come."""

    message: str = Field(min_length=1, max_length=64)
    fields: dict[str, Any]


class RepairPath(BaseModel):
    """A message in repair."""

    repair_id: str = Field(max_length=32)


class AgainBody(Body):
    """Interpret it again as it was received."""

    command_id: str = Field(min_length=1, max_length=64)
    note: str = Field("", max_length=500)


@bp.get("/namespace")
def get_namespace(query: NamespaceQuery) -> dict[str, Any]:
    """Every signal by its name with the last value told."""
    here = plant()
    part = query.q.lower()
    rows = [
        asdict(one)
        for one in find_live(here, load_links(here.settings))
        if part in one.name.lower() and query.link in ("", one.link)
    ]
    return {"items": rows, "next": None, "as_of": here.clock.now_ms()}


@bp.post("/links/<code>/try")
@requires("engineer")
def post_trial(path: LinkPath, body: TrialBody) -> dict[str, Any]:
    """What would come of a message; nothing is recorded."""
    here = plant()
    plan = load_links(here.settings)
    find_link(plan, path.code)
    return asdict(try_message(here, plan, path.code, body.message, body.fields))


@bp.post("/repairs/<repair_id>/again")
@requires("engineer", "lead", "quality")
def post_again(path: RepairPath, body: AgainBody) -> dict[str, Any]:
    """Interpret a message in repair as it was received, by the mapping of now."""
    done = interpret_again(plant(), path.repair_id, actor=actor(), command_id=body.command_id, note=body.note)
    let_followers_go(plant(), actor=actor())
    return done
