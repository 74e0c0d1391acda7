"""Telegram bodies to fields and back. A layout is compiled once, into struct formats and one function a field.

Decoding is strict: bytes that decode encode to the same bytes again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from local_mes.level2.telegrams.encoder import Encoder, FormatError, filler
from local_mes.level2.telegrams.layout import SIZED, Field, Layout
from local_mes.level2.telegrams.values import codec_of

__all__ = ["Codec", "Fields", "FormatError", "compiled", "decode_body", "encode_body", "fixed_size"]

Fields = dict[str, Any]
CODECS_KEPT = 4_096
"""Layouts that stay compiled: those of hundreds of links."""


def encode_body(layout: Layout, values: Mapping[str, Any]) -> bytes:
    """Bytes of a message's fields. A count field may be left out: the group's length stands in."""
    return compiled(layout).encode(values)


def decode_body(layout: Layout, body: bytes) -> Fields:
    """Fields of a message; FormatError when a byte is missing, left over or cannot be read."""
    return compiled(layout).decode(body)


def fixed_size(fields: Sequence[Field]) -> int:
    """Bytes of fields without groups, such as a header."""
    return sum(f.gap + f.width for f in fields)


class Codec:
    """A layout, compiled."""

    def __init__(self, layout: Layout) -> None:
        self._encode = Encoder(layout.fields, layout).parts
        self._delimiter, self._end = layout.delimiter, layout.end
        self._tail = filler(layout) * layout.tail
        self._fixed = _Fixed(layout.fields, layout)
        self._delimited = _Delimited(layout.fields, layout)

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """Fields to bytes."""
        return self._delimiter.join(self._encode(values)) + self._tail

    def decode(self, body: bytes) -> Fields:
        """Bytes to fields."""
        if self._delimiter:
            return self._decode_text(body)
        values: Fields = {}
        end = self._fixed.decode(body, 0, values)
        if body[end:] != self._tail:
            raise FormatError(f"{len(body) - end} bytes left over after the last field")
        return values

    def _decode_text(self, body: bytes) -> Fields:
        if self._end and self._end in body:
            raise FormatError("the bytes that end a telegram stand within it")
        parts, values = body.split(self._delimiter) if body or self._delimited.least else [], Fields()
        end = self._delimited.decode(parts, 0, values)
        if end != len(parts):
            raise FormatError(f"{len(parts) - end} fields left over after the last")
        return values


@lru_cache(maxsize=CODECS_KEPT)
def compiled(layout: Layout) -> Codec:
    """The codec of a layout, made at its first use."""
    return Codec(layout)


class _Step(Protocol):
    def decode(self, body: bytes, at: int, values: Fields) -> int: ...


class _Fixed:
    """Fields at fixed places: runs of plain fields by struct, groups row by row."""

    def __init__(self, fields: Sequence[Field], layout: Layout) -> None:
        self._steps: list[_Step] = []
        run: list[Field] = []
        for f in () if layout.delimiter else fields:
            if run and (f.type == "group" or f.byte_order != run[-1].byte_order):
                self._steps.append(_Run(run, layout))
                run = []
            if f.type == "group":
                self._steps.append(_Group(f, layout))
            else:
                run.append(f)
        if run:
            self._steps.append(_Run(run, layout))

    def decode(self, body: bytes, at: int, values: Fields) -> int:
        for step in self._steps:
            at = step.decode(body, at, values)
        return at


class _Run:
    """Plain fields one after the other, of one byte order."""

    def __init__(self, fields: Sequence[Field], layout: Layout) -> None:
        self._fields = tuple(fields)
        self._filler = filler(layout)
        self._gaps = [f.gap for f in fields if f.gap]
        text, self._steps = "<" if fields[0].byte_order == "little" else ">", []
        for f in fields:
            if f.gap:
                text += f"{f.gap}s"
                self._steps.append(("", self._check_gap, False))
            codec = codec_of(f, delimited=False)
            text += codec.format
            self._steps.append((f.name, codec.decode, codec.is_digits))
        made = struct.Struct(text)
        self._size, self._unpack = made.size, made.unpack_from

    _steps: list[tuple[str, Callable[[Any], Any] | None, bool]]

    def decode(self, body: bytes, at: int, values: Fields) -> int:
        if len(body) - at < self._size:
            raise self._too_short(body[at:])
        name, raw = "", None
        try:
            for (name, decode, is_digits), raw in zip(self._steps, self._unpack(body, at), strict=True):
                if is_digits and raw.isdigit():  # nearly always
                    values[name] = int(raw)
                else:
                    values[name] = decode(raw) if decode else raw
        except ValueError as error:
            raise FormatError(f"{name or 'reserved bytes'}: {raw!r} {error}") from error
        if self._gaps:
            del values[""]
        return at + self._size

    def _check_gap(self, raw: bytes) -> None:
        if raw.strip(self._filler):
            raise ValueError("are not empty; name them as a field of type hex")

    def _too_short(self, body: bytes) -> FormatError:
        """What is wrong first: a field that is there and cannot be read, or the first that is not."""
        at = 0
        for f in self._fields:
            at += f.gap + f.width
            if at > len(body):
                return FormatError(f"{f.name}: the telegram ends before it")
            decode = codec_of(f, delimited=False).decode
            try:
                if decode and f.type not in SIZED:
                    decode(body[at - f.width : at])
            except ValueError as error:
                return FormatError(f"{f.name}: {body[at - f.width : at]!r} {error}")
        return FormatError("the telegram ends too soon")


class _Group:
    """Rows, as many as the field before says."""

    def __init__(self, f: Field, layout: Layout) -> None:
        self._f, self._row = f, _Fixed(f.fields, layout)

    def decode(self, body: bytes, at: int, values: Fields) -> int:
        rows = values[self._f.name] = []
        for i in range(_count(self._f, values)):
            row: Fields = {}
            try:
                at = self._row.decode(body, at, row)
            except FormatError as error:
                raise FormatError(f"{self._f.name}[{i}].{error}") from error
            rows.append(row)
        return at


class _Delimited:
    """Fields of delimited text, taken from its parts one by one."""

    def __init__(self, fields: Sequence[Field], layout: Layout) -> None:
        self._steps: list[tuple[Field, Callable[[Any], Any] | None, _Delimited | None]] = []
        self.least = 0
        for f in fields if layout.delimiter else ():
            inner = _Delimited(f.fields, layout) if f.type == "group" else None
            self._steps.append((f, None if inner else codec_of(f, delimited=True).decode, inner))
            self.least += not inner

    def decode(self, parts: Sequence[bytes], at: int, values: Fields) -> int:
        for f, decode, inner in self._steps:
            if inner:
                at = self._rows(f, inner, parts, at, values)
                continue
            if at >= len(parts):
                raise FormatError(f"{f.name}: the telegram ends before it")
            if len(parts[at]) > f.width:
                raise FormatError(f"{f.name}: {parts[at]!r} is longer than {f.width}")
            try:
                values[f.name] = decode(parts[at]) if decode else parts[at]
            except ValueError as error:
                raise FormatError(f"{f.name}: {parts[at]!r} {error}") from error
            at += 1
        return at

    def _rows(self, f: Field, inner: _Delimited, parts: Sequence[bytes], at: int, values: Fields) -> int:
        rows = values[f.name] = []
        for i in range(_count(f, values)):
            row: Fields = {}
            try:
                at = inner.decode(parts, at, row)
            except FormatError as error:
                raise FormatError(f"{f.name}[{i}].{error}") from error
            rows.append(row)
        return at


def _count(f: Field, values: Mapping[str, Any]) -> int:
    count: int = f.times or values[f.count]
    if not 0 <= count <= f.max_count:
        raise FormatError(f"{f.count}: {count} rows, at most {f.max_count}")
    return count
