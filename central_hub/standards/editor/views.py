"""Pages of the editor: which kind, its form, and the check that answers while one types. Nothing is kept before a save."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from pydantic import BaseModel
from werkzeug.wrappers import Response as BaseResponse

from central_hub.context import hub
from central_hub.standards import errors, reading, service
from central_hub.standards.addresses import parts_of
from central_hub.standards.editor.checked import Checked, check
from central_hub.standards.editor.picks import read_picks
from central_hub.standards.editor.shape import model_of, shape_of
from central_hub.standards.editor.steps import offered, step
from central_hub.standards.editor.typed import FIELDS_MAX, count_of, repeated, shown, values_of
from central_hub.standards.editor.words import KINDS as ABOUT
from central_hub.standards.editor.words import title_of
from shared.errors import StrandlineError
from shared.standards.diff import Change, differences, value_text
from shared.standards.documents import KINDS, AnyStandard
from shared.web import forms
from shared.web.context import actor, node, requires
from shared.web.context import reading as picture

bp = Blueprint("editor", __name__, template_folder="../templates")


@bp.get("/standards/write")
@requires("author")
def kinds() -> str:
    """Which kind of standard."""
    return render_template(
        "standards/editor/kinds.html", kinds=[(kind, title_of(kind), ABOUT.get(kind, "")) for kind in KINDS]
    )


@bp.get("/standards/write/<kind>")
@requires("author")
def form(kind: str) -> str | BaseResponse:
    """A new document of a kind, or the next version of an existing one (from=ID/VERSION)."""
    model, origin = _model(kind), request.args.get("from", "")
    values: dict[str, Any] = {"version": 1}
    if origin:
        values = _following(*parts_of(origin))
        if count_of(values) > FIELDS_MAX:
            return redirect(url_for("standards.draft_form") + f"?from={origin}")
    return _show(kind, values, check(model, _whole(kind, values)) if origin else Checked(None), origin)


@bp.post("/standards/write/<kind>")
@requires("author")
def write(kind: str) -> str | BaseResponse | tuple[str, int]:
    """A button of the form: a row more or less, or save."""
    model = _model(kind)
    values = _typed(model)
    do = request.form.get("do", "form")
    if do != "save":
        values = step(values, do)
        return _show(kind, values, check(model, _whole(kind, values)))
    try:
        if repeated(values):
            raise errors.name_twice()
        made = service.draft(hub(), _whole(kind, values), actor(), forms.command_id())
    except StrandlineError as error:
        g.form_error = error
        return _show(kind, values, check(model, _whole(kind, values))), error.status
    flash(f"{made.id} v{made.version} is saved as a draft.")
    return redirect(url_for("standards.version", address=f"{made.id}/{made.version}"))


@bp.post("/standards/write/<kind>/check", endpoint="check")
@requires("author")
def check_typed(kind: str) -> str:
    """What is wrong with what stands in the form now, and what its cases come out as."""
    model = _model(kind)
    found = check(model, _whole(kind, _typed(model)))
    return render_template("standards/editor/check.html", checked=found, **_compared(found.document))


def _model(kind: str) -> type[BaseModel]:
    model = model_of(kind)
    if model is None:
        raise errors.unknown_kind(kind)
    return model


def _typed(model: type[BaseModel]) -> dict[str, Any]:
    fields = {
        name: request.form.getlist(name) for name in request.form if name not in ("csrf_token", "do", "command_id")
    }
    return values_of(shape_of(model), fields)


def _whole(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, **values}


def _following(standard_id: str, number: int) -> dict[str, Any]:
    """The values of the version that follows, or of the draft itself."""
    with picture() as conn:
        found = reading.find_whole(conn, node().code, standard_id, number)
    if found is None:
        raise errors.unknown_version(standard_id, number)
    following = number if found.row.status == "draft" else number + 1
    return {**found.document.model_dump(mode="json", exclude={"kind", "schema_version"}), "version": following}


def _compared(document: AnyStandard | None) -> dict[str, Any]:
    """What differs from the version before it that was published."""
    found: list[Change] = []
    before = None
    if document is not None:
        with picture() as conn:
            before = reading.find_published_before(conn, node().code, document.id, document.version)
        found = differences(before, document) if before else []
    return {"compared_with": before.version if before else None, "differences": found, "value_text": value_text}


def _show(kind: str, values: dict[str, Any], checked: Checked, origin: str = "") -> str:
    with picture() as conn:
        picked = read_picks(conn, hub())
    return render_template(
        "standards/editor/form.html",
        picked=picked,
        kind=kind,
        title=title_of(kind),
        about=ABOUT.get(kind, ""),
        node=shape_of(_model(kind)),
        values=values,
        checked=checked,
        origin=origin,
        heads=[str(column.get("name", "")) for column in values.get("columns") or () if isinstance(column, dict)],
        offered=offered(values) if kind == "quality_rule" else [],
        here=url_for("editor.write", kind=kind),
        shown_as=shown,
        **_compared(checked.document),
    )
