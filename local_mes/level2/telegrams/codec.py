"""Fields to bytes and back, pure. Decoding is strict: bytes that decode encode to the same bytes again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_mes.level2.telegrams.layout import BINARY_SIZES, Field, Layout

_NUMBER = re.compile(rb"-?[0-9]+")
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")

Fields = dict[str, Any]


class FormatError(Exception):
    """Bytes or values that the layout cannot carry; the text names the field."""


def encode_body(layout: Layout, values: Mapping[str, Any]) -> bytes:
    """Bytes of a message's fields. A count field may be left out: the group's length stands in."""
    return _encode_fields(layout.fields, values, "")


def decode_body(layout: Layout, body: bytes) -> Fields:
    """Fields of a message; FormatError when a byte is missing, left over or cannot be read."""
    values, end = _decode_fields(layout.fields, body, 0, "")
    if end != len(body):
        raise FormatError(f"{len(body) - end} bytes left over after the last field")
    return values


def fixed_size(fields: Sequence[Field]) -> int:
    """Bytes of fields without groups, such as a header."""
    return sum(f.width for f in fields)


def _encode_fields(fields: Sequence[Field], values: Mapping[str, Any], path: str) -> bytes:
    groups = {f.name: _rows(f, values, path) for f in fields if f.type == "group"}
    counted = {f.count: len(groups[f.name]) for f in fields if f.type == "group"}
    strangers = sorted(set(values) - {f.name for f in fields})
    if strangers:
        raise FormatError(f"{path}{strangers[0]}: no such field")
    parts = []
    for f in fields:
        value = values.get(f.name, counted.get(f.name))
        if f.name in counted and value != counted[f.name]:
            raise FormatError(f"{path}{f.name}: says {value}, but {counted[f.name]} follow")
        if f.type == "group":
            parts += [_encode_fields(f.fields, row, f"{path}{f.name}[{i}].") for i, row in enumerate(groups[f.name])]
        else:
            parts.append(_encode_value(f, value, path))
    return b"".join(parts)


def _rows(f: Field, values: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    rows = values.get(f.name, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows) or len(rows) > f.max_count:
        raise FormatError(f"{path}{f.name}: is no list of at most {f.max_count} rows")
    return rows


def _decode_fields(fields: Sequence[Field], body: bytes, at: int, path: str) -> tuple[Fields, int]:
    values: Fields = {}
    for f in fields:
        if f.type == "group":
            count = values[f.count]
            if not 0 <= count <= f.max_count:
                raise FormatError(f"{path}{f.count}: {count} rows, at most {f.max_count}")
            rows = []
            for i in range(count):
                row, at = _decode_fields(f.fields, body, at, f"{path}{f.name}[{i}].")
                rows.append(row)
            values[f.name] = rows
        else:
            raw = body[at : at + f.width]
            if len(raw) < f.width:
                raise FormatError(f"{path}{f.name}: the telegram ends before it")
            values[f.name] = _decode_value(f, raw, path)
            at += f.width
    return values, at


def _encode_value(f: Field, value: Any, path: str) -> bytes:
    try:
        raw = _CODECS[f.type][0](f, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"{path}{f.name}: {value!r} does not fit ({error})") from error
    if len(raw) != f.width:
        raise FormatError(f"{path}{f.name}: {value!r} is longer than {f.width}")
    return raw


def _decode_value(f: Field, raw: bytes, path: str) -> Any:
    try:
        return _CODECS[f.type][1](f, raw)
    except ValueError as error:
        raise FormatError(f"{path}{f.name}: {raw!r} {error}") from error


def _encode_number(f: Field, value: Any) -> bytes:
    if value is None and f.optional:
        return b" " * f.width
    return f"{_scaled(f, value):0{f.width}d}".encode()


def _decode_number(f: Field, raw: bytes) -> int | float | None:
    if f.optional and not raw.strip(b" "):
        return None
    if not _NUMBER.fullmatch(raw):
        raise ValueError("is no number")
    number = int(raw)
    if number == 0 and raw.startswith(b"-"):
        raise ValueError("is minus nothing")
    return number / 10**f.decimals if f.decimals else number


def _encode_text(f: Field, value: Any) -> bytes:
    raw = str("" if value is None else value).encode("ascii")
    if not _PRINTABLE.fullmatch(raw):
        raise ValueError("only printable ASCII")
    return raw.ljust(f.width)


def _decode_text(_f: Field, raw: bytes) -> str:
    if not _PRINTABLE.fullmatch(raw):
        raise ValueError("holds bytes that are no printable ASCII")
    return raw.rstrip(b" ").decode("ascii")


def _encode_integer(f: Field, value: Any) -> bytes:
    if f.codes:
        numbers = {text: number for number, text in f.codes.items()}
        if value not in numbers:
            raise ValueError(f"none of {', '.join(numbers)}")
        value = numbers[value]
    return _scaled(f, value).to_bytes(f.width, "big", signed=f.type.startswith("i"))


def _decode_integer(f: Field, raw: bytes) -> int | float | str:
    number = int.from_bytes(raw, "big", signed=f.type.startswith("i"))
    if f.codes:
        if number not in f.codes:
            raise ValueError(f"none of the codes {', '.join(map(str, f.codes))}")
        return f.codes[number]
    return number / 10**f.decimals if f.decimals else number


def _scaled(f: Field, value: Any) -> int:
    """The whole number on the wire; a value with more decimals than the field is refused, not rounded away."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("is no number")
    number: int = round(value * 10**f.decimals)
    if abs(value * 10**f.decimals - number) > 1e-4:
        raise ValueError(f"has more than {f.decimals} decimals")
    return number


_CODECS: dict[str, tuple[Callable[[Field, Any], bytes], Callable[[Field, bytes], Any]]] = {
    "N": (_encode_number, _decode_number),
    "A": (_encode_text, _decode_text),
    "char": (_encode_text, _decode_text),
    **{kind: (_encode_integer, _decode_integer) for kind in BINARY_SIZES},
}
