"""Where each field of a telegram stands, with its bytes and its value: for the workbench and the interface document. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_mes.level2.telegrams.codec import decode_body
from local_mes.level2.telegrams.layout import FLOATS, INTEGERS, TEXTS, Field, Layout, LayoutSet
from local_mes.level2.telegrams.reading import read_frame


@dataclass(frozen=True)
class Spot:
    """One field as it lies in a telegram. start counts from the telegram's first byte, from 0."""

    path: str
    field: Field
    start: int
    raw: bytes
    value: Any
    part: str = "body"

    @property
    def hex(self) -> str:
        """The bytes in pairs."""
        return self.raw.hex(" ")


def spots(layouts: LayoutSet, raw: bytes) -> list[Spot]:
    """Every field of a whole telegram; FormatError says why it cannot be read."""
    frame, layout = read_frame(layouts, raw)
    behind = len(raw) - len(layouts.protocol.end) - len(frame.body)
    between = len(layouts.header.delimiter) if layout.fields else 0
    head = raw[: behind - between]
    values = decode_body(layout, frame.body)
    found = [*_walk(layouts.header, head, 0, "header"), *_walk(layout, frame.body, behind, "body")]
    return found if values or layout.fields else found[: len(layouts.header.fields)]


def _walk(layout: Layout, body: bytes, start: int, part: str) -> Iterator[Spot]:
    values = decode_body(layout, body)
    widths = iter(len(one) for one in body.split(layout.delimiter)) if layout.delimiter else None
    at = 0
    for path, f, value in _flat(layout.fields, values, ""):
        at += f.gap
        width = f.width if widths is None else next(widths)
        yield Spot(path, f, start + at, body[at : at + width], value, part)
        at += width + (len(layout.delimiter) if widths is not None else 0)


def _flat(fields: Sequence[Field], values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Field, Any]]:
    for f in fields:
        if f.type == "group":
            for i, row in enumerate(values[f.name]):
                yield from _flat(f.fields, row, f"{path}{f.name}[{i}].")
        else:
            yield f"{path}{f.name}", f, values[f.name]


def type_words(f: Field, layout: Layout) -> str:
    """What a supplier's programmer needs to know of a field's form."""
    if f.type in INTEGERS:
        sign = "signed" if f.type.startswith("i") else "unsigned"
        order = f", {f.byte_order}-endian" if f.width > 1 else ""
        return f"{f.type}: {sign} whole number{order}{_scale_words(f)}"
    if f.type in FLOATS:
        return f"{f.type}: IEEE 754, {f.byte_order}-endian"
    if f.type in TEXTS:
        return f"text, {f.code_page.upper()}{'' if layout.delimiter else ', left-aligned, filled with spaces'}"
    if f.type == "packed":
        return f"packed decimal, sign {'C or D' if f.signed else 'F'}{_scale_words(f)}"
    if f.type == "bcd":
        return f"binary coded decimal, two digits a byte{_scale_words(f)}"
    return "bytes" if f.type == "hex" else f"digits, {f.code_page.upper()}{_fill_words(f)}{_scale_words(f)}"


def range_words(f: Field) -> str:
    """What is allowed, in a few words; nothing where everything is."""
    if f.codes:
        return ", ".join(f"{number} = {text}" for number, text in f.codes.items())
    if f.values:
        return ", ".join(str(value) if value != "" else "empty" for value in f.values)
    low, high = ("" if edge is None else f"{edge:,}" for edge in (f.low, f.high))
    said = f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}" if high else ""
    needed = "must not be empty" if f.required else "may be empty" if f.optional else ""
    return "; ".join(filter(None, (said, needed)))


def _fill_words(f: Field) -> str:
    return {"0": ", right-aligned, zero-filled", " ": ", right-aligned, space-filled", "": ""}[f.fill]


def _scale_words(f: Field) -> str:
    if f.point:
        return f", {f.decimals} decimals behind a point"
    if (f.numerator, f.denominator) == (1, 1):
        return ""
    return f", in steps of {f.numerator / f.denominator:g}"
