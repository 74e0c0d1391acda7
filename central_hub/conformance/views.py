"""The conformance page: plants by standards, what is away, what deviates, what drifts and by which fields."""

from __future__ import annotations

from typing import Any, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from central_hub.conformance import deviations
from central_hub.conformance.api import JUDGES, api
from central_hub.conformance.domain import State
from central_hub.conformance.part import part_of
from central_hub.conformance.service import Wish, read_matrix
from central_hub.conformance.words import SIGNS, text_of
from central_hub.context import hub
from central_hub.plants.queries import list_codes
from shared.standards.deviation_form import read_verdict
from shared.standards.documents import KINDS
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, reading, requires
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


@bp.get("/deviations")
def deviating() -> str:
    """Every deviation in force, with what was said of it."""
    with reading() as conn:
        found = deviations.list_active(conn, hub())
        names = names_of(conn, {word.said_by for d in found for word in d.past.words})
    return render_template("conformance/deviations.html", found=found, names=names, judges=JUDGES)


@bp.post("/deviations/<plant>/<deviation_id>")
@requires(*JUDGES)
@forms.keeps_input(lambda plant, deviation_id: deviating())
def judge(plant: str, deviation_id: str) -> BaseResponse:
    """Say yes or no to one."""
    verdict, reason, expires_ms = read_verdict()
    deviations.judge(hub(), plant, deviation_id, expires_ms, verdict, reason, actor(), forms.command_id())
    flash("The plant reads it with its next exchange.")
    return redirect(url_for("conformance.deviating"))


def _place(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdigit() and len(text) < 7 else 0


def _address(**changes: str | int | None) -> str:
    """This page with some of its state changed."""
    asked = {**request.args.to_dict(), **changes}
    kept: Any = {name: value for name, value in asked.items() if value not in (None, "")}
    return url_for("conformance.conformance", **kept)


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(
        MenuItem("Standards", "Who runs what", "conformance.conformance"),
        MenuItem("Standards", "Deviations", "conformance.deviating"),
    ),
)
