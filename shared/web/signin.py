"""Signing in and out, and the small choices a person makes for this browser."""

from __future__ import annotations

import json
from typing import cast

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user
from flask_openapi import OpenAPI
from werkzeug.wrappers import Response

from shared.db.engine import write
from shared.web import accounts
from shared.web.api_document import describe
from shared.web.context import face, find_signed_in, node, public
from shared.web.session import SessionUser
from shared.web.status import read_status

bp = Blueprint("signin", __name__)
THEMES = ("auto", "light", "dark")
THEME_AGE_S = 31_536_000


def safe_next(wanted: str) -> str:
    """A path within this site, or the home page: a sign-in link must not lead elsewhere.

    Control characters too lead out: browsers drop a tab, so that "/<tab>/elsewhere" becomes "//elsewhere".
    """
    inside = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if inside else url_for(face().home)


@bp.get("/sign-in")
@public
def form() -> str:
    """The sign-in page."""
    return render_template("signin.html", wrong=False)


@bp.post("/sign-in")
@public
def enter() -> Response | tuple[str, int]:
    """Check the password and open a session."""
    login, password = request.form.get("login", "").strip()[:64], request.form.get("password", "")[:1024]
    person = accounts.sign_in(node().engine, node().clock, node().settings.web, login, password)
    if person is None:
        return render_template("signin.html", wrong=True), 401
    session.permanent = True  # for as long as the settings say, not until the browser is closed
    login_user(SessionUser(person))
    return redirect(safe_next(request.form.get("next", "")))


@bp.post("/sign-out")
@public
def leave() -> Response:
    """Close the session at the server too: the person's session key changes, so a copied cookie is worth nothing."""
    who = find_signed_in()
    if who is not None:
        with write(node().engine) as conn:
            accounts.sign_out_everywhere(conn, who.person_id)
    logout_user()
    flash("You are signed out, on every screen. What you booked is kept.", "done")
    return redirect(url_for("signin.form"))


@bp.post("/theme")
@public
def theme() -> Response:
    """Light, dark, or as the machine says; a cookie of this browser."""
    chosen = request.form.get("theme", "auto")
    answer = redirect(safe_next(request.form.get("next", "")))
    if chosen in THEMES:
        answer.set_cookie("theme", chosen, max_age=THEME_AGE_S, httponly=True, samesite="Lax")
    return answer


@bp.get("/status-lines")
def status() -> str:
    """The header's status lines, fetched again every few seconds."""
    return render_template("status.html", lines=read_status(face()))


@bp.get("/legend")
@public
def legend() -> str:
    """What the signs mean."""
    return render_template("legend.html")


@bp.get("/api/v1/openapi.json")
@public
def openapi() -> Response:
    """The OpenAPI document, generated from the code."""
    document = describe(cast(OpenAPI, current_app))
    return current_app.response_class(json.dumps(document), mimetype="application/json")
