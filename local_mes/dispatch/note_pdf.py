"""The delivery note as PDF (A4): who to whom, the pieces with order item, mass with its basis and certificate, the sums.

Made with ReportLab (docs/decisions/0014-reportlab-for-documents.md), which is loaded when the first is made.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from shared.units import G_PER_KG

FONTS = Path("/usr/share/fonts/truetype/dejavu")
"""Letters of all of Europe, where the machine has them; without them those that PDF readers have themselves (Latin 1)."""
MARGIN = 16 * mm
WIDTH = A4[0] - 2 * MARGIN
COLUMNS = (("Piece", 34), ("Order item", 30), ("Grade", 22), ("Dimensions mm", 34), ("Mass kg", 24), ("Basis", 0))
LINE, GROUND, QUIET = (colors.HexColor(code) for code in ("#c8d0d8", "#eef2f5", "#51606e"))


@dataclass(frozen=True)
class NotePiece:
    """A line of the note; mass in grams."""

    number: str
    order_item: str
    grade: str
    size: str
    mass_g: int
    mass_basis: str
    certificate: str


@dataclass(frozen=True)
class Note:
    """What the note says, times in words of the plant's zone."""

    number: str
    load: str
    sender: str
    party: str
    address: str
    vehicle: str
    left: str
    pieces: Sequence[NotePiece]


def make_note(note: Note) -> bytes:
    """The file; the same note gives the same bytes."""
    plain, bold = _fonts()
    text = ParagraphStyle("text", fontName=plain, fontSize=9, leading=12)
    label = ParagraphStyle("label", text, textColor=QUIET, fontSize=8)
    title = ParagraphStyle("title", fontName=bold, fontSize=17, leading=21, spaceAfter=3 * mm)
    to = io.BytesIO()
    size = {"leftMargin": MARGIN, "rightMargin": MARGIN, "topMargin": 16 * mm, "bottomMargin": 18 * mm}
    built = SimpleDocTemplate(
        to, pagesize=A4, title=f"Delivery note {note.number}", author=note.sender, invariant=1, **size
    )

    def footer(canvas: Any, made: Any) -> None:
        canvas.setFont(plain, 7.5)
        canvas.drawString(MARGIN, 9 * mm, f"Delivery note {note.number}")
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"page {made.page}")

    parts = [
        Paragraph(f"Delivery note {escape(note.number)}", title),
        _ends(note, text, label),
        Spacer(0, 6 * mm),
        _pieces(note, text, plain, bold),
        Spacer(0, 5 * mm),
        Paragraph(escape(_sums(note)), text),
        Spacer(0, 16 * mm),
        Paragraph("Received in good order: date, name, signature", label),
    ]
    built.build(parts, onFirstPage=footer, onLaterPages=footer)
    return to.getvalue()


def _ends(note: Note, text: ParagraphStyle, label: ParagraphStyle) -> Table:
    pairs = (
        ("From", note.sender),
        ("To", "\n".join(filter(None, (note.party, note.address)))),
        ("Load", note.load),
        ("Vehicle", note.vehicle or "–"),
        ("Left", note.left),
    )
    rows = [[Paragraph(name, label), Paragraph(escape(said).replace("\n", "<br/>"), text)] for name, said in pairs]
    return Table(rows, colWidths=[22 * mm, WIDTH - 22 * mm], style=[("VALIGN", (0, 0), (-1, -1), "TOP")], hAlign="LEFT")


def _pieces(note: Note, text: ParagraphStyle, plain: str, bold: str) -> Table:
    widths = [width * mm for _, width in COLUMNS]
    widths[-1] = WIDTH - sum(widths)
    rows: list[list[Any]] = [[name for name, _ in COLUMNS]]
    for piece in note.pieces:
        basis = piece.mass_basis + (f", certificate {piece.certificate}" if piece.certificate else "")
        cells = (piece.number, piece.order_item, piece.grade, piece.size)
        mass = f"{piece.mass_g / G_PER_KG:,.0f}"
        rows.append([*(Paragraph(escape(cell), text) for cell in cells), mass, Paragraph(escape(basis), text)])
    style = TableStyle(
        [
            ("FONT", (0, 0), (-1, 0), bold, 8),
            ("FONT", (0, 1), (-1, -1), plain, 9),
            ("BACKGROUND", (0, 0), (-1, 0), GROUND),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
            ("ALIGN", (4, 0), (4, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )
    return Table(rows, colWidths=widths, style=style, repeatRows=1)


def _sums(note: Note) -> str:
    """Pieces, and mass by basis: weighed and theoretical kilograms are never added up to one figure."""
    by_basis: dict[str, int] = {}
    for piece in note.pieces:
        by_basis[piece.mass_basis] = by_basis.get(piece.mass_basis, 0) + piece.mass_g
    masses = ", ".join(f"{mass_g / G_PER_KG:,.0f} kg {basis}" for basis, mass_g in sorted(by_basis.items()))
    return f"{len(note.pieces)} {'piece' if len(note.pieces) == 1 else 'pieces'}: {masses}."


def _fonts() -> tuple[str, str]:
    names = ("DejaVuSans", "DejaVuSans-Bold")
    if not all((FONTS / f"{name}.ttf").is_file() for name in names):
        return "Helvetica", "Helvetica-Bold"
    for name in names:
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))
    return names
