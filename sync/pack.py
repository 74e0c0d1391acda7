"""Entries' bytes on the wire: framed, one zstd frame, behind an uncompressed head (sync-protocol.md, 1.4).

    body  = "SLB1" | u32 length of head | head (the seal's envelope) | zstd frame of the entries, or nothing
    entry = u32 length of origin | origin (JSON, empty for the author's own) | u32 length of fact | fact bytes

Lengths are big endian. A fact's bytes are opaque here: one that cannot be read later is still carried and kept.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator

import msgspec
import zstandard

from sync.errors import Malformed, OverLimit
from sync.limits import BODY_BYTES_LIMIT, ENTRIES_MAX, HEAD_BYTES_MAX, RAW_BYTES_LIMIT, WINDOW_BYTES_MAX
from sync.messages import Hex32, Name, Seq

MAGIC = b"SLB1"
LEVEL = 3
_LENGTH = struct.Struct(">I")
_length_at = _LENGTH.unpack_from


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a relayed fact stands in its author's own journal."""

    stream: Name
    epoch: Hex32
    seq: Seq


class PackedEntry(msgspec.Struct, frozen=True, gc=False):
    """One entry as it travels: the fact's own bytes, and its origin when another author's fact is relayed."""

    fact: bytes
    origin: Origin | None = None


def pack_entries(entries: Iterable[PackedEntry]) -> bytes:
    """The entries' bytes, uncompressed: what the seal's `bytes` is the hash of."""
    parts: list[bytes] = []
    for entry in entries:
        origin = b"" if entry.origin is None else msgspec.json.encode(entry.origin)
        parts += (_LENGTH.pack(len(origin)), origin, _LENGTH.pack(len(entry.fact)), entry.fact)
    return b"".join(parts)


def unpack_entries(raw: bytes) -> list[PackedEntry]:
    """The entries in these bytes; Malformed if they do not come out even, OverLimit past the protocol's count."""
    entries: list[PackedEntry] = []
    at, size = 0, len(raw)
    while at < size:
        if len(entries) >= ENTRIES_MAX:
            raise OverLimit("sync.too_many_entries", f"More than {ENTRIES_MAX} entries in a batch.")
        origin, at = _framed(raw, at)
        fact, at = _framed(raw, at)
        entries.append(PackedEntry(fact, _read_origin(origin) if origin else None))
    return entries


def join(head: bytes, raw: bytes) -> bytes:
    """A whole body: the head as it is, the entries compressed (nothing at all for a heartbeat)."""
    return put_behind(head, zstandard.ZstdCompressor(level=LEVEL).compress(raw) if raw else b"")


def put_behind(head: bytes, rest: bytes) -> bytes:
    """A head with bytes behind it as they are; split() takes them apart again. OverLimit."""
    if len(head) > HEAD_BYTES_MAX:
        raise OverLimit("sync.head_too_large", f"A seal of {len(head)} bytes; the limit is {HEAD_BYTES_MAX}.")
    return MAGIC + _LENGTH.pack(len(head)) + head + rest


def split(body: bytes) -> tuple[bytes, bytes]:
    """Head and compressed entries of a body, neither of them looked into yet."""
    if len(body) > BODY_BYTES_LIMIT:
        raise OverLimit("sync.body_too_large", f"A body of {len(body)} bytes; the limit is {BODY_BYTES_LIMIT}.")
    start = len(MAGIC) + _LENGTH.size
    if len(body) < start or not body.startswith(MAGIC):
        raise Malformed("sync.no_batch", "The body is not a batch.")
    (length,) = _LENGTH.unpack_from(body, len(MAGIC))
    if length > HEAD_BYTES_MAX:
        raise OverLimit("sync.head_too_large", f"A seal of {length} bytes; the limit is {HEAD_BYTES_MAX}.")
    if len(body) < start + length:
        raise Malformed("sync.cut_short", "The body ends inside its seal.")
    return body[start : start + length], body[start + length :]


def decompress(frame: bytes) -> bytes:
    """The entries' bytes, never more than the limit in memory.

    Through the stream reader: the whole-frame call trusts the size that the frame itself claims.
    """
    if not frame:
        return b""
    reader = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX).stream_reader(io.BytesIO(frame))
    try:
        raw = b"".join(_bounded(reader))
    except zstandard.ZstdError as error:
        raise Malformed("sync.bad_frame", f"The entries cannot be unpacked: {error}.") from error
    return raw


def _bounded(reader: zstandard.ZstdDecompressionReader) -> Iterator[bytes]:
    left = RAW_BYTES_LIMIT
    while piece := reader.read(min(left, 1 << 16) + 1):
        left -= len(piece)
        if left < 0:
            raise OverLimit("sync.batch_too_large", f"A batch unpacks to more than {RAW_BYTES_LIMIT} bytes.")
        yield piece


def _framed(raw: bytes, at: int) -> tuple[bytes, int]:
    end = at + 4
    if end > len(raw):
        raise Malformed("sync.cut_short", "The entries end inside a length.")
    stop: int = end + _length_at(raw, at)[0]
    if stop > len(raw):
        raise Malformed("sync.cut_short", "The entries end inside a fact.")
    return raw[end:stop], stop


def _read_origin(raw: bytes) -> Origin:
    try:
        return msgspec.json.decode(raw, type=Origin)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("sync.bad_origin", f"An entry's origin cannot be read: {error}.") from error
