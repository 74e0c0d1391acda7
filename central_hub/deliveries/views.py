"""On time in full over the whole group, as page and JSON: as of the earliest of the plants that answer for customers."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import msgspec
from flask import Blueprint, render_template
from flask_openapi import Tag

from central_hub.transfers.watermarks import watermarks
from shared.outside.otif import DEFINITION, Fulfilment, as_row, scores
from shared.outside.otif_queries import answering_plants, read_fulfilment
from shared.outside.showing import ORDER_COLUMNS, OTIF_COLUMNS, order_row, score_row
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import node, reading
from shared.web.features import Feature, MenuItem

bp = Blueprint("deliveries", __name__)
tag = Tag(name="deliveries", description="What leaves the group: on time in full")
api = APIBlueprint("deliveries_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


def read_otif() -> tuple[list[Fulfilment], int]:
    """Order items of all customers, and up to when what left for them is known. Days are UTC."""
    with reading() as conn:
        through = watermarks(conn)
        as_of_ms = min((through.get(plant, 0) for plant in answering_plants(conn)), default=node().clock.now_ms())
        return read_fulfilment(conn, "", as_of_ms, UTC), as_of_ms


@bp.get("/on-time-in-full")
def otif() -> str:
    """By customer and month, and the orders behind it."""
    found, as_of_ms = read_otif()
    return render_template(
        "otif.html",
        definition=DEFINITION,
        as_of_ms=as_of_ms,
        columns=OTIF_COLUMNS,
        rows=[score_row(score) for score in scores(found)],
        order_columns=ORDER_COLUMNS,
        orders=[order_row(one) for one in found],
    )


@api.get("/on-time-in-full", summary="On time in full, by customer and month")
def get_otif() -> dict[str, Any]:
    """The figure with its definition, each order item behind it, and the moment that all of it holds for."""
    found, as_of_ms = read_otif()
    return {
        "definition": DEFINITION,
        "items": [as_row(score) for score in scores(found)],
        "orders": [{**msgspec.to_builtins(vars(one)), "state": one.state} for one in found],
        "as_of_ms": as_of_ms,
        **as_of(),
    }


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Figures", "On time in full", "deliveries.otif"),))
