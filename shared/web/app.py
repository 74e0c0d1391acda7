"""The base of both faces: one app factory, so that console and portal look and behave alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import g, request
from flask_openapi import Info, OpenAPI
from markupsafe import Markup

from shared.db.engine import write
from shared.ids import new_id
from shared.web import accounts, binding, formats, headers, problems, session, signin
from shared.web import asof as asof_marks
from shared.web.body import StrictJson
from shared.web.context import face, find_signed_in, node
from shared.web.features import Face, Feature, MenuItem
from shared.web.menu import entry_of, menu_of
from shared.web.status import read_status

if TYPE_CHECKING:
    from shared.node import Node

STATIC_AGE_S = 31_536_000
"""A year: the address of a static file changes with its content."""
STATIC = Path(__file__).parent / "static"


def create_app(node: Node, face: Face, features: Sequence[Feature]) -> OpenAPI:
    """The web app of a node: sign-in, errors, headers, layout, and the features' pages and APIs."""
    app = OpenAPI(
        "shared.web",
        info=Info(title=f"Strandline {face.kind}", version="1"),
        doc_ui=False,
        security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
        validation_error_status=422,
        validation_error_model=problems.Problem,
        validation_error_callback=problems.on_invalid,
    )
    app.extensions.update({"strandline.node": node, "strandline.face": face})
    limits = node.settings.web
    with write(node.engine) as conn:
        secret = accounts.session_secret(conn)
    app.config.update(
        SECRET_KEY=secret,
        MAX_CONTENT_LENGTH=limits.body_bytes_max,
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_AGE_S,
        SESSION_COOKIE_NAME=f"strandline_{face.code.lower()}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=limits.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=limits.session_hours),
    )
    app.json = StrictJson(app)
    problems.install(app)
    headers.install(app)
    asof_marks.install(app)
    session.install(app, tuple(bp for feature in features for bp in feature.machine))
    binding.install(app)
    app.register_blueprint(signin.bp)
    for feature in features:
        _register(app, feature)
    _equip_templates(app, tuple(item for feature in features for item in feature.menu))
    return app


def _register(app: OpenAPI, feature: Feature) -> None:
    for blueprint in (*feature.pages, *feature.machine):
        app.register_blueprint(blueprint)
    for api in feature.apis:
        app.register_api(api)


def _equip_templates(app: OpenAPI, menu: tuple[MenuItem, ...]) -> None:
    for item in menu:
        if item.endpoint not in app.view_functions:
            raise ValueError(f"menu item {item.title!r} leads to {item.endpoint}, which no feature registers")
    for name, show in formats.FILTERS.items():
        app.jinja_env.filters[name] = show
    app.jinja_env.filters.update(when=when, asof=asof, clocktime=clocktime, show=show_as)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(lambda: _page_context(menu))
    app.url_defaults(partial(_stamp_static, _static_digest()))


def _page_context(menu: tuple[MenuItem, ...]) -> dict[str, Any]:
    here, who = face(), find_signed_in()
    now_ms, at_entry = node().clock.now_ms(), entry_of(menu)
    return {
        "face": here,
        "who": who,
        "now_ms": now_ms,
        "menu": menu_of(menu, at_entry),
        "at_entry": at_entry,
        "shift": here.shift(now_ms),
        "status_lines": read_status(here) if who else (),
        "form_error": g.get("form_error"),
        "theme": request.cookies.get("theme", "auto"),
        "command_id": lambda: new_id(node().clock),
        "marks": asof_marks.marks(),
        "is_behind": asof_marks.is_behind,
    }


def when(at_ms: int | None) -> Markup:
    """A time: relative while young, else local; exact with the zone on hover, and for machines."""
    return _time(at_ms, formats.moment)


def clocktime(at_ms: int | None) -> Markup:
    """A time as the wall clock shows it, never relative: for schedules and logs."""
    return _time(at_ms, formats.clock_time)


def _time(at_ms: int | None, shorten: Callable[[int, int, str], str]) -> Markup:
    """A time that cannot be right is shown and flagged: some clock was wrong when it was claimed."""
    if at_ms is None:
        return Markup(formats.NONE)
    if not formats.is_possible(at_ms):
        return Markup('<span class="badge badge-stale" title="{} ms since 1970">no possible time</span>').format(at_ms)
    zone, now = face().zone, node().clock.now_ms()
    iso = formats.local(at_ms, zone).isoformat(timespec="seconds")
    shown = Markup('<time datetime="{}" title="{}">{}</time>').format(
        iso, formats.exact(at_ms, zone), shorten(at_ms, now, zone)
    )
    return (
        shown + Markup(' <span class="badge badge-stale">wrong clock</span>')
        if formats.is_absurd(at_ms, now)
        else shown
    )


def asof(at_ms: int | None) -> Markup:
    """What the figures above are complete up to."""
    if at_ms is None:
        return Markup('<span class="asof">as of: never heard</span>')
    zone = formats.zone_name(at_ms, face().zone)
    return Markup('<span class="asof">as of {} {}</span>').format(clocktime(at_ms), zone)


def show_as(value: Any, how: str) -> Any:
    """A value by the name of its way of showing (Column.show)."""
    if how in ("when", "clocktime", "asof"):
        return {"when": when, "clocktime": clocktime, "asof": asof}[how](value)
    if how in formats.FILTERS:
        return formats.FILTERS[how](value)
    return formats.NONE if value is None or value == "" else value


def _static_digest() -> str:
    """Changes whenever a static file does, so that browsers may keep them for a year."""
    files = sorted(path for path in STATIC.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def _stamp_static(digest: str, endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values.setdefault("v", digest)
