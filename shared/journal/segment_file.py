"""A file of archived facts: the bytes of a closed run of entries, made once, proved by a SHA-256 when it is read.

    file  = "SLA1" | zstd frame of the facts
    fact  = u32 length of its id | id | u32 length of its bytes | bytes

Lengths are big endian. The same facts give the same bytes before they are packed; another release of zstd may pack them
into another file, which holds the same. So a file is right when it is the one that was listed, or holds what was listed.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import zstandard

from shared.errors import Unavailable
from shared.storage import write_durably

MAGIC = b"SLA1"
LEVEL = 9
"""Made once and read seldom: worth more work than a batch on the wire."""

SEGMENT_ENTRIES = 10_000
SEGMENT_BYTES = 8 << 20
"""A segment is closed by the first of the two: one is unpacked as a whole, so it must fit memory with ease."""

UNPACKED_MAX = SEGMENT_BYTES + (4 << 20)
"""What is ever unpacked: a full segment, one entry over the edge (a batch's worth of bytes at worst), ids, lengths."""

SEGMENTS_KEPT = 3
"""Unpacked segments kept in memory: a rebuild reads one after the other, a page of history one or two."""

_LENGTH = struct.Struct(">I")


class ArchiveDamaged(Unavailable):
    """A file of the archive is missing or is not what was verified when it was listed."""


def frame(facts: Iterable[tuple[str, bytes]]) -> bytes:
    """Facts (id, bytes) in order, framed, not packed yet: what the file holds."""
    parts: list[bytes] = []
    for fact_id, body in facts:
        name = fact_id.encode()
        parts += (_LENGTH.pack(len(name)), name, _LENGTH.pack(len(body)), body)
    return b"".join(parts)


def pack(framed: bytes) -> bytes:
    """The file's bytes."""
    return MAGIC + zstandard.ZstdCompressor(level=LEVEL).compress(framed)


def digest(content: bytes) -> str:
    """SHA-256 as lowercase hex."""
    return hashlib.sha256(content).hexdigest()


def unpack(content: bytes) -> bytes:
    """What a file holds, framed. ValueError for anything that `pack` did not make."""
    if not content.startswith(MAGIC):
        raise ValueError("it does not begin like an archive file")
    try:
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content[len(MAGIC) :]))
        raw = reader.read(UNPACKED_MAX + 1)
    except zstandard.ZstdError as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error
    if len(raw) > UNPACKED_MAX:
        raise ValueError(f"it unpacks to more than {UNPACKED_MAX} bytes")
    return raw


def read_framed(raw: bytes) -> dict[str, bytes]:
    """Fact id -> bytes. ValueError for anything that `frame` did not make."""
    facts: dict[str, bytes] = {}
    at = 0
    while at < len(raw):
        name, at = _framed(raw, at)
        body, at = _framed(raw, at)
        facts[name.decode()] = body
    return facts


def write_segment(folder: Path, title: str, content: bytes) -> tuple[str, str]:
    """Put the file in place durably and read it back from there; returns its name and its SHA-256.

    The name ends with the hash, so that no file ever takes another's place. ArchiveDamaged when the disk gives back
    other bytes. NoRoom, ReadOnlyDisk.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    sha256 = digest(content)
    name = f"{title}-{sha256[:12]}.sla"
    write_durably(folder / name, content)
    read_segment(folder / name, sha256)
    return name, sha256


def read_segment(file: Path, sha256: str, holds: str = "") -> Mapping[str, bytes]:
    """The facts of a listed file: sha256 is of the file, holds of what it holds ('' where that was never proved).

    ArchiveDamaged names the file that is missing or changed.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise _damaged(file, f"cannot be read: {error.strerror}") from error
    listed = digest(content) == sha256
    if not listed and not holds:
        raise _damaged(file, "was changed since it was written")
    try:
        raw = unpack(content)
        if not listed and digest(raw) != holds:
            raise _damaged(file, "was changed since it was written")
        return read_framed(raw)
    except (ValueError, struct.error) as error:
        raise _damaged(file, str(error)) from error


recent_segment = lru_cache(maxsize=SEGMENTS_KEPT)(read_segment)
"""read_segment, remembering the last few: for reading on, not for verifying."""


def _framed(raw: bytes, at: int) -> tuple[bytes, int]:
    start = at + _LENGTH.size
    stop = start + _LENGTH.unpack_from(raw, at)[0]
    if stop > len(raw):
        raise ValueError("it ends inside a fact")
    return raw[start:stop], stop


def _damaged(file: Path, what: str) -> ArchiveDamaged:
    return ArchiveDamaged(
        "archive.damaged",
        f"The archive file {file} {what}.",
        kept="Nothing was changed; everything else in the journal can still be read.",
        todo="Put the file back from a backup of the archive folder.",
    )
