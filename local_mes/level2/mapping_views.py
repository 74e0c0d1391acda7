"""Pages of the mapping: the plant's signals with their values, what each message means, try it, mend it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.level2.again import interpret_all_again
from local_mes.level2.errors import unknown_message
from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.mapping.editing import check_text, get_file, mark_of, save_text
from local_mes.level2.mapping.files import read_text as read_file
from local_mes.level2.mapping.inputs import words_of
from local_mes.level2.mapping.live import find_live
from local_mes.level2.mapping.trial import Trial, read_pasted, try_message
from local_mes.level2.mapping_api import bp as api
from local_mes.level2.operations import describe_operations
from local_mes.level2.queries import OPEN, find_repairs_of
from local_mes.level2.spool_tables import message
from shared.db.engine import read
from shared.errors import BadInput, BadSetup
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import keeps_input, read_text
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut

bp = Blueprint("mapping", __name__, url_prefix="/level2", template_folder="templates")
ENGINEER = "engineer"
STATE_SIGNS = {"good": "done", "not told": "nodata", "no data": "nodata", "bad": "attention"}
TRIAL_SIGNS = {"done": "done", "not_yet": "nodata", "bad": "attention"}
TEXT_MAX = 200_000

COLUMNS = (
    Column("name", "Signal", show="code"),
    Column("value", "Value", link="workbench.spooled", link_key="spool_id", link_arg="spool_id"),
    Column("unit", "Unit"),
    Column("state", "State", show="badge"),
    Column("at_ms", "Told", show="when"),
    Column("link", "Link", show="code"),
    Column("source", "Message and field", show="code"),
    Column("used_by", "Used by"),
)


@bp.get("/namespace")
def namespace() -> str | BaseResponse:
    """Every signal of the plant by its name, with the last value told."""
    plan = load_links(plant().settings)
    links = tuple((code, code) for code, link in plan.links.items() if link.mapping)
    return answer_list(
        "level2/namespace.html",
        COLUMNS,
        lambda paging: _live(plan, paging),
        filters=(Filter("q", "Part of the name"), Filter("link", "Link", links)),
    )


def _live(plan: LinkPlan, paging: Paging) -> Page[Any]:
    part, link = paging.wants("q").lower(), paging.wants("link")
    rows = [
        {**asdict(one), "key": one.key, "state_state": STATE_SIGNS[one.state]}
        for one in find_live(plant(), plan)
        if part in one.name.lower() and link in ("", one.link) and one.key > paging.after
    ]
    return cut(rows[: paging.limit + 1], paging, "key")


@bp.get("/mappings")
def mappings() -> str:
    """The links' files, and what is wrong with one, if so."""
    plan = load_links(plant().settings)
    why = ""
    try:
        files = plan.mappings.by_link
    except BadSetup as error:
        files, why = {}, error.what
    return render_template(
        "level2/mappings.html",
        links=list(plan.links.values()),
        files=files,
        why=why,
        operations={name: words_of(inputs) for name, inputs in describe_operations().items()},
    )


@bp.get("/mappings/<code>")
def mapping(code: str) -> str:
    """One file: its entries, and its text to be mended."""
    plan = load_links(plant().settings)
    link, path = get_file(plan, code)
    text, why = "", ""
    try:
        text = read_file(path)
        found = plan.mappings.by_link[code]
    except BadSetup as error:
        found, why = None, error.what
    return render_template(
        "level2/mapping.html",
        link=link,
        found=found,
        why=why,
        text=request.form.get("text", text),
        mark=request.form.get("mark") or mark_of(text),
        engineer=ENGINEER,
    )


@bp.post("/mappings/<code>")
@requires(ENGINEER)
@keeps_input(mapping)
def save(code: str) -> BaseResponse | str:
    """Check what was typed, or save it and interpret again what lies in repair of this link."""
    here = plant()
    plan = load_links(here.settings)
    text = request.form.get("text", "").replace("\r\n", "\n")
    if len(text) > TEXT_MAX:
        raise BadInput("form.long", f"The mapping has {len(text)} characters.", todo=f"Use at most {TEXT_MAX}.")
    if "check" in request.form:
        check_text(plan, code, text)
        flash("The mapping can be used. It is not saved yet.", "done")
        return mapping(code)
    save_text(plan, code, text, read_text("mark", "Version"), actor=actor())
    done = interpret_all_again(here, code, actor=actor())
    flash(f"Saved; it is in force. {_words(done.mended, done.left)}", "done")
    return redirect(url_for("mapping.mapping", code=code))


@bp.get("/try")
@requires(ENGINEER)
def trying() -> str:
    """The form; with spool_id that message stands in it and is tried at once."""
    spool_id = request.args.get("spool_id", type=int)
    if spool_id is None:
        return _trial_page(request.args.get("link", ""), "", "", None)
    here = plant()
    with read(here.spool) as conn:
        row = conn.execute(select(message).where(message.c.spool_id == spool_id)).first()
    if row is None:
        raise unknown_message(spool_id)
    fields = msgspec.json.decode(row.fields)
    trial = try_message(here, load_links(here.settings), row.link, row.message, fields, row.received_ms)
    with reading() as conn:
        in_repair = any(one.state == OPEN for one in find_repairs_of(conn, row.link, spool_id))
    return _trial_page(row.link, row.message, msgspec.json.format(row.fields, indent=2), trial, again=not in_repair)


@bp.post("/try")
@requires(ENGINEER)
@keeps_input(lambda: _trial_page("", "", "", None))
def tried() -> str:
    """What would come of what was pasted."""
    here = plant()
    plan = load_links(here.settings)
    link = read_text("link", "Link")
    pasted = read_text("text", "Message", most=TEXT_MAX)
    name, fields = read_pasted(plan, link, read_text("message", "Message name", needed=False), pasted)
    return _trial_page(link, name, pasted, try_message(here, plan, link, name, fields))


def _trial_page(link: str, name: str, text: str, trial: Trial | None, *, again: bool = False) -> str:
    plan = load_links(plant().settings)
    known = {code: list(dict.fromkeys([*one.accepts])) for code, one in plan.links.items()}
    return render_template(
        "level2/trial.html",
        link=link,
        name=name,
        text=text,
        trial=trial,
        again=again,
        known=known,
        link_choices=[(code, code) for code in known],
        signs=TRIAL_SIGNS,
    )


@bp.post("/repairs-again")
@requires(ENGINEER)
def all_again() -> BaseResponse:
    """Interpret everything in repair again, as it was received, in its order."""
    link = read_text("link", "Link", needed=False)
    done = interpret_all_again(plant(), link, actor=actor())
    flash(_words(done.mended, done.left) or "Nothing lies in repair.", "done" if done.mended else "attention")
    return redirect(url_for("level2.repairs", state="open", link=link or None))


def _words(mended: int, left: int) -> str:
    if not mended and not left:
        return ""
    went = f"{mended} message{'' if mended == 1 else 's'} in repair went through"
    return f"{went}, {left} still {'does' if left == 1 else 'do'} not." if left else f"{went}."


FEATURE = Feature(
    pages=(bp,),
    apis=(api,),
    menu=(
        MenuItem("Node", "Level 2 namespace", "mapping.namespace", (ENGINEER,)),
        MenuItem("Node", "Level 2 mapping", "mapping.mappings", (ENGINEER,)),
    ),
)
