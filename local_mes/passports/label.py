"""A piece's label, 100 by 150 mm: its number to read, as Code 128 and, with all that a passport says, as QR.

One geometry, drawn as ZPL II (dots) and as PDF (sheet.py). The QR code is sent to the printer as a picture: what firmware
makes of a text of 1,400 characters differs from maker to maker. Code 128 the printer draws itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from local_mes.level2.devices.code128 import bars, is_writable
from local_mes.passports.codes import QUIET, Matrix, make_matrix
from shared.passports.document import PieceBody
from shared.quality.restriction import TOLD
from shared.web import formats

WIDTH_MM, HEIGHT_MM, MARGIN_MM = 100.0, 150.0, 4.0
DOTS_MM = 8
"""203 dpi, the usual print head; a printer with another one says so in its link's `label`."""
NUMBER_MM, LINE_MM, STATUS_MM, GAP_MM = 14.0, 4.4, 7.0, 1.2
ACROSS = 0.58
"""Width of a character over its height, at most: a long number is set smaller."""
BARS_TOP_MM, BARS_MM, QR_TOP_MM = 54.0, 13.0, 76.0
BAR_QUIET, BARS_OF_MM = 10, (0.5, 0.375, 0.25)
"""Clear modules beside a Code 128; its narrow bar in mm, the widest that has room."""
MODULE_MM_MIN, MODULE_MM_MAX = 0.5, 0.9
"""Half a millimetre and more, so that an ordinary scanner reads it off a hot or dusty label."""


@dataclass(frozen=True)
class Text:
    """A line with its upper left corner and height, in mm."""

    x: float
    y: float
    height: float
    text: str
    bold: bool = False


@dataclass(frozen=True)
class Label:
    """What stands on a label; places in mm. bar_dots 0: the number has letters that Code 128 has not, or is too long."""

    number: str
    texts: tuple[Text, ...]
    bar_dots: int
    matrix: Matrix
    module_dots: int
    dots_mm: int = DOTS_MM

    @property
    def bars_left_mm(self) -> float:
        """Where Code 128 begins, behind its quiet zone."""
        wide = bars(self.number)[1] * self.bar_dots / self.dots_mm
        return max((WIDTH_MM - wide) / 2, BAR_QUIET * self.bar_dots / self.dots_mm)

    @property
    def qr_left_mm(self) -> float:
        """Where the dark part of the QR code begins: it stands in the middle."""
        return round((WIDTH_MM * self.dots_mm - self.matrix.size * self.module_dots) / 2) / self.dots_mm


def make_label(body: PieceBody, text: str, dots_mm: int = DOTS_MM) -> Label:
    """The label of a passport for a print head of so many dots. ValueError when its code is too large for the paper."""
    matrix = make_matrix(text)
    room = min(WIDTH_MM, HEIGHT_MM - QR_TOP_MM) * dots_mm
    module = min(int(MODULE_MM_MAX * dots_mm), int(room / (matrix.size + 2 * QUIET)))
    if module < MODULE_MM_MIN * dots_mm:
        raise ValueError("its code is too large for the label")
    return Label(body.number, tuple(_texts(body)), _bar_dots(body.number, dots_mm), matrix, module, dots_mm)


def _bar_dots(number: str, dots_mm: int) -> int:
    if not is_writable(number):
        return 0
    modules = bars(number)[1] + 2 * BAR_QUIET
    widths = (max(2, int(mm * dots_mm)) for mm in BARS_OF_MM)
    return next((dots for dots in widths if modules * dots <= WIDTH_MM * dots_mm), 0)


def _texts(body: PieceBody) -> Iterator[Text]:
    inside = WIDTH_MM - 2 * MARGIN_MM
    yield Text(MARGIN_MM, MARGIN_MM, min(NUMBER_MM, inside / (max(len(body.number), 1) * ACROSS)), body.number, True)
    y = MARGIN_MM + NUMBER_MM + 2 * GAP_MM
    for line in filter(None, lines_of(body)):
        height = min(LINE_MM, inside / (len(line) * ACROSS))
        yield Text(MARGIN_MM, y, height, line)
        y += LINE_MM + GAP_MM
    if body.quality != "free":
        yield Text(MARGIN_MM, y, STATUS_MM, status_of(body), True)


def status_of(body: PieceBody) -> str:
    """What binds the piece as far as its passport says, as a word to stand out; empty when it is free."""
    return {"held": "HELD", "restricted": f"ONLY FOR {dict(body.attributes).get(TOLD, 'A LIMITED USE')}"}.get(
        body.quality, ""
    )


def lines_of(body: PieceBody) -> Iterable[str]:
    """The words below the number, the same on label and paper; empty ones take no room."""
    shipped = body.shipped
    heats = ", ".join(number for number, _ in body.heats[:3])
    order = "" if body.order_item in ("", "stock") else f"order {body.order_item}"
    yield " · ".join(filter(None, (body.kind, body.grade, order)))
    yield f"heat {heats}" if heats else ""
    yield f"{size_words(body)} · {formats.kg(body.mass_g)} kg {body.mass_basis}"
    yield f"{shipped.sender} to {shipped.addressee} · load {shipped.number}"


def size_words(body: PieceBody) -> str:
    """Thickness by width in mm by length in m."""
    thickness, width, length = body.size
    return f"{formats.mm(thickness)} x {formats.mm(width)} mm x {formats.metres(length)} m"


def to_zpl(label: Label, copies: int = 1) -> str:
    """The label for the printer: ZPL II in UTF-8 (^CI28)."""

    def dots(mm: float) -> int:
        return round(mm * label.dots_mm)

    out = [f"^XA^CI28^PW{dots(WIDTH_MM)}^LL{dots(HEIGHT_MM)}^LH0,0"]
    for line in label.texts:
        high = dots(line.height)
        out.append(f"^FO{dots(line.x)},{dots(line.y)}^A0N,{high},{high}^FH_^FD{_hexed(line.text)}^FS")
    if label.bar_dots:
        at = f"^FO{dots(label.bars_left_mm)},{dots(BARS_TOP_MM)}^BY{label.bar_dots}"
        out.append(f"{at}^BCN,{dots(BARS_MM)},Y,N,N^FH_^FD{_hexed(label.number)}^FS")
    top = dots(QR_TOP_MM) + QUIET * label.module_dots
    out.append(f"^FO{dots(label.qr_left_mm)},{top}{_picture(label.matrix, label.module_dots)}^FS")
    return "\n".join([*out, f"^PQ{copies}^XZ"]) + "\n"


def _picture(matrix: Matrix, dots: int) -> str:
    """^GFA: a row of dots a module, repeated with `:` (as the row before)."""
    wide = -(-matrix.size * dots // 8)
    rows = []
    for row in matrix.rows:
        bits = "".join(("1" if dark else "0") * dots for dark in row).ljust(wide * 8, "0")
        rows.append(f"{int(bits, 2):0{wide * 2}X}" + ":" * (dots - 1))
    total = wide * matrix.size * dots
    return f"^GFA,{total},{total},{wide},{''.join(rows)}"


def _hexed(text: str) -> str:
    """What ZPL would take for a command, by its number."""
    return "".join(f"_{ord(char):02X}" if char in "^~_\\" else char for char in text)
