"""The page behind a signed link: one load, received and confirmed in a browser by somebody who has no account here.

The address with the secret is used once: it opens the load in the browser's session and leads on to an address without
secret, so that neither history, referrer nor a photo of the screen gives it away. The form has the session's CSRF token.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.outside import errors, links
from local_mes.outside.limiting import Limit
from shared.errors import StrandlineError
from shared.units import G_PER_KG
from shared.web import forms
from shared.web.context import public, reading

bp = Blueprint("load_link", __name__, template_folder="templates")
P = ParamSpec("P")
OPENED = "load_links"
OPENED_MAX = 10
"""Loads that one browser keeps open: the cookie stays small."""
WRONG_A_MINUTE = 20
"""Wrong addresses from one asker a minute."""
SENT_A_MINUTE = 30
"""Confirmations of one link a minute: faster than anybody taps."""
KG_MAX = 400_000
CAME, DAMAGED, MISSING = "came", "damaged", "missing"


class Tries:
    """The limits of one app."""

    def __init__(self) -> None:
        self.wrong = Limit(WRONG_A_MINUTE)
        self.sent = Limit(SENT_A_MINUTE)


def private(view: Callable[P, str | BaseResponse]) -> Callable[P, BaseResponse]:
    """Errors as a small page of this face alone; no index, no cache, no referrer outside."""

    @wraps(view)
    def shown(*args: P.args, **kwargs: P.kwargs) -> BaseResponse:
        try:
            answer: BaseResponse = make_response(view(*args, **kwargs))
        except StrandlineError as error:
            answer = make_response(render_template("outside/link_gone.html", error=error), error.status)
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
        answer.headers["Cache-Control"] = "no-store"
        answer.headers.setdefault("Referrer-Policy", "same-origin")
        return answer

    return shown


@bp.get("/l/<secret>")
@public
@private
def enter(secret: str) -> BaseResponse:
    """The address that was sent: opens its load for this browser, or says nothing more than that it is not in force."""
    with reading() as conn:
        link_id = links.is_signed(conn, secret)
        if link_id:
            links.open_load(conn, plant(), link_id)
    if not link_id:
        _tries().wrong.count(request.remote_addr or "")
        raise errors.no_such_link()
    links.note_opened(plant(), link_id)
    session[OPENED] = [*(one for one in _opened() if one != link_id), link_id][-OPENED_MAX:]
    answer = redirect(url_for("load_link.load", link_id=link_id), 303)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@bp.get("/load/<link_id>")
@public
@private
def load(link_id: str) -> str:
    """The load, what was said of it, and what is still to be said."""
    return _page(link_id)


@bp.post("/load/<link_id>")
@public
@private
def say(link_id: str) -> str | BaseResponse:
    """What came, what is damaged, what is missing."""
    _check_opened(link_id)
    _tries().sent.count(link_id)
    try:
        said_by = forms.read_text("said_by", "Your name", most=100, needed=False)
        found = _found(link_id)
    except StrandlineError as error:
        g.form_error = error
        return make_response(_page(link_id), error.status)
    links.confirm(plant(), link_id, found, said_by)
    return redirect(url_for("load_link.load", link_id=link_id), 303)


def _page(link_id: str) -> str:
    _check_opened(link_id)
    with reading() as conn:
        seen = links.open_load(conn, plant(), link_id)
    return render_template("outside/link_load.html", seen=seen, kg_max=KG_MAX)


def _found(link_id: str) -> list[links.Found]:
    """What the form says of each piece of the link's own load; pieces it says nothing of are left for later."""
    with reading() as conn:
        seen = links.open_load(conn, plant(), link_id)
    everything = bool(request.form.get("all"))
    found = []
    for line in seen.to_confirm:
        how = request.form.get(f"how-{line.material_id}", CAME if everything else "")
        if how in (CAME, DAMAGED, MISSING):
            found.append(_one(line.material_id, line.number, how))
    return found


def _one(material_id: str, number: str, how: str) -> links.Found:
    kg = forms.find_number(f"kg-{material_id}", f"Mass of {number}", least=1, most=KG_MAX, unit="kg", scale=G_PER_KG)
    words = forms.read_text(f"damage-{material_id}", f"Damage of {number}", most=200, needed=False)
    if how == DAMAGED and not words:
        raise errors.no_damage(number)
    return links.Found(
        material_id,
        came=how != MISSING,
        mass_g=(kg or 0) if how != MISSING else 0,
        damage=words if how == DAMAGED else "",
        own_number=forms.read_text(f"own-{material_id}", f"Your number of {number}", most=64, needed=False),
    )


def _check_opened(link_id: str) -> None:
    """Only who came in by the address of this very link; its id alone opens nothing."""
    if link_id not in _opened():
        _tries().wrong.count(request.remote_addr or "")
        raise errors.no_such_link()


def _opened() -> list[str]:
    kept = session.get(OPENED, [])
    return kept if isinstance(kept, list) else []


def _tries() -> Tries:
    found: Tries = current_app.extensions.setdefault("strandline.load_links", Tries())
    return found
