"""Labels and load papers as PDF, drawn with ReportLab (docs/decisions/0014): loaded when the first is made."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from local_mes.level2.devices.code128 import bars, is_writable
from local_mes.level2.interface_pdf import GROUND, LINE, fonts
from local_mes.passports.codes import QUIET, Matrix, make_matrix
from local_mes.passports.label import (
    BARS_MM,
    BARS_TOP_MM,
    HEIGHT_MM,
    QR_TOP_MM,
    WIDTH_MM,
    Label,
    lines_of,
    size_words,
    status_of,
)
from shared.passports.document import PieceBody, Shipped
from shared.web import formats

MARGIN = 14 * mm
INSIDE = A4[0] - 2 * MARGIN
MODULE = 0.5 * mm
BAR_MODULE, BAR_HIGH = 0.25 * mm, 9 * mm
_RIGHT = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("ALIGN", (1, 0), (1, 0), "RIGHT")])


@dataclass(frozen=True)
class PaperPiece:
    """A piece of a load as its papers name it: what its passport says and its text; position on the vehicle."""

    body: PieceBody
    text: str
    position: str


@dataclass(frozen=True)
class Paper:
    """A load's papers: its own passport's text, the pieces, and those that have no passport with the reason."""

    shipped: Shipped
    text: str
    pieces: tuple[PaperPiece, ...]
    without: tuple[tuple[str, str], ...]
    zone: str
    eta_ms: int


def draw_labels(labels: Sequence[Label]) -> bytes:
    """A page of 100 by 150 mm a label."""
    plain, bold, _ = fonts()
    to = io.BytesIO()
    canvas = Canvas(to, pagesize=(WIDTH_MM * mm, HEIGHT_MM * mm), invariant=1)
    canvas.setTitle("Labels")
    for label in labels:
        for text in label.texts:
            canvas.setFont(bold if text.bold else plain, text.height * mm)
            canvas.drawString(text.x * mm, (HEIGHT_MM - text.y - text.height * 0.85) * mm, text.text)
        if label.bar_dots:
            width = label.bar_dots / label.dots_mm * mm
            top = (HEIGHT_MM - BARS_TOP_MM) * mm
            _draw_bars(canvas, label.number, label.bars_left_mm * mm, top, width, BARS_MM * mm)
            canvas.setFont(plain, 3.2 * mm)
            canvas.drawCentredString(WIDTH_MM / 2 * mm, top - (BARS_MM + 3.8) * mm, label.number)
        module = label.module_dots / label.dots_mm * mm
        top = (HEIGHT_MM - QR_TOP_MM) * mm - QUIET * module
        draw_matrix(canvas, label.matrix, label.qr_left_mm * mm, top, module)
        canvas.showPage()
    canvas.save()
    return to.getvalue()


def draw_matrix(canvas: Canvas, matrix: Matrix, left: float, top: float, module: float) -> None:
    """A QR code's dark modules in one path, so that no hairline stands between them. left, top, module in points."""
    path = canvas.beginPath()
    for row, start, wide in matrix.runs():
        path.rect(left + start * module, top - (row + 1) * module, wide * module, module)
    canvas.drawPath(path, stroke=0, fill=1)


def _draw_bars(canvas: Canvas, text: str, left: float, top: float, module: float, high: float) -> None:
    for at, wide in bars(text)[0]:
        canvas.rect(left + at * module, top - high, wide * module, high, stroke=0, fill=1)


class _Code(Flowable):  # type: ignore[misc]
    """A QR code with its quiet zone in running text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.matrix = make_matrix(text)
        self.width = self.height = (self.matrix.size + 2 * QUIET) * MODULE

    def draw(self) -> None:
        """At its place."""
        draw_matrix(self.canv, self.matrix, QUIET * MODULE, self.height - QUIET * MODULE, MODULE)


class _Bars(Flowable):  # type: ignore[misc]
    """A number as Code 128 in running text."""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number, self.height = number, BAR_HIGH
        self.width = (bars(number)[1] + 20) * BAR_MODULE

    def draw(self) -> None:
        """At its place."""
        _draw_bars(self.canv, self.number, 10 * BAR_MODULE, self.height, BAR_MODULE, self.height)


def draw_paper(paper: Paper) -> bytes:
    """The load's papers: its code and list, then each piece with its code."""
    plain, bold, _ = fonts()
    text = ParagraphStyle("text", fontName=plain, fontSize=9, leading=12)
    head = ParagraphStyle("head", text, fontName=bold)
    title = ParagraphStyle("title", fontName=bold, fontSize=17, leading=21, spaceAfter=2 * mm)
    to = io.BytesIO()
    built = SimpleDocTemplate(
        to, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=12 * mm, bottomMargin=15 * mm,
        title=f"Load {paper.shipped.number}", author=paper.shipped.sender, invariant=1,
    )  # fmt: skip
    parts: list[Any] = [
        Paragraph(escape(f"Load {paper.shipped.number}"), title),
        _first(paper, text),
        Spacer(0, 4 * mm),
    ]
    parts.append(_list(paper, text, head))
    for number, why in paper.without:
        parts += [Spacer(0, 2 * mm), Paragraph(escape(f"{number} has no passport: {why}."), text)]
    parts += [Spacer(0, 6 * mm), *(_piece(piece, text, head) for piece in paper.pieces)]

    def footer(canvas: Any, made: Any) -> None:
        canvas.setFont(plain, 7.5)
        canvas.drawString(MARGIN, 8 * mm, f"Load {paper.shipped.number} of {paper.shipped.sender}")
        canvas.drawRightString(A4[0] - MARGIN, 8 * mm, f"page {made.page}")

    built.build(parts, onFirstPage=footer, onLaterPages=footer)
    return to.getvalue()


def _first(paper: Paper, text: ParagraphStyle) -> Table:
    shipped = paper.shipped
    said = [
        ("From", shipped.sender),
        ("To", shipped.addressee),
        ("Vehicle", shipped.vehicle or shipped.mode),
        ("Left", _when(shipped.departed_ms, paper.zone)),
        ("Expected", _when(paper.eta_ms, paper.zone)),
        ("Pieces", str(len(paper.pieces) + len(paper.without))),
        ("Mass", f"{formats.kg(sum(piece.body.mass_g for piece in paper.pieces))} kg"),
        ("Passports good until", _when(shipped.expires_ms, paper.zone)),
    ]
    words = Table([[Paragraph(name, text), Paragraph(escape(value), text)] for name, value in said], hAlign="LEFT")
    words.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("PADDING", (0, 0), (-1, -1), 1.5)]))
    words._argW = [36 * mm, 68 * mm]
    code: Any = _Code(paper.text) if paper.text else ""
    return Table(
        [[words, code]],
        colWidths=[108 * mm, INSIDE - 108 * mm],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("ALIGN", (1, 0), (1, 0), "RIGHT")],
    )


def _list(paper: Paper, text: ParagraphStyle, head: ParagraphStyle) -> Table:
    text, head = (ParagraphStyle("small", style, fontSize=8, leading=10) for style in (text, head))
    names = ("Number", "Position", "Grade", "Size", "Mass kg", "Basis", "Quality", "Custody")
    rows = [
        [b.number, piece.position, b.grade, size_words(b), formats.kg(b.mass_g), b.mass_basis, b.quality, b.custody_no]
        for piece in paper.pieces
        for b in (piece.body,)
    ]
    cells = [[Paragraph(name, head) for name in names]]
    cells += [[Paragraph(escape(str(one)), text) for one in row] for row in rows]
    shares = (0.18, 0.1, 0.09, 0.26, 0.09, 0.11, 0.09, 0.08)
    made = Table(cells, colWidths=[share * INSIDE for share in shares], repeatRows=1)
    lines = ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE)
    made.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, 0), GROUND), lines, ("PADDING", (0, 0), (-1, -1), 2)]))
    return made


def _piece(piece: PaperPiece, text: ParagraphStyle, head: ParagraphStyle) -> KeepTogether:
    big = ParagraphStyle("big", head, fontSize=15, leading=18)
    words: list[Any] = [Paragraph(escape(piece.body.number), big)]
    words += [Paragraph(escape(line), text) for line in filter(None, lines_of(piece.body))]
    if status := status_of(piece.body):
        words.append(Paragraph(escape(status), head))
    if is_writable(piece.body.number):
        words += [Spacer(0, 2 * mm), _Bars(piece.body.number)]
    row = Table([[words, _Code(piece.text)]], colWidths=[INSIDE - 68 * mm, 68 * mm])
    row.setStyle(
        TableStyle(
            [
                ("ALIGN", (1, 0), (1, 0), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEABOVE", (0, 0), (-1, 0), 0.4, LINE),
            ]
        )
    )
    return KeepTogether([row])


def _when(at_ms: int, zone: str) -> str:
    return formats.local(at_ms, zone).strftime("%d %b %Y %H:%M") + f" {zone}"
