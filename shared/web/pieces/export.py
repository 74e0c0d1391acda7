"""A trace to take along: CSV, GraphML, EPCIS 2.0. What was cut off is told in a header of the answer."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from flask import Response, current_app, request
from pydantic import Field

from shared.material.api import NumberPath, TraceQuery
from shared.material.pack_queries import pack_events_of
from shared.material.queries import get_piece
from shared.material.trace import trace
from shared.material.way_trace import operations_in, with_way
from shared.transfers.moves import arrivals_of, departures_of
from shared.web.api_blueprint import APIBlueprint
from shared.web.context import face, node, reading
from shared.web.pieces.epcis import Names, document
from shared.web.pieces.files import as_csv, as_graphml

api = APIBlueprint("trace_export_api", __name__, url_prefix="/api/v1")
TYPES = {"csv": "text/csv", "graphml": "application/graphml+xml", "epcis": "application/ld+json"}
ENDINGS = {"csv": "csv", "graphml": "graphml", "epcis": "jsonld"}


class ExportQuery(TraceQuery):
    """As a trace, and in which form."""

    form: Literal["csv", "graphml", "epcis"] = Field("csv", description="epcis: EPCIS 2.0 in JSON-LD")


@api.get("/traces/<number>/export", summary="What a piece came from and became, as CSV, GraphML or EPCIS 2.0")
def export_trace(path: NumberPath, query: ExportQuery) -> Response:
    """Everything unless the question limits it; the header Strandline-Cut says what was left out."""
    with reading() as conn:
        piece = get_piece(conn, path.number)
        found = trace(conn, piece.material_id, query.direction, query.depth, query.count, query.wanted)
        found = with_way(conn, found, query.wanted, query.depth)
        operations = operations_in(conn, found)
        ids = [row.material_id for row in found.rows] if query.form == "epcis" else []
        left, came = departures_of(conn, ids), arrivals_of(conn, ids)
        packs = pack_events_of(conn, ids)
    if query.form == "epcis":
        names = Names(request.url_root, ZoneInfo(face().zone))
        body = msgspec.json.encode(document(found, operations, left, came, packs, names, node().clock.now_ms()))
    elif query.form == "csv":
        body = as_csv(found, operations).encode()
    else:
        body = "".join(as_graphml(found, operations)).encode()
    answer = current_app.response_class(body, mimetype=TYPES[query.form])
    answer.headers["Content-Disposition"] = f'attachment; filename="trace-{piece.material_id}.{ENDINGS[query.form]}"'
    if found.cut:
        answer.headers["Strandline-Cut"] = found.cut.words
    return answer
