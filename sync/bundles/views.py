"""Bundles on a stick as a page, at plant and hub: write one for the other side, read what came, see what was carried."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from flask import Blueprint, Response, flash, redirect, request, send_file, url_for
from sqlalchemy import select
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response as BaseResponse

from shared.errors import BadInput
from shared.web.context import node, reading, requires
from shared.web.features import Feature, MenuItem
from shared.web.forms import keeps_input, read_choice
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut
from sync.bundles.commands import import_files
from sync.bundles.export import Road, Written, export
from sync.bundles.tables import bundle
from sync.peers import ACTIVE, list_peers

WHO_MAY = ("engineer", "lead", "owner")
FILES_MAX = 50
ROOM = 8 << 20
"""Of an upload beside the files themselves: its own lines between them."""
WAYS = (("out", "Written here"), ("in", "Read here"))
OUTCOMES = {
    "whole": "Whole",
    "cut": "The file ended early",
    "gap": "An earlier file is missing",
    "fork": "It contradicts what is here",
    "superseded": "From a life that ended before",
}
COLUMNS = (
    Column("at_ms", "When", show="when"),
    Column("way_words", "Way"),
    Column("peer", "With", show="code"),
    Column("entries", "Facts in it", show="whole"),
    Column("new_entries", "New here", show="whole"),
    Column("kib", "Size", unit="KiB", show="whole"),
    Column("outcome_words", "Outcome", show="badge"),
    Column("bundle", "Bundle", show="code"),
)


def make_pages(road: Callable[[str], Road]) -> Feature:
    """The pages of a node. road: the way from here to a peer, by its code; refuses one that may not be sent to."""
    bp = Blueprint("bundles", __name__, url_prefix="/bundles", template_folder="../templates")

    def listing() -> str | Response:
        """What was written and read, the latest first."""
        peers = _peers()
        shown = {"peers": peers, "choices": tuple(zip(peers, peers, strict=True))}
        return answer_list("sync/bundles.html", COLUMNS, _read, filters=(Filter("way", "Way", WAYS),), **shown)

    @requires(*WHO_MAY)
    @keeps_input(listing)
    def write() -> BaseResponse:
        """What the other side lacks, as a download; until its answer is read here, the next one starts the same."""
        code = read_choice("peer", "For", _peers())
        with tempfile.TemporaryDirectory() as folder:
            name = f"{node().code}-to-{code}-{node().clock.now_ms()}.bundle"
            return _send(export(road(code), Path(folder) / name))

    @requires(*WHO_MAY)
    @keeps_input(listing)
    def take_in() -> BaseResponse:
        """Files that came, in any order; reading one again changes nothing."""
        _take()
        return redirect(url_for("bundles.listing"))

    def allow_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
        """A bundle is larger than a form; before anything of the request is read."""
        if endpoint == "bundles.take_in":
            request.max_content_length = FILES_MAX * node().settings.sync.bundle_bytes_max + ROOM

    bp.url_value_preprocessor(allow_files)
    bp.get("/")(listing)
    bp.post("/write")(write)
    bp.post("/read")(take_in)
    return Feature(pages=(bp,), menu=(MenuItem("Node", "Bundles on a stick", "bundles.listing", WHO_MAY),))


def _peers() -> tuple[str, ...]:
    with reading() as conn:
        return tuple(peer.code for peer in list_peers(conn) if peer.state == ACTIVE)


def _read(paging: Paging) -> Page[Any]:
    c = bundle.c
    query = select(bundle).order_by(c.number.desc())
    if paging.wants("way"):
        query = query.where(c.way == paging.wants("way"))
    if paging.after.isdecimal():
        query = query.where(c.number < int(paging.after))
    with reading() as conn:
        rows = conn.execute(query.limit(paging.limit + 1)).all()
    return cut([_shown(row) for row in rows], paging, "number")


def _shown(row: Any) -> dict[str, Any]:
    return {
        **row._mapping,
        "way_words": dict(WAYS)[row.way],
        "kib": -(-row.bytes // 1024),
        "outcome_words": OUTCOMES.get(row.outcome, row.outcome),
        "outcome_words_state": "done" if row.outcome == "whole" else "attention",
    }


def _send(files: Sequence[Written]) -> BaseResponse:
    """The one file, or all in one plain archive whose files are put on the stick."""
    out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it was sent
    name = files[0].file.name
    if len(files) == 1:
        with files[0].file.open("rb") as source:
            shutil.copyfileobj(source, out)
    else:
        name += ".zip"
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
            for written in files:
                packed.write(written.file, written.file.name)
    out.seek(0)
    return send_file(out, mimetype="application/octet-stream", as_attachment=True, download_name=name)


def _take() -> None:
    """Take what can be taken and say so; the first file that cannot be is raised after the others."""
    came = [file for file in request.files.getlist("files") if file.filename]
    if not came:
        raise BadInput("bundle.no_file", "No file was chosen.", todo="Choose the bundles that lie on the stick.")
    if len(came) > FILES_MAX:
        raise BadInput("bundle.many_files", f"{len(came)} files at once.", todo=f"Read at most {FILES_MAX} at a time.")
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, file in enumerate(came):
            place = Path(folder) / str(number) / (secure_filename(file.filename or "") or "bundle")
            place.parent.mkdir()
            file.save(place)
            paths.append(place)
        try:
            import_files(node(), paths, said.append)
        finally:
            for line in said:
                flash(line.rpartition("/")[2], "done")
