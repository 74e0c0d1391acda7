"""Who is asking: sign-in by session or token, default deny, CSRF. One hook before every request decides it."""

from __future__ import annotations

import hmac

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, url_for
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.wrappers import Response as AnyResponse

from shared.errors import Denied, Unauthenticated
from shared.web import accounts
from shared.web.context import reading
from shared.web.metrics import PATH, ROLE
from shared.web.problems import is_machine

csrf = CSRFProtect()
login_manager = LoginManager()
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = "Bearer "
TOKEN_PATHS = ("/api/", PATH)
"""Where a token may stand in place of a session."""


class SessionUser(UserMixin):  # type: ignore[misc]
    """What Flask-Login keeps of a person: the id and the session key, so that a changed key ends old sessions."""

    def __init__(self, person: accounts.Person) -> None:
        self.person = person

    def get_id(self) -> str:
        """Content of the session cookie."""
        return f"{self.person.person_id}.{self.person.session_key}"


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_user(stored: str) -> SessionUser | None:
    """The person of a session cookie, if it still stands."""
    person_id, _, session_key = stored.partition(".")
    with reading() as conn:
        person = accounts.find_person(conn, person_id)
    if person is None or not hmac.compare_digest(person.session_key, session_key):
        return None
    return SessionUser(person)


def guard(machine: frozenset[str]) -> AnyResponse | None:
    """Let public, machine and signed-in requests through; the rest is refused or sent to the sign-in page."""
    if request.endpoint is None or request.endpoint == "static" or request.blueprint in machine:
        return None
    if request.path.startswith(TOKEN_PATHS) and request.headers.get("Authorization", "").startswith(BEARER):
        _by_token()
        _keep_to_metrics()
        return None
    g.person = current_user.person if current_user.is_authenticated else None
    if request.method not in SAFE_METHODS:
        csrf.protect()
        _expect_json()
    if g.person is None and not _is_public():
        return _ask_to_sign_in()
    _keep_to_metrics()
    return None


def _keep_to_metrics() -> None:
    """Who has no role but this one is a monitoring program: a token that leaks from there opens nothing else."""
    only_metrics = g.person is not None and g.person.roles == {ROLE}
    if only_metrics and request.path != PATH and not _is_public():
        raise Denied(
            "web.metrics_only", f"The role {ROLE} reads {PATH} and nothing else.", todo="Ask for another role."
        )


def _by_token() -> None:
    token = request.headers["Authorization"].removeprefix(BEARER).strip()
    with reading() as conn:
        g.person = accounts.find_by_token(conn, token)
    if g.person is None:
        raise Unauthenticated("web.token", "The API token is unknown or was revoked.", todo="Ask for a new token.")
    if request.method not in SAFE_METHODS:
        _expect_json()


def _expect_json() -> None:
    if not request.path.startswith("/api/"):
        return
    if not request.is_json:
        if request.content_length or "Transfer-Encoding" in request.headers:
            said = request.mimetype or "none"
            raise UnsupportedMediaType(f"Send JSON with Content-Type: application/json, not {said}.")
        return
    try:
        body = request.get_json()
    except BadRequest as error:
        why = getattr(error.__cause__, "description", "") or "it cannot be read"
        raise BadRequest(f"The body is no JSON that can be taken: {why}") from error
    if not isinstance(body, dict):
        raise BadRequest("The body is JSON, but no object.")


def _is_public() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "strandline_public", False))


def _ask_to_sign_in() -> AnyResponse:
    wanted = request.full_path.rstrip("?")
    if is_machine() or request.headers.get("HX-Request") or request.method not in SAFE_METHODS:
        raise Unauthenticated("web.nobody", "Nobody is signed in.", todo="Sign in, or send an API token.")
    return redirect(url_for("signin.form", next=wanted))


def install(app: Flask, machine: tuple[Blueprint, ...]) -> None:
    """Put the guard before every request."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # the guard calls it, because bearer and machine calls are exempt
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the session: a page left open for a week still works
    csrf.init_app(app)
    login_manager.init_app(app)
    names = frozenset(blueprint.name for blueprint in machine)
    app.before_request(lambda: guard(names))
    app.after_request(_vary)


def _vary(answer: Response) -> Response:
    answer.vary.add("Cookie")
    return answer
