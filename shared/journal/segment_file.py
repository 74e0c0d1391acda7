"""A file of archived facts: the bytes of a closed run of entries, made once, read by its SHA-256.

    file  = "SLA1" | zstd frame of the facts
    fact  = u32 length of its id | id | u32 length of its bytes | bytes

Lengths are big endian. The same facts give the same file, so that writing twice is harmless.
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


def pack(facts: Iterable[tuple[str, bytes]]) -> bytes:
    """The file's bytes for facts (id, bytes) in order."""
    parts: list[bytes] = []
    for fact_id, body in facts:
        name = fact_id.encode()
        parts += (_LENGTH.pack(len(name)), name, _LENGTH.pack(len(body)), body)
    return MAGIC + zstandard.ZstdCompressor(level=LEVEL).compress(b"".join(parts))


def unpack(content: bytes) -> dict[str, bytes]:
    """Fact id -> bytes. ValueError for anything that `pack` did not make."""
    if not content.startswith(MAGIC):
        raise ValueError("it does not begin like an archive file")
    try:
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content[len(MAGIC) :]))
        raw = reader.read(UNPACKED_MAX + 1)
    except zstandard.ZstdError as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error
    if len(raw) > UNPACKED_MAX:
        raise ValueError(f"it unpacks to more than {UNPACKED_MAX} bytes")
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
    digest = hashlib.sha256(content).hexdigest()
    name = f"{title}-{digest[:12]}.sla"
    write_durably(folder / name, content)
    read_segment(folder / name, digest)
    return name, digest


def read_segment(file: Path, sha256: str) -> Mapping[str, bytes]:
    """The facts of a listed file. ArchiveDamaged names the file that is missing or changed."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise _damaged(file, f"cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _damaged(file, "was changed since it was written")
    try:
        return unpack(content)
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
