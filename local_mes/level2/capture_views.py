"""Captures of a link by page: of any stretch of time, or started and stopped; and their replay in a plant made for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.level2 import captures
from local_mes.level2.capture import capture, parse_moment
from local_mes.level2.errors import no_file
from local_mes.level2.heard import find_link
from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.replaying import Replaying, check_made_for_it
from shared import logs
from shared.clock import to_datetime
from shared.errors import StrandlineError
from shared.web.accounts import names_of
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import keeps_input, read_number, read_text

bp = Blueprint("captures", __name__, url_prefix="/level2", template_folder="templates")
DAY_MS = 86_400_000
KEEPERS = ("engineer", "lead", "quality")
"""Who may take a capture away: it holds what the plant makes."""
ENGINEER = "engineer"
"""Who may replay one, where that may be done at all."""
FOLDER = "captures"
"""Below the node's folder: captures too large to be sent by a browser are laid there."""
SPEED_MAX = 1_000_000

log = logs.get("level2")


@bp.get("/links/<code>/capture")
@requires(*KEEPERS)
def capturing(code: str) -> str:
    """Captures of a link: those kept, and the form for any other stretch of time."""
    here = plant()
    plan = load_links(here.settings)
    link, now = find_link(plan, code), here.clock.now_ms()
    kept = captures.find_captures(here, code)
    with reading() as conn:
        names = names_of(conn, {one.started_by for one in kept})
    return render_template(
        "level2/capture.html",
        link=link,
        kept=kept,
        names=names,
        begin=_typed(now - DAY_MS, plan),
        end=_typed(now, plan),
        zone=plan.zone.key,
    )


@bp.post("/links/<code>/capture")
@requires(*KEEPERS)
@keeps_input(capturing)
def decide(code: str) -> BaseResponse:
    """Start one, stop it, or delete it."""
    here = plant()
    find_link(load_links(here.settings), code)
    if "start" in request.form:
        captures.start_capture(here, code, actor=actor())
        flash("The capture runs. Stop it when you have what you need.", "done")
    else:
        capture_id = read_number("capture_id", "Capture", least=1, most=2**53)
        (captures.stop_capture if "stop" in request.form else captures.drop_capture)(here, capture_id)
        flash("The capture is stopped." if "stop" in request.form else "The capture is deleted.", "done")
    return redirect(url_for("captures.capturing", code=code))


@bp.get("/links/<code>/capture.jsonl")
@requires(*KEEPERS)
def captured(code: str) -> Response:
    """The file of any stretch of time."""
    here = plant()
    plan = load_links(here.settings)
    find_link(plan, code)
    begin = parse_moment(request.args.get("begin", ""), plan.zone)
    end = parse_moment(request.args.get("end", ""), plan.zone)
    return _file(code, begin, end, request.args["begin"])


@bp.get("/captures/<int:capture_id>.jsonl")
@requires(*KEEPERS)
def kept_file(capture_id: int) -> Response:
    """The file of a capture that was started here; of one that runs, what there is by now."""
    found = captures.get_capture(plant(), capture_id)
    return _file(found.link, found.from_ms, found.to_ms, _typed(found.from_ms, load_links(plant().settings)))


@bp.get("/replay")
@requires(ENGINEER)
def replaying() -> str:
    """How far a replay is and the form to start one; asked for by its own live part it answers with that alone."""
    refused = ""
    try:
        check_made_for_it(plant())
    except StrandlineError as error:
        refused = f"{error.what} {error.todo}"
    fragment = request.headers.get("HX-Request") == "true"
    return render_template(
        "level2/replay_live.html" if fragment else "level2/replay.html",
        refused=refused,
        files=sorted(file.name for file in _folder().glob("*.jsonl")),
        folder=_folder(),
        progress=_replaying().progress,
    )


@bp.post("/replay")
@requires(ENGINEER)
@keeps_input(replaying)
def replay() -> BaseResponse:
    """Start or stop one. Refused in a plant that makes steel."""
    here = plant()
    check_made_for_it(here)
    if "stop" in request.form:
        _replaying().stop()
        flash("The replay ends behind the message that is under way.", "done")
    else:
        speed = read_number("speed", "Speed", least=1, most=SPEED_MAX)
        name, lines = _chosen()
        _replaying().start(here, name, lines, speed)
        log.info("replay started", capture=name, speed=speed, by=actor())
        flash(f"{name} is replayed at {speed} times the speed.", "done")
    return redirect(url_for("captures.replaying"))


def _chosen() -> tuple[str, Iterable[bytes]]:
    """The file sent with the form, else the one named in it: of the folder, by its bare name."""
    sent = request.files.get("file")
    if sent is not None and sent.filename:
        return Path(sent.filename).name, list(sent.stream)
    name = read_text("name", "Capture")
    chosen = next((file for file in _folder().glob("*.jsonl") if file.name == name), None)
    if chosen is None:
        raise no_file(name, str(_folder()))
    return name, chosen.read_bytes().splitlines()


def _folder() -> Path:
    return plant().settings.folder / FOLDER


def _replaying() -> Replaying:
    """The replays of this process, which is the only one of the plant's console."""
    found: Replaying = current_app.extensions.setdefault("strandline.replaying", Replaying())
    return found


def _file(code: str, begin: int, end: int, named: str) -> Response:
    here = plant()
    answer = Response(capture(here.spool, here.code, (code,), begin, end), mimetype="application/jsonl")
    name = f"{code}-{named.replace(':', '-')}.jsonl"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _typed(at_ms: int, plan: LinkPlan) -> str:
    """A moment as the browser's field for date and time has it."""
    return to_datetime(at_ms).astimezone(plan.zone).strftime("%Y-%m-%dT%H:%M")


FEATURE = Feature(pages=(bp,), menu=(MenuItem("Node", "Level 2 replay", "captures.replaying", (ENGINEER,)),))
