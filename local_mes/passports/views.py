"""Passports of a load that left: codes on screen, the file, labels and papers. Read by everybody signed in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from local_mes.context import plant
from local_mes.passports.api import bp as api
from local_mes.passports.codes import make_matrix, to_svg
from local_mes.passports.papers import LoadDocuments, labels_pdf, labels_zpl, papers_pdf, read_documents
from local_mes.passports.printing import find_printers, print_labels
from shared.web import forms
from shared.web.context import actor, face, reading, requires
from shared.web.features import Feature

bp = Blueprint("passport_papers", __name__, url_prefix="/transfers/loads", template_folder="templates")
PRINTERS = ("yard", "lead", "operator")


@bp.get("/<number>/passports")
def load(number: str) -> str:
    """The load's code and its pieces' passports."""
    found = _read(number)
    code = to_svg(make_matrix(found.text), f"QR code of load {found.number}") if found.text else ""
    return render_template("passports/load.html", load=found, code=code, printers=find_printers(plant()))


@bp.get("/<number>/passports/<piece>")
def piece(number: str, piece: str) -> str:
    """One passport: its code, large, and what it says."""
    found = _read(number)
    one = found.find(piece)
    code = to_svg(make_matrix(one.text), f"QR code of {one.number}")
    return render_template("passports/piece.html", load=found, one=one, body=one.body, code=code)


@bp.post("/<number>/labels/print")
@requires(*PRINTERS)
@forms.keeps_input(load)
def print_them(number: str) -> BaseResponse:
    """The labels on a printer of this plant."""
    device, one = forms.read_text("device", "Printer", most=64), forms.read_text("piece", "Piece", needed=False)
    done = print_labels(plant(), _read(number), device, one, actor=actor(), command_id=forms.command_id())
    flash(f"{done} labels are sent to {device}.", "done")
    return redirect(url_for("passport_papers.load", number=number))


@bp.get("/<number>/passports.slp")
def file(number: str) -> Response:
    """Every passport of the load as text, a line each: for a stick or a telephone."""
    found = _read(number)
    return _download(found.file, "text/plain", f"{found.number}.slp")


@bp.get("/<number>/papers.pdf")
def papers(number: str) -> Response:
    """The load papers."""
    found = _read(number)
    return _download(papers_pdf(found, face().zone), "application/pdf", f"{found.number}-papers.pdf")


@bp.get("/<number>/labels.pdf")
def labels(number: str) -> Response:
    """Labels of the pieces, or with ?piece= of one."""
    found = _read(number)
    return _download(labels_pdf(found, _piece()), "application/pdf", f"{_piece() or found.number}-labels.pdf")


@bp.get("/<number>/labels.zpl")
def zpl(number: str) -> Response:
    """The same for a label printer."""
    found = _read(number)
    return _download(labels_zpl(found, _piece()), "text/plain", f"{_piece() or found.number}-labels.zpl")


def _read(number: str) -> LoadDocuments:
    with reading() as conn:
        return read_documents(conn, plant(), number)


def _piece() -> str:
    return request.args.get("piece", "")


def _download(content: str | bytes, kind: str, name: str) -> Response:
    safe = "".join(char if char.isalnum() or char in "-_." else "_" for char in name)
    answer = Response(content, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    return answer


FEATURE = Feature(pages=(bp,), apis=(api,))
