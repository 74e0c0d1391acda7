"""Pages of the engineer who connects Level 2: signals, certificates to accept, a server's nodes to map."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.level2 import push
from local_mes.level2.certificates import day, find_link_certificates, list_sign_of, sign_of
from local_mes.level2.drivers.signal_state import find_signals
from local_mes.level2.errors import unknown_link
from local_mes.level2.link_state import real_ms
from local_mes.level2.links import Link, LinkPlan, load_links
from local_mes.level2.looks import OBJECTS, look_into
from local_mes.level2.opcua.issuers import BYTES_MAX, Issuers
from local_mes.level2.opcua.model_lines import toml_of
from local_mes.level2.opcua.trust import TrustStore
from shared import logs
from shared.web.accounts import names_of
from shared.web.context import actor, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import keeps_input, read_text

bp = Blueprint("level2_engineer", __name__, url_prefix="/level2", template_folder="templates")
ENGINEER = "engineer"
SIGNAL_SIGNS = {"good": "normal", "uncertain": "attention", "no_data": "nodata", "refused": "alarm"}
TRUST_SIGNS = {"rejected": "attention", "trusted": "done"}

log = logs.get("level2")


@bp.get("/signals")
def signals() -> str:
    """All signals that drivers watch, with their state."""
    rows = find_signals(plant().spool, request.args.get("link", ""))
    return render_template("level2/signals.html", signals=rows, signs=SIGNAL_SIGNS)


@bp.get("/certificates")
@requires(ENGINEER)
def certificates() -> str:
    """Which are in use and until when; which wait for somebody to accept them."""
    here = plant()
    kept, issuers = TrustStore(here.settings.folder).find(), Issuers(here.settings.folder).find()
    people = {one.accepted_by for one in kept} | {one.taken_by for one in issuers}
    with reading() as conn:
        names = names_of(conn, people - {""})
    return render_template(
        "level2/certificates.html",
        used=find_link_certificates(here),
        kept=kept,
        issuers=issuers,
        names=names,
        signs=TRUST_SIGNS,
        sign_of=sign_of,
        list_sign_of=list_sign_of,
        day=day,
    )


@bp.post("/certificates")
@requires(ENGINEER)
def decide() -> BaseResponse:
    """Accept a rejected certificate, or trust one no longer."""
    fingerprint, trust = read_text("fingerprint", "Fingerprint"), TrustStore(plant().settings.folder)
    if "withdraw" in request.form:
        trust.withdraw(fingerprint)
        flash("It is trusted no longer; the link ends with its next connect.", "done")
    else:
        trust.accept(fingerprint, actor=actor(), now_ms=real_ms())
        flash("The certificate is trusted from now on; the link connects by itself.", "done")
    log.info("certificate decided", fingerprint=fingerprint, by=actor(), withdrawn="withdraw" in request.form)
    return redirect(url_for("level2_engineer.certificates"))


@bp.post("/certificates/issuers")
@requires(ENGINEER)
@keeps_input(certificates)
def decide_issuer() -> BaseResponse:
    """Take an issuer or its list of revoked certificates, or believe an issuer no longer."""
    issuers = Issuers(plant().settings.folder)
    if "withdraw" in request.form:
        issuers.withdraw(read_text("fingerprint", "Fingerprint"))
        flash("The issuer is believed no longer; links end with their next connect.", "done")
    else:
        sent = request.files.get("file")
        content = sent.stream.read(BYTES_MAX) if sent is not None else b""
        if "revoked" in request.form:
            taken = issuers.take_list(content)
            flash(f"The list of {taken.subject} is kept: {taken.revoked} certificates are revoked.", "done")
        else:
            taken = issuers.take(content, actor=actor(), now_ms=real_ms())
            flash(f"{taken.subject} is believed when its list of revoked certificates is here too.", "done")
    log.info("issuer decided", by=actor(), withdrawn="withdraw" in request.form)
    return redirect(url_for("level2_engineer.certificates"))


@bp.get("/browse")
@requires(ENGINEER)
def servers() -> str:
    """The servers that can be looked into."""
    plan = load_links(plant().settings)
    return render_template("level2/servers.html", links=[one for one in plan.links.values() if one.kind == "opcua"])


@bp.get("/browse/<code>")
@requires(ENGINEER)
def browse(code: str) -> str:
    """One level of a server's nodes, and the model's lines for those picked."""
    link = _opcua_link(load_links(plant().settings), code)
    picked = request.args.getlist("pick")
    return render_template(
        "level2/browse.html",
        link=link,
        level=look_into(plant(), code, request.args.get("node") or OBJECTS),
        way=request.args.getlist("way"),
        picked=picked,
        toml=toml_of(link, picked),
    )


def _opcua_link(plan: LinkPlan, code: str) -> Link:
    link = plan.links.get(code)
    if link is None or link.kind != "opcua":
        raise unknown_link(code)
    return link


FEATURE = Feature(
    pages=(bp,),
    machine=(push.bp,),
    menu=(
        MenuItem("Node", "Level 2 signals", "level2_engineer.signals", (ENGINEER,)),
        MenuItem("Node", "Level 2 certificates", "level2_engineer.certificates", (ENGINEER,)),
        MenuItem("Node", "Level 2 servers", "level2_engineer.servers", (ENGINEER,)),
    ),
)
