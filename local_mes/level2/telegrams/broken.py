"""A telegram that does not decode, read as far as it goes: which field stands where, and which of them are at fault. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local_mes.level2.telegrams.encoder import FormatError, filler
from local_mes.level2.telegrams.frame import decode_head, header_size
from local_mes.level2.telegrams.layout import Field, Layout, LayoutSet
from local_mes.level2.telegrams.values import codec_of

ROW_BYTES = 16
ENDS_BEFORE = "the telegram ends before it"


@dataclass(frozen=True)
class Piece:
    """One field as far as it is there. start counts from the first byte; fault: why it cannot be read, empty where it can."""

    path: str
    start: int
    raw: bytes
    value: Any = None
    unit: str = ""
    part: str = "body"
    fault: str = ""


@dataclass(frozen=True)
class HexRow:
    """Sixteen bytes: where they begin, each in hex and whether it is at fault, and all as text."""

    start: int
    cells: Sequence[tuple[str, bool]]
    text: str


def pieces_of(layouts: LayoutSet, raw: bytes) -> list[Piece]:
    """Every field of a telegram that may be broken anywhere, the rest behind what can be told apart as one piece."""
    header, body = _cut(layouts, raw)
    found = list(_walk(layouts.header, header, 0, "header"))
    found = _judge_header(layouts, header.raw, found)
    name = _name_of(found)
    layout = layouts.messages.get(name) if name else None
    if name and layout is None:
        found = _blame(found, _id_field(found), f"{name} has no layout")
    if layout is not None and not any(piece.fault for piece in found):
        found += _walk(layout, body, body.start, "body")
    end = max((piece.start + len(piece.raw) for piece in found), default=0)
    left = raw[end:].removesuffix(layouts.protocol.end) if layouts.protocol.end else raw[end:]
    if left.strip(filler(layouts.header)):
        found.append(Piece("(rest)", end, left, fault="stands behind the last field that can be told apart"))
    return found


def hex_rows(raw: bytes, pieces: Sequence[Piece]) -> list[HexRow]:
    """The bytes in rows, those at fault marked."""
    bad = {at for piece in pieces if piece.fault for at in range(piece.start, piece.start + len(piece.raw))}
    rows = []
    for start in range(0, len(raw), ROW_BYTES):
        row = raw[start : start + ROW_BYTES]
        text = "".join(chr(one) if 32 <= one < 127 else "." for one in row)
        rows.append(HexRow(start, [(f"{one:02x}", start + i in bad) for i, one in enumerate(row)], text))
    return rows


@dataclass
class _Stretch:
    """Bytes that fields are taken from, one after the other; parts where a delimiter stands between them."""

    raw: bytes
    start: int
    delimiter: bytes = b""
    at: int = 0

    def take(self, f: Field) -> tuple[int, bytes | None]:
        """Where the field begins, and its bytes; None where the telegram ends before it."""
        if not self.delimiter:
            begin = self.at + f.gap
            self.at = begin + f.width
            return self.start + begin, self.raw[begin : self.at] if len(self.raw) >= self.at else None
        begin = self.at
        if begin > len(self.raw):
            return self.start + len(self.raw), None
        end = self.raw.find(self.delimiter, begin)
        end = len(self.raw) if end < 0 else end
        self.at = end + len(self.delimiter)
        return self.start + begin, self.raw[begin:end]

    def left(self, begin: int) -> bytes:
        """What is there of a field that is not whole."""
        return self.raw[max(begin - self.start, 0) :]


def _cut(layouts: LayoutSet, raw: bytes) -> tuple[_Stretch, _Stretch]:
    delimiter, end = layouts.header.delimiter, layouts.protocol.end
    whole = raw.removesuffix(end) if end else raw
    if not delimiter:
        size = header_size(layouts)
        return _Stretch(whole[:size], 0), _Stretch(whole[size:], size)
    many = len(layouts.header.fields)
    head = delimiter.join(whole.split(delimiter)[:many])
    behind = len(head) + len(delimiter)
    return _Stretch(head, 0, delimiter), _Stretch(whole[behind:], behind, delimiter)


def _walk(layout: Layout, body: _Stretch, start: int, part: str) -> Iterator[Piece]:
    if part == "body" and layout.fields and not body.raw and body.delimiter:
        yield Piece(layout.fields[0].name, start, b"", part=part, fault=ENDS_BEFORE)
        return
    yield from _fields(layout.fields, body, "", part)


def _fields(fields: Sequence[Field], body: _Stretch, path: str, part: str) -> Iterator[Piece]:
    values: dict[str, Any] = {}
    for f in fields:
        name = path + f.name
        if f.type == "group":
            times = f.times or values.get(f.count)
            if not isinstance(times, int) or not 0 <= times <= f.max_count:
                yield Piece(name, body.start + body.at, b"", part=part, fault=f"{times} rows, at most {f.max_count}")
                return
            for i in range(times):
                yield from (rows := list(_fields(f.fields, body, f"{name}[{i}].", part)))
                if rows and rows[-1].fault == ENDS_BEFORE:
                    return
            continue
        piece = _piece(f, name, body, part)
        values[f.name] = piece.value
        yield piece
        if piece.fault == ENDS_BEFORE:
            return


def _piece(f: Field, name: str, body: _Stretch, part: str) -> Piece:
    begin, raw = body.take(f)
    if raw is None:
        return Piece(name, begin, body.left(begin), unit=f.unit, part=part, fault=ENDS_BEFORE)
    try:
        return Piece(name, begin, raw, _value(f, raw, bool(body.delimiter)), f.unit, part)
    except (ValueError, struct.error) as error:
        return Piece(name, begin, raw, unit=f.unit, part=part, fault=f"{_said(raw)} {error}")


def _said(raw: bytes) -> str:
    """The bytes as people read them: as text where they are some."""
    text = raw.decode("latin-1")
    return f"“{text}”" if text.isprintable() else raw.hex(" ")


def _value(f: Field, raw: bytes, delimited: bool) -> Any:
    codec = codec_of(f, delimited)
    if delimited:
        if len(raw) > f.width:
            raise ValueError(f"is longer than {f.width}")
        return codec.decode(raw) if codec.decode else raw
    (value,) = struct.unpack(("<" if f.byte_order == "little" else ">") + codec.format, raw)
    return codec.decode(value) if codec.decode else value


def _judge_header(layouts: LayoutSet, raw: bytes, found: list[Piece]) -> list[Piece]:
    """A header whose fields can be read one by one may still say what cannot be, such as a length."""
    if any(piece.fault for piece in found):
        return found
    try:
        decode_head(layouts, raw)
    except FormatError as error:
        name, _, why = str(error).partition(": ")
        return _blame(found, name, why)
    return found


def blamed(pieces: Sequence[Piece], path: str, why: str) -> list[Piece]:
    """The pieces, that of this field of the body at fault: it can be read and is wrong all the same."""
    return [
        replace(one, fault=why) if one.part == "body" and one.path == path and not one.fault else one for one in pieces
    ]


def _blame(found: list[Piece], name: str, why: str) -> list[Piece]:
    return [replace(piece, fault=why) if piece.path == name and not piece.fault else piece for piece in found]


def _id_field(found: list[Piece]) -> str:
    return "id" if any(piece.path == "id" for piece in found) else "number"


def _name_of(found: list[Piece]) -> str:
    """The message that a header names; empty where it cannot be read."""
    values = {piece.path: piece.value for piece in found if not piece.fault}
    if "id" in values:
        return str(values["id"])
    if values.get("prefix") is not None and isinstance(values.get("number"), int):
        return f"{values['prefix']}{values['number']:04d}"
    return ""
