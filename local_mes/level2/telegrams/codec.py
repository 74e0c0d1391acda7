"""Telegram bodies to fields and back. A layout is compiled once, into struct formats and one function a field.

Decoding is strict: bytes that decode encode to the same bytes again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import pos
from typing import Any, Protocol

from local_mes.level2.telegrams.encoder import Encoder, FormatError, filler
from local_mes.level2.telegrams.layout import SIZED, Field, Layout
from local_mes.level2.telegrams.values import codec_of, shown

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


_Steps = list[tuple[str, Callable[[Any], Any] | None, bool]]
"""Of each field its name, what reads what struct gives (None: it is the value), and whether it is digits."""


def _reader(steps: _Steps) -> Callable[..., Fields]:
    """What makes the fields of the values that struct gives: one expression, written once a layout as dataclasses write
    theirs, and twice as quick as a loop. Names come into it as literals."""
    arguments = ", ".join(f"v{i}" for i in range(len(steps)))
    items = ", ".join(f"{name!r}: r{i}(v{i})" for i, (name, _, _) in enumerate(steps))
    # bytes that are digits are read by int; a plain number is taken as it is
    reads = {f"r{i}": int if is_digits else decode or pos for i, (_, decode, is_digits) in enumerate(steps)}
    made: Callable[..., Fields] = eval(f"lambda {arguments}: {{{items}}}", reads)
    return made


def _digit_places(fields: Sequence[Field]) -> list[tuple[int, int]]:
    """Stretches of a run, first byte and the one behind the last, that are usually digits and nothing else."""
    places: list[tuple[int, int]] = []
    at = 0
    for f in fields:
        first, at = at + f.gap, at + f.gap + f.width
        if codec_of(f, delimited=False).is_digits:
            joins = bool(places) and places[-1][1] == first
            places = [*places[:-1], (places[-1][0], at)] if joins else [*places, (first, at)]
    return places


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
        text, self._steps = "<" if fields[0].byte_order == "little" else ">", _Steps()
        for f in fields:
            if f.gap:
                text += f"{f.gap}s"
                self._steps.append(("", self._check_gap, False))
            codec = codec_of(f, delimited=False)
            text += codec.format
            self._steps.append((f.name, codec.decode, codec.is_digits))
        made = struct.Struct(text)
        self._size, self._unpack = made.size, made.unpack_from
        self._digits, self._read_usual = _digit_places(fields), _reader(self._steps)

    def decode(self, body: bytes, at: int, values: Fields) -> int:
        if len(body) - at < self._size:
            raise self._too_short(body[at:])
        raws = self._unpack(body, at)
        if not (self._is_usual(body, at) and self._decode_usual(raws, values)):
            self._decode_each(raws, values)
        if self._gaps:
            del values[""]
        return at + self._size

    def _is_usual(self, body: bytes, at: int) -> bool:
        """Whether digits are nothing but digits."""
        for first, end in self._digits:  # noqa: SIM110 - a generator costs more than what it asks here
            if not body[at + first : at + end].isdigit():
                return False
        return True

    def _decode_usual(self, raws: tuple[Any, ...], values: Fields) -> bool:
        """All fields at once; False where one of them has to be looked at."""
        try:
            values.update(self._read_usual(*raws))
        except ValueError:
            return False
        return True

    def _decode_each(self, raws: tuple[Any, ...], values: Fields) -> None:
        name, raw = "", None
        try:
            for (name, decode, is_digits), raw in zip(self._steps, raws, strict=True):
                if is_digits and raw.isdigit():
                    values[name] = int(raw)
                else:
                    values[name] = decode(raw) if decode else raw
        except ValueError as error:
            raise FormatError(f"{name or 'reserved bytes'}: {shown(raw)} {error}") from error

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
                return FormatError(f"{f.name}: {shown(body[at - f.width : at])} {error}")
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
                raise FormatError(f"{f.name}: {shown(parts[at])} is longer than {f.width}")
            try:
                values[f.name] = decode(parts[at]) if decode else parts[at]
            except ValueError as error:
                raise FormatError(f"{f.name}: {shown(parts[at])} {error}") from error
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
