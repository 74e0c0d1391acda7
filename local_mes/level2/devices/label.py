"""A label: lines of text and one code, as ZPL II for the printer and as SVG for the screen, from the same geometry.

What stands on it is data of the printer's link: templates with names in braces, of which `NAMES` are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Annotated, Literal
from xml.sax.saxutils import escape

import msgspec
from msgspec import Meta

from local_mes.level2.devices.code128 import bars, is_writable

NAMES = {
    "plant": "the plant's code",
    "number": "the piece's number",
    "kind": "slab, coil, slit",
    "heat": "its heat",
    "grade": "its grade",
    "order": "its order item",
    "mass_kg": "its mass in whole kg",
    "basis": "weighed or theoretical",
    "thickness_mm": "with two decimals",
    "width_mm": "whole",
    "length_m": "with one decimal",
    "place": "where it lies",
    "held": "HELD when something holds it, else nothing",
    "date": "today, local",
}
MARGIN_MM, GAP_MM = 3.0, 1.5
CODE_PART = 0.38
"""Of the label's height."""
MODULE_MIN, MODULE_MAX = 2, 6
"""Dots of a narrow bar: a single one smears, a wider one gains nothing."""
QUIET_MODULES = 10
"""Clear on either side of a Code 128 (ISO/IEC 15417)."""
ACROSS = 0.56
"""Width of a character of font 0 over its height, at most: a long line is set smaller."""
Millimetres = Annotated[float, Meta(gt=10, le=300)]


class LabelLayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[link.settings.label]`. dots_mm: 8 at 203 dpi, 12 at 300 dpi; code stands below the lines, content is in it."""

    width_mm: Millimetres = 100
    height_mm: Millimetres = 60
    dots_mm: Literal[6, 8, 12, 24] = 8
    lines: Annotated[tuple[str, ...], Meta(min_length=1, max_length=8)] = ("{number}",)
    code: Literal["code128", "datamatrix", "qr", "none"] = "code128"
    content: str = "{number}"


@dataclass(frozen=True)
class Line:
    """Text with its upper left corner and its height, in mm."""

    x: float
    y: float
    height: float
    text: str


def faults_of(layout: LabelLayout) -> list[str]:
    """What a template names and nobody knows."""
    return [fault for template in (*layout.lines, layout.content) for fault in unknown_names(template)]


def unknown_names(template: str) -> list[str]:
    """Names in braces that are none of `NAMES`, or why the template is none."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        return [f"{template!r}: {error}"]
    return [f"{template!r} names {name!r}, known are {', '.join(NAMES)}" for name in names if name not in NAMES]


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its values."""
    return " ".join(template.format_map({name: values.get(name, "") for name in NAMES}).split())


def unprintable(layout: LabelLayout, values: Mapping[str, str]) -> str:
    """Why the code cannot be drawn; nothing when it can."""
    content = fill(layout.content, values)
    if layout.code != "code128" or not content:
        return ""
    if not is_writable(content):
        return "Code 128 has letters without accents, digits and signs only"
    wide_mm = MODULE_MIN * (bars(content)[1] + 2 * QUIET_MODULES) / layout.dots_mm
    return f"its code is {wide_mm:.0f} mm wide" if wide_mm > layout.width_mm else ""


def module_dots(layout: LabelLayout, content: str) -> int:
    """Width of the narrowest bar: as wide as label and quiet zones have room for, to be read from a crane."""
    room = layout.width_mm * layout.dots_mm
    return max(MODULE_MIN, min(MODULE_MAX, int(room / (bars(content)[1] + 2 * QUIET_MODULES))))


def code_left_mm(layout: LabelLayout, content: str) -> float:
    """Where the code begins: behind its quiet zone."""
    return max(MARGIN_MM, QUIET_MODULES * _module(layout, content) / layout.dots_mm)


def lines_of(layout: LabelLayout, values: Mapping[str, str]) -> list[Line]:
    """The lines, the first one twice as high as the others; empty ones take no room."""
    texts = [text for text in (fill(line, values) for line in layout.lines) if text]
    part = 1 if layout.code == "none" else 1 - CODE_PART
    room = layout.height_mm * part - MARGIN_MM - GAP_MM * len(texts)
    unit, y, found = room / (len(texts) + 1) if texts else 0.0, MARGIN_MM, []
    for at, text in enumerate(texts):
        height = unit * (2 if at == 0 else 1)
        fits = (layout.width_mm - 2 * MARGIN_MM) / (len(text) * ACROSS)
        found.append(Line(MARGIN_MM, y, min(height, fits), text))
        y += height + GAP_MM
    return found


def to_zpl(layout: LabelLayout, values: Mapping[str, str], copies: int = 1) -> str:
    """The label for the printer, in UTF-8 (^CI28); each copy counts."""

    def dots(mm: float) -> int:
        return round(mm * layout.dots_mm)

    out = [f"^XA^CI28^PW{dots(layout.width_mm)}^LL{dots(layout.height_mm)}^LH0,0"]
    for line in lines_of(layout, values):
        height = dots(line.height)
        out.append(f"^FO{dots(line.x)},{dots(line.y)}^A0N,{height},{height}^FH_^FD{_hexed(line.text)}^FS")
    content = fill(layout.content, values)
    if layout.code != "none" and content:
        top, high = layout.height_mm * (1 - CODE_PART), layout.height_mm * CODE_PART - MARGIN_MM
        commands = {
            "code128": f"^BY{_module(layout, content)}^BCN,{dots(high - 4)},Y,N,N",
            "datamatrix": f"^BXN,{max(3, dots(high) // 24)},200",
            "qr": f"^BQN,2,{min(10, max(2, dots(high) // 29))}",
        }
        data = f"MA,{_hexed(content)}" if layout.code == "qr" else _hexed(content)
        out.append(f"^FO{dots(code_left_mm(layout, content))},{dots(top)}{commands[layout.code]}^FH_^FD{data}^FS")
    return "\n".join([*out, f"^PQ{copies}^XZ"]) + "\n"


def _module(layout: LabelLayout, content: str) -> int:
    return module_dots(layout, content) if layout.code == "code128" and is_writable(content) else MODULE_MIN


def _hexed(text: str) -> str:
    """What ZPL would take for a command, by its number."""
    return "".join(f"_{ord(char):02X}" if char in "^~_\\" else char for char in text)


def to_svg(layout: LabelLayout, values: Mapping[str, str]) -> str:
    """The label on screen, in mm. A two-dimensional code is shown as a box with its content: the printer draws it."""
    w, h = layout.width_mm, layout.height_mm
    out = [f'<rect width="{w:g}" height="{h:g}" rx="1.5" fill="#fff" stroke="#888" stroke-width="0.3"/>']
    for line in lines_of(layout, values):
        base = line.y + line.height * 0.8
        out.append(f'<text x="{line.x:.1f}" y="{base:.1f}" font-size="{line.height:.1f}">{escape(line.text)}</text>')
    content = fill(layout.content, values)
    if layout.code != "none" and content:
        out.append(_code(layout, content))
    return (
        f'<svg class="label" viewBox="0 0 {w:g} {h:g}" role="img" aria-label="Label: '
        f'{escape(", ".join(line.text for line in lines_of(layout, values)), {chr(34): "&quot;"})}"'
        f' font-family="sans-serif" font-weight="600" fill="#000">{"".join(out)}</svg>'
    )


def _code(layout: LabelLayout, content: str) -> str:
    top, high = layout.height_mm * (1 - CODE_PART), layout.height_mm * CODE_PART - MARGIN_MM
    if layout.code != "code128" or not is_writable(content):
        box = f'<rect x="{MARGIN_MM}" y="{top:.1f}" width="{high:.1f}" height="{high:.1f}" fill="none" stroke="#000"'
        text = f'<text x="{MARGIN_MM + high + 2:.1f}" y="{top + high / 2:.1f}" font-size="3">'
        return f'{box} stroke-width="0.4" stroke-dasharray="1"/>{text}{escape(f"{layout.code}: {content}")}</text>'
    dark, wide = bars(content)
    left, room = code_left_mm(layout, content), layout.width_mm - 2 * MARGIN_MM
    module = min(module_dots(layout, content) / layout.dots_mm, room / wide)
    drawn = "".join(
        f"M{left + at * module:.2f} {top:.1f}h{width * module:.2f}v{high - 4:.1f}h-{width * module:.2f}z"
        for at, width in dark
    )
    read = f'<text x="{left:.1f}" y="{top + high - 0.8:.1f}" font-size="3">{escape(content)}</text>'
    return f'<path d="{drawn}"/>{read}'
