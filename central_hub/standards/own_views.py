"""Pages of the plants' own standards."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, render_template
from flask_openapi import Tag

from central_hub.standards.plants_own import PlantsOwn, find_plants_own, read_plants_own
from shared.standards.readable import sections
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import reading

bp = Blueprint("plants_own", __name__, template_folder="templates")
tag = Tag(name="own standards", description="What plants run of their own")
api = APIBlueprint(
    "plants_own_api", __name__, url_prefix="/api/v1/own-standards", abp_tags=[tag], abp_security=[{"bearer": []}]
)


@bp.get("/own-standards")
def own_list() -> str:
    """Who runs what of its own."""
    with reading() as conn:
        found = read_plants_own(conn)
    return render_template("standards/plants_own.html", found=found)


@bp.get("/own-standards/<plant>/<standard_id>")
def one(plant: str, standard_id: str) -> str:
    """One, readable."""
    with reading() as conn:
        found = find_plants_own(conn, plant, standard_id)
    told = sections(found.document) if found.document else []
    return render_template("standards/plants_own_one.html", o=found, sections=told)


@api.get("")
def own() -> dict[str, Any]:
    """Who runs what of its own."""
    with reading() as conn:
        found = read_plants_own(conn)
    return {"items": [_item(each) for each in found], "next": None, **as_of()}


def _item(own: PlantsOwn) -> dict[str, Any]:
    told = asdict(replace(own, document=None))  # a document holds compiled expressions, which are not copied
    del told["document"]
    document = own.document
    return {**told, "title": document.title if document else "", "kind": document.kind if document else ""}
