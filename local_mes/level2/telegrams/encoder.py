"""Values to the bytes of a telegram's body: one function a field, made once for each layout. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from local_mes.level2.telegrams.layout import Field, Layout
from local_mes.level2.telegrams.values import codec_of


class FormatError(Exception):
    """Bytes or values that the layout cannot carry; the text names the field."""


class Encoder:
    """Values to the bytes of each field, in order."""

    def __init__(self, fields: Sequence[Field], layout: Layout) -> None:
        self._names = {f.name for f in fields}
        self._groups = {f.name: (f, Encoder(f.fields, layout)) for f in fields if f.type == "group"}
        self._counted = {f.count: f.name for f in fields if f.type == "group" and f.count}
        self._delimiter, self._end = layout.delimiter, layout.end
        self._plain = {f.name: codec_of(f, bool(layout.delimiter)).encode for f in fields if f.type != "group"}
        self._fields = [(f, filler(layout) * f.gap) for f in fields]
        # fields at fixed places and nothing else: acknowledgements and most orders
        self._is_plain = not (self._groups or layout.delimiter or any(f.gap for f in fields))
        self._steps = [(f.name, self._plain[f.name], f.width, f.constant) for f in fields if f.type != "group"]

    def parts(self, values: Mapping[str, Any]) -> list[bytes]:
        if not self._names >= values.keys():
            raise FormatError(f"{min(set(values) - self._names)}: no such field")
        if self._is_plain:
            return self._plain_parts(values)
        rows = {name: _rows_of(f, values) for name, (f, _) in self._groups.items()}
        parts: list[bytes] = []
        for f, gap in self._fields:
            if f.type == "group":
                parts += self._row_parts(f.name, rows[f.name])
            else:
                parts.append(gap + self._value(f, values, rows))
        return parts

    def _plain_parts(self, values: Mapping[str, Any]) -> list[bytes]:
        parts: list[bytes] = []
        name, value = "", None
        try:
            for name, encode, width, constant in self._steps:
                value = values.get(name, constant)
                raw = encode(value)
                if len(raw) != width:
                    raise FormatError(f"{name}: {value!r} is longer than {width}")
                parts.append(raw)
        except (TypeError, ValueError, OverflowError, struct.error) as error:
            raise FormatError(f"{name}: {value!r} does not fit ({error})") from error
        return parts

    def _row_parts(self, name: str, rows: list[Mapping[str, Any]]) -> list[bytes]:
        parts: list[bytes] = []
        for i, row in enumerate(rows):
            try:
                parts += self._groups[name][1].parts(row)
            except FormatError as error:
                raise FormatError(f"{name}[{i}].{error}") from error
        return parts

    def _value(self, f: Field, values: Mapping[str, Any], rows: Mapping[str, Sequence[Any]]) -> bytes:
        value = values.get(f.name, f.constant)
        if f.name in self._counted:
            there = len(rows[self._counted[f.name]])
            value = there if f.name not in values else value
            if value != there:
                raise FormatError(f"{f.name}: says {value}, but {there} follow")
        try:
            raw = self._plain[f.name](value)
        except (TypeError, ValueError, OverflowError, struct.error) as error:
            raise FormatError(f"{f.name}: {value!r} does not fit ({error})") from error
        if len(raw) != f.width and not (self._delimiter and len(raw) < f.width):
            raise FormatError(f"{f.name}: {value!r} is longer than {f.width}")
        if self._delimiter and (self._delimiter in raw or (self._end and self._end in raw)):
            raise FormatError(f"{f.name}: {value!r} holds what ends a field or a telegram")
        return raw


def _rows_of(f: Field, values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = values.get(f.name, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows) or len(rows) > f.max_count:
        raise FormatError(f"{f.name}: is no list of at most {f.max_count} rows")
    if f.times and len(rows) != f.times:
        raise FormatError(f"{f.name}: {len(rows)} rows, always {f.times}")
    return rows


def filler(layout: Layout) -> bytes:
    """What stands where nothing is said: zero bytes in binary, spaces in text."""
    return b"\0" if layout.encoding == "binary" else b"\x40" if layout.encoding == "ebcdic" else b" "
