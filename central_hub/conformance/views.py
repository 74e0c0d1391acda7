"""The conformance page: plants by standards, what is away, what deviates, what drifts and by which fields."""

from __future__ import annotations

from flask import Blueprint, render_template

from central_hub.conformance.api import api
from central_hub.conformance.service import read_matrix
from central_hub.conformance.words import SIGNS, text_of
from central_hub.context import hub
from shared.web.context import reading
from shared.web.features import Feature, MenuItem

bp = Blueprint("conformance", __name__, template_folder="templates")


@bp.get("/conformance")
def conformance() -> str:
    """Who runs what."""
    with reading() as conn:
        matrix = read_matrix(conn, hub())
    return render_template("conformance/matrix.html", matrix=matrix, text_of=text_of, signs=SIGNS)


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Standards", "Who runs what", "conformance.conformance"),))
