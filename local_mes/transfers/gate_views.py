"""The gate's tablet: one page that takes pieces in and goes on where the radio does not.

The page keeps its list and its touches in the browser. Its worker (tablet_worker.js) opens an empty shell of the page where
no server answers; the shell knows no person, and no page with one is ever kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.transfers import gate_errors, service
from local_mes.transfers.api import SHIPPERS
from local_mes.transfers.gate_api import bp as api
from local_mes.transfers.photos import PHOTO_BYTES_MAX, find_media, photo_file
from local_mes.transfers.views import receipt_page
from shared.web import forms
from shared.web.context import actor, public, reading, requires
from shared.web.features import Feature, MenuItem

bp = Blueprint("gate", __name__, url_prefix="/transfers/gate", template_folder="templates")
ASSETS = (
    "strandline.css",
    "strandline.js",
    "gate.css",
    "queue.js",
    "icons.svg",
    "mark.svg",
    "vendor/htmx.org/htmx.min.js",
)
"""What a tablet's page is made of besides itself and its own script."""
SHA256 = re.compile(r"[0-9a-f]{64}")


@bp.get("/")
@requires(*SHIPPERS)
def gate() -> str:
    """Loads that come, pieces to tap or scan, what waits to be sent."""
    return _page(shell=False)


@bp.get("/shell")
@public
def shell() -> str:
    """The same page without a list and without a person: what the worker keeps."""
    return _page(shell=True)


@bp.get("/worker.js")
@public
def worker() -> Response:
    """The page's worker; its text changes with every release, so that a browser takes the new one."""
    return tablet_worker(
        "gate", "^" + re.escape(url_for("gate.gate")) + "$", url_for("gate.shell"), (*ASSETS, "gate.js")
    )


def tablet_worker(name: str, page: str, shell: str, assets: Sequence[str]) -> Response:
    """A worker that keeps a shell and its files, and opens it at addresses that fit the expression `page`."""
    files = [url_for("static", filename=file) for file in assets]
    text = render_template("transfers/tablet_worker.js", name=name, assets=files, page=page, shell=shell)
    return Response(text, mimetype="text/javascript")


@bp.get("/photos/<sha256>")
def photo(sha256: str) -> Response:
    """A picture that a receipt tells of; nothing else in the folder is ever served."""
    with reading() as conn:
        media = find_media(conn, sha256) if SHA256.fullmatch(sha256) else None
    file = photo_file(plant(), sha256)
    if media is None or not file.is_file():
        raise gate_errors.unknown_photo(sha256)
    return send_file(file, mimetype=media, max_age=0)


@bp.post("/receipts/<receipt_id>/photos")
@requires(*SHIPPERS)
@forms.keeps_input(receipt_page)
def add_photo(receipt_id: str) -> BaseResponse:
    """A picture taken after the receipt."""
    sent = request.files.get("photo")
    content = sent.stream.read(PHOTO_BYTES_MAX + 1) if sent is not None else b""
    service.add_photo(plant(), receipt_id, content, actor=actor(), command_id=forms.command_id())
    flash("The picture is kept with this receipt.", "done")
    return redirect(url_for("transfers.receipt", number=receipt_id))


@bp.post("/receipts/<receipt_id>/route")
@requires("lead", "planner", *SHIPPERS)
@forms.keeps_input(receipt_page)
def route(receipt_id: str) -> BaseResponse:
    """A piece from elsewhere takes another of our routes."""
    piece, chosen = forms.read_text("piece", "Piece", most=64), forms.read_text("route", "Our route", most=64)
    reason = forms.read_text("reason", "Why")
    service.reroute(plant(), piece, chosen, reason=reason, actor=actor(), command_id=forms.command_id())
    flash(f"{piece} takes {chosen}.", "done")
    return redirect(url_for("transfers.receipt", number=receipt_id))


def _page(*, shell: bool) -> str:
    passports = "passports.receive" if "passports.receive" in current_app.view_functions else ""
    return render_template("transfers/gate.html", shell=shell, photo_bytes_max=PHOTO_BYTES_MAX, passports=passports)


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Transfers", "Gate", "gate.gate", SHIPPERS),))
