"""The conformance page: plants by standards, what is away, what deviates, what drifts and by which fields."""

from __future__ import annotations

from typing import Any, get_args

from flask import Blueprint, render_template, request, url_for

from central_hub.conformance.api import api
from central_hub.conformance.domain import State
from central_hub.conformance.part import part_of
from central_hub.conformance.service import Wish, read_matrix
from central_hub.conformance.words import SIGNS, text_of
from central_hub.context import hub
from central_hub.plants.queries import list_codes
from shared.standards.documents import KINDS
from shared.web.context import reading
from shared.web.features import Feature, MenuItem

bp = Blueprint("conformance", __name__, template_folder="templates")
FILTERS = ("q", "plant", "kind", "state")


@bp.get("/conformance")
def conformance() -> str:
    """Who runs what: as many cells as a screen holds, of those that are looked for."""
    asked = {name: request.args.get(name, "").strip()[:100] for name in FILTERS}
    with reading() as conn:
        codes = list_codes(conn)
        matrix = read_matrix(conn, hub(), Wish(plant=asked["plant"], kind=asked["kind"]))
    part = part_of(matrix, asked["state"], asked["q"], _place("row"), _place("column"))
    return render_template(
        "conformance/matrix.html",
        matrix=matrix,
        part=part,
        asked=asked,
        codes=codes,
        kinds=KINDS,
        states=get_args(State),
        address=_address,
        text_of=text_of,
        signs=SIGNS,
    )


def _place(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdigit() and len(text) < 7 else 0


def _address(**changes: str | int | None) -> str:
    """This page with some of its state changed."""
    asked = {**request.args.to_dict(), **changes}
    kept: Any = {name: value for name, value in asked.items() if value not in (None, "")}
    return url_for("conformance.conformance", **kept)


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Standards", "Who runs what", "conformance.conformance"),))
