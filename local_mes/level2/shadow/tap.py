"""The copy of a line's bytes as a tee hands it over. Pure.

    feed    = "SLT1" | record | record ...
    record  = u8 kind | u32 connection | u32 age in ms | u32 length | payload

Numbers are big endian. A record's place in the feed, from 1, is its number; what listens answers with the number (u64)
up to which all telegrams are on its disk, and the tee forgets those. Nothing else ever goes back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAGIC: Final = b"SLT1"
OPENED, UP, DOWN, CLOSED, LOST = 1, 2, 3, 4, 5
"""Kinds: connection opened; bytes of Level 2; bytes to it; closed; the tee had no room (payload: u64 bytes, UTF-8 why)."""
PAYLOAD_MAX = 1 << 20
_HEAD = struct.Struct(">BIII")
_COUNT = struct.Struct(">Q")
HEAD_BYTES = _HEAD.size
COUNT_BYTES = _COUNT.size


class NoFeed(ValueError):
    """These bytes are no feed of a tee."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; age_ms: how long it had waited in the tee when it was sent."""

    kind: int
    connection: int
    payload: bytes = b""
    age_ms: int = 0

    @property
    def bytes(self) -> int:
        """Its size in a feed."""
        return HEAD_BYTES + len(self.payload)


def encode(record: Record, age_ms: int) -> bytes:
    """A record as it is sent now."""
    head = _HEAD.pack(record.kind, record.connection, min(max(age_ms, 0), 0xFFFFFFFF), len(record.payload))
    return head + record.payload


def lost(connection: int, count: int, why: str) -> Record:
    """So many bytes were not handed over."""
    return Record(LOST, connection, _COUNT.pack(count) + why.encode())


def read_lost(record: Record) -> tuple[int, str]:
    """Bytes that were dropped, and why."""
    (count,) = _COUNT.unpack_from(record.payload)
    return count, record.payload[COUNT_BYTES:].decode("utf-8", "replace")


def encode_count(number: int) -> bytes:
    """All up to this record is on disk."""
    return _COUNT.pack(number)


def read_count(raw: bytes) -> int:
    """The number in an answer."""
    return int(_COUNT.unpack(raw)[0])


class Reader:
    """Cuts a feed into records: bytes in, records out. NoFeed for what is none."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records that are whole now."""
        self._bytes += data
        while len(self._bytes) >= HEAD_BYTES:
            kind, connection, age_ms, length = _HEAD.unpack_from(self._bytes)
            if not OPENED <= kind <= LOST or length > PAYLOAD_MAX or (kind == LOST and length < COUNT_BYTES):
                raise NoFeed(f"a record of kind {kind} with {length} bytes")
            end = HEAD_BYTES + length
            if len(self._bytes) < end:
                return
            payload = bytes(self._bytes[HEAD_BYTES:end])
            del self._bytes[:end]
            yield Record(kind, connection, payload, age_ms)
