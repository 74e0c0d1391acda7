"""Recall as JSON: a page with the totals of all, or every piece as a stream of lines."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from flask_openapi import Tag
from pydantic import BaseModel, Field

from shared.material.trace import LENGTH_MAX_UM
from shared.recall.lines import as_json, stream_answer
from shared.recall.queries import LINES_MAX, Asked, first_page, steel_of_place
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import face, reading

tag = Tag(name="traceability", description="What became of a piece, over all plants")
bp = APIBlueprint("traceability_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
Form = Literal["json", "ndjson", "csv"]


class NumberPath(BaseModel):
    """A piece or heat by any number printed on it, or by its material id."""

    number: str = Field(max_length=64)


class RecallQuery(BaseModel):
    """What is recalled: pieces; a place on one of them; what a unit made in a time; a finding. Then in which form."""

    numbers: str = Field("", max_length=4_000, description="heats or pieces, separated by commas")
    from_um: int | None = Field(None, ge=0, le=LENGTH_MAX_UM, description="a place on the one piece: from its head")
    to_um: int | None = Field(None, ge=0, le=LENGTH_MAX_UM)
    left_um: int | None = Field(
        None, ge=0, le=LENGTH_MAX_UM, description="from its left edge; without: the whole width"
    )
    right_um: int | None = Field(None, ge=0, le=LENGTH_MAX_UM)
    least_share_ppm: int = Field(
        0, ge=0, le=1_000_000, description="of heats: only where at least this share of the steel is of one of them"
    )
    plant: str = Field("", max_length=64)
    unit: str = Field("", max_length=64, description="what this unit of the plant made between from_ms and to_ms")
    finding: str = Field("", max_length=64, description="id of a mark; with from_ms and to_ms also a kind of mark")
    from_ms: int = Field(0, ge=0)
    to_ms: int = Field(0, ge=0)
    form: Form = Field("json", description="json: a page with totals; ndjson and csv: every piece, streamed")
    limit: int = Field(200, ge=1, le=LINES_MAX, description="lines of the page")

    @property
    def asked(self) -> Asked:
        """The question without its form."""
        numbers = tuple(dict.fromkeys(filter(None, (n.strip() for n in self.numbers.split(",")))))
        return Asked(numbers, **self.model_dump(exclude={"numbers", "form", "limit"}))


@bp.get(
    "/recalls", summary="Everything made of heats, of a place, in a time at a unit, of a finding; and where it is now"
)
def recalls(query: RecallQuery) -> dict[str, Any] | Response:
    """Masses in grams. The last line of ndjson holds the totals: a stream without it is not the whole."""
    if query.form != "json":
        return stream_answer(query.asked, query.form)
    return _page(query.asked, query.limit)


@bp.get("/recalls/<number>", summary="Everything made of a piece, and where each of it is now")
def get_recall(path: NumberPath) -> dict[str, Any]:
    """Pieces at large first. Masses in grams; mass_g is the sum of those at large."""
    return _page(Asked(numbers=(path.number,)), LINES_MAX)


def _page(asked: Asked, lines: int) -> dict[str, Any]:
    with reading() as conn:
        found = first_page(conn, asked, lines, face().group(conn))
        steel = steel_of_place(conn, asked)
    pieces, mass_g = found.totals.at_large()
    return {
        "number": found.number,
        "at_large": pieces,
        "mass_g": mass_g,
        "totals": [line._asdict() for line in found.totals.lines],
        "items": [as_json(piece) for piece in found.pieces],
        "cut": found.cut,
        "told": list(found.told),
        "steel": [{"number": number, "share_ppm": ppm} for number, ppm in steel],
        "next": None,
        **as_of(),
    }
