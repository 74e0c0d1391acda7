"""The part of Sparkplug B 3.0 payloads that a host needs, read from and written to protocol buffers' wire format.

Field numbers are those of sparkplug_b.proto (Eclipse Sparkplug 3.0.0, message Payload). Unknown fields are passed over,
as the wire format asks; data sets and templates are named and have no value here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""Data types Int8 to Int64: carried as unsigned numbers in two's complement."""
BOOLEAN = 11
UINT64_MAX = 2**64 - 1


class PayloadError(ValueError):
    """These bytes are no Sparkplug payload."""


@dataclass(frozen=True)
class Metric:
    """One metric. name or alias may be missing in data, never both. value is None where there is no value."""

    name: str = ""
    alias: int | None = None
    datatype: int = 0
    value: Any = None
    timestamp_ms: int | None = None
    historical: bool = False


@dataclass(frozen=True)
class Payload:
    """One message. seq runs 0 to 255 and again; None in a death certificate."""

    timestamp_ms: int | None
    metrics: tuple[Metric, ...]
    seq: int | None


def decode(raw: bytes) -> Payload:
    """Read a payload. PayloadError for anything that is none."""
    timestamp: int | None = None
    seq: int | None = None
    metrics = []
    try:
        for number, value in _fields(raw):
            if number == 1:
                timestamp = int(value)
            elif number == 2:
                metrics.append(_metric(value))
            elif number == 3:
                seq = int(value)
    except (struct.error, IndexError, UnicodeDecodeError, TypeError) as error:
        raise PayloadError(f"no Sparkplug payload: {error}") from error
    return Payload(timestamp, tuple(metrics), seq)


def encode_command(name: str, timestamp_ms: int) -> bytes:
    """A command that sets a Boolean metric true, such as `Node Control/Rebirth`."""
    metric = _text(1, name) + _number(3, timestamp_ms) + _number(4, BOOLEAN) + _number(14, 1)
    return _number(1, timestamp_ms) + _tag(2, BYTES) + _varint(len(metric)) + metric


def _metric(raw: bytes) -> Metric:
    found = dict(_fields(raw))
    datatype = int(found.get(4, 0))
    return Metric(
        name=bytes(found.get(1, b"")).decode(),
        alias=int(found[2]) if 2 in found else None,
        datatype=datatype,
        value=None if found.get(7) else _value(found, datatype),
        timestamp_ms=int(found[3]) if 3 in found else None,
        historical=bool(found.get(5, 0)),
    )


def _value(found: dict[int, Any], datatype: int) -> Any:
    for number, read in _VALUES:
        if number in found:
            value = read(found[number])
            bits = SIGNED_BITS.get(datatype)
            if bits is None or not isinstance(value, int) or isinstance(value, bool):
                return value
            value &= 2**bits - 1
            return value - 2**bits if value >= 2 ** (bits - 1) else value
    return None


_VALUES = (
    (10, int),
    (11, int),
    (12, lambda raw: struct.unpack("<f", raw)[0]),
    (13, lambda raw: struct.unpack("<d", raw)[0]),
    (14, bool),
    (15, lambda raw: raw.decode()),
    (16, lambda raw: raw.hex()),
)


def _fields(raw: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field: an int for a varint, bytes for the others."""
    at = 0
    while at < len(raw):
        tag, at = _read_varint(raw, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = _read_varint(raw, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = _read_varint(raw, at)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise PayloadError(f"no Sparkplug payload: wire type {kind}")
        if at + size > len(raw):
            raise PayloadError("no Sparkplug payload: it ends in the middle of a field")
        yield number, raw[at : at + size]
        at += size


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value & UINT64_MAX, at
    raise PayloadError("no Sparkplug payload: a number of more than 64 bits")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _number(number: int, value: int) -> bytes:
    return _tag(number, VARINT) + _varint(value)


def _text(number: int, value: str) -> bytes:
    raw = value.encode()
    return _tag(number, BYTES) + _varint(len(raw)) + raw
