"""The interface document as PDF, a page for the rules, one for the header and one for each telegram (A4, landscape).

Made with ReportLab (docs/decisions/0014-reportlab-for-documents.md), which is loaded when the first is made.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from local_mes.level2.interface import Document, FieldRow, TelegramPage
from local_mes.level2.telegrams.broken import hex_rows

FONTS = Path("/usr/share/fonts/truetype/dejavu")
"""Letters of all of Europe, where the machine has them; without them those that PDF readers have themselves (Latin 1)."""
MARGIN = 14 * mm
WIDTH = landscape(A4)[0] - 2 * MARGIN
COLUMNS = (("Byte", 14), ("Width", 16), ("Field", 42), ("Form", 62), ("Unit", 14), ("Allowed", 46), ("Meaning", 75))
LINE, GROUND = colors.HexColor("#c8d0d8"), colors.HexColor("#eef2f5")


class _Styles:
    """Fonts and paragraphs, once a document."""

    def __init__(self) -> None:
        plain, bold, mono = fonts()
        self.mono_name = mono
        self.text = ParagraphStyle("text", fontName=plain, fontSize=8.5, leading=11)
        self.small = ParagraphStyle("small", self.text, fontSize=7.5, leading=9.5)
        self.label = ParagraphStyle("label", self.text, textColor=colors.HexColor("#51606e"))
        self.head = ParagraphStyle("head", self.small, fontName=bold)
        self.title = ParagraphStyle("title", fontName=bold, fontSize=16, leading=20, spaceAfter=2 * mm)
        self.part = ParagraphStyle(
            "part", fontName=bold, fontSize=11, leading=14, spaceBefore=4 * mm, spaceAfter=2 * mm
        )
        self.mono = ParagraphStyle("mono", fontName=mono, fontSize=7.5, leading=9.5)
        self.bold_name = bold


def make_pdf(document: Document, zone: str, made: str) -> bytes:
    """The file. zone: of the plant; made: when, in words."""
    styles, to = _Styles(), io.BytesIO()
    title = f"Interface {document.link.code}"
    parts: list[Any] = list(_first_page(document, zone, made, styles))
    parts += [PageBreak(), Paragraph("Header of every telegram", styles.title), _fields(document.header, styles)]
    for page in document.pages:
        parts += [PageBreak(), *_telegram(page, styles)]

    def footer(canvas: Any, built: Any) -> None:
        canvas.setFont(styles.text.fontName, 7.5)
        canvas.drawString(MARGIN, 8 * mm, f"{title} · made {made}")
        canvas.drawRightString(landscape(A4)[0] - MARGIN, 8 * mm, f"page {built.page}")

    size = {"leftMargin": MARGIN, "rightMargin": MARGIN, "topMargin": 12 * mm, "bottomMargin": 15 * mm}
    built = SimpleDocTemplate(
        to, pagesize=landscape(A4), title=title, author="Strandline", subject="Level 2 interface", invariant=1, **size
    )
    built.build(parts, onFirstPage=footer, onLaterPages=footer)
    return to.getvalue()


def fonts() -> tuple[str, str, str]:
    """Plain, bold and fixed: those of the machine, else those that every reader of PDF has."""
    names = {"DejaVuSans": "DejaVuSans", "DejaVuSans-Bold": "DejaVuSans-Bold", "DejaVuSansMono": "DejaVuSansMono"}
    if not all((FONTS / f"{name}.ttf").is_file() for name in names):
        return "Helvetica", "Helvetica-Bold", "Courier"
    for name in names:
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))
    return "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"


def _first_page(document: Document, zone: str, made: str, styles: _Styles) -> Iterator[Any]:
    link = document.link
    yield Paragraph(escape(f"Interface {link.code}"), styles.title)
    yield Paragraph(
        escape(
            f"Between {link.name} and {link.peer or 'Level 2'}. Made {made} from the layouts that the plant runs by."
        ),
        styles.label,
    )
    yield Spacer(0, 3 * mm)
    yield _facts([*document.rules, ("Zone of the plant", zone)], styles)
    yield Paragraph("Telegrams", styles.part)
    yield _grid(
        ["Telegram", "Says", "Direction", "Size"],
        [[", ".join(page.ids), page.title, page.direction, page.size] for page in document.pages],
        (0.24, 0.38, 0.16, 0.22),
        styles,
    )


def _telegram(page: TelegramPage, styles: _Styles) -> Iterator[Any]:
    yield Paragraph(escape(f"{', '.join(page.ids)}  {page.title}"), styles.title)
    when = [("When", page.when)] if page.when else []
    yield _facts([("Direction", f"{page.direction}, {page.answered}"), *when, ("Size", page.size)], styles)
    yield Spacer(0, 2 * mm)
    yield _fields(page.rows, styles)
    yield Paragraph("Example", styles.part)
    lines = [
        f"{row.start:04d}  {' '.join(cell for cell, _ in row.cells):<47}  {row.text}"
        for row in hex_rows(page.example, ())
    ]
    yield Paragraph("<br/>".join(escape(line).replace(" ", "\u00a0") for line in lines), styles.mono)
    yield Spacer(0, 2 * mm)
    said = [
        f"{spot.path} = {'–' if spot.value in (None, '') else spot.value}{f' {spot.field.unit}' if spot.field.unit else ''}"
        for spot in page.spots
        if spot.part == "body"
    ]
    yield Paragraph(escape(", ".join(said) or "Header only."), styles.small)


def _facts(rows: Sequence[tuple[str, str]], styles: _Styles) -> Table:
    cells = [[Paragraph(escape(name), styles.label), Paragraph(escape(words), styles.text)] for name, words in rows]
    made = Table(cells, colWidths=[38 * mm, WIDTH - 38 * mm], hAlign="LEFT")
    made.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("PADDING", (0, 0), (-1, -1), 1.2)]))
    return made


def _fields(rows: Sequence[FieldRow], styles: _Styles) -> Table:
    whole = sum(width for _, width in COLUMNS)
    body = [
        [r.offset or "–", r.width, "· " * r.level + r.name, r.form, r.unit, r.allowed, r.description] for r in rows
    ] or [["No fields.", "", "", "", "", "", ""]]
    return _grid([name for name, _ in COLUMNS], body, [width / whole for _, width in COLUMNS], styles)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float], styles: _Styles) -> Table:
    cells = [[Paragraph(escape(one), styles.head) for one in head]]
    cells += [[Paragraph(escape(str(one)), styles.small) for one in row] for row in rows]
    made = Table(cells, colWidths=[share * WIDTH for share in shares], repeatRows=1, hAlign="LEFT")
    made.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), GROUND),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("PADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return made
