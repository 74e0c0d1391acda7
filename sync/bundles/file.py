"""The bundle file: a signed head that names every batch in it by length and hash, then the batches as they are pushed.

    file = "SLK1" | u32 length of head | head (DSSE envelope) | batch | batch | ...

The head stands in front, so a file that was cut short still tells who wrote it, for whom, and how much is missing.
Pure: bytes in and out, one batch in memory at a time.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated

import msgspec

from shared.errors import BadSetup
from shared.keys import SigningKey
from sync.errors import Malformed, OverLimit, SyncError
from sync.limits import BODY_BYTES_LIMIT, HELLO_BYTES_MAX
from sync.messages import TYPE_PREFIX, Counters, EpochState, Hash, Hex32, Message, Name, Seq
from sync.seal import digest, sign

BUNDLE = TYPE_PREFIX + "bundle+json"
HISTORY = TYPE_PREFIX + "history-bundle+json"
"""Of files with the reader's own history: they are read by a recovery alone."""
MAGIC = b"SLK1"
PARTS_MAX = 2_000
"""Batches in a file: their names fit the head, and a full file of full batches is 4 GB before compression."""
PIECE = 1 << 20
NOTHING = "Nothing was taken from the file."
COPY_AGAIN = "Copy the file from its origin again, or have it exported again."
_LENGTH = struct.Struct(">I")


class Cut(SyncError):
    """The file ends before its head says so: pulled out too early, or copied in part."""

    status = 422


class Part(msgspec.Struct, frozen=True):
    """One batch of the file. `last == first - 1` is a heartbeat."""

    stream: Name
    epoch: Hex32
    first: Seq = msgspec.field(name="from")
    last: Seq = msgspec.field(name="to")
    size: Annotated[int, msgspec.Meta(ge=1, le=BODY_BYTES_LIMIT)]
    hash: Hash


class Head(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Like a hello and its answer in one: the writer's whole epoch tree, and what it holds of the reader's streams.

    bundle is also the session that its batches are sealed in; incarnation is the writer's. number counts the files of
    one export from 1; more says that another follows. counters: in a history, the highest numbers of the reader.
    """

    bundle: Hex32
    instance: Hex32
    incarnation: Hex32
    epochs: tuple[EpochState, ...]
    copies: tuple[EpochState, ...]
    facts: dict[str, int]
    counters: Counters = {}
    parts: tuple[Part, ...] = ()
    number: Annotated[int, msgspec.Meta(ge=1)] = 1
    more: bool = False

    @property
    def entries(self) -> int:
        """How many entries the batches hold."""
        return sum(part.last - part.first + 1 for part in self.parts)


def make_part(stream: str, epoch: str, first: int, last: int, body: bytes) -> Part:
    """A batch's name for the head."""
    return Part(stream, epoch, first, last, len(body), digest(body))


def write_file(target: Path, key: SigningKey, head: Head, batches: IO[bytes], kind: str = BUNDLE) -> int:
    """Write head and batches durably under a name that is free; returns its size. BadSetup when it cannot be written."""
    envelope = sign(key, kind, head)
    if len(envelope) > HELLO_BYTES_MAX:
        raise OverLimit("bundle.head_too_large", f"The bundle's head has {len(envelope)} bytes.")
    if target.exists():
        raise BadSetup("bundle.exists", f"{target} exists already.", todo="Give a name that is free.")
    try:
        return _write(target, envelope, batches)
    except OSError as error:
        raise BadSetup(
            "bundle.unwritable",
            f"The bundle {target} cannot be written: {error.strerror}.",
            todo="Name a folder that exists, with room, that this user may write.",
        ) from error


def _write(target: Path, envelope: bytes, batches: IO[bytes]) -> int:
    fresh = target.with_name(f".{target.name}.part")
    try:
        with fresh.open("wb") as out:
            out.write(MAGIC + _LENGTH.pack(len(envelope)) + envelope)
            batches.seek(0)
            shutil.copyfileobj(batches, out, PIECE)
            size = out.tell()
            out.flush()
            os.fsync(out.fileno())  # a stick is pulled as soon as the command has ended
        fresh.rename(target)
    finally:
        fresh.unlink(missing_ok=True)
    return size


def read_head(source: IO[bytes]) -> bytes:
    """The head's envelope, not verified yet; leaves the source at the first batch. Malformed, OverLimit, Cut."""
    start = source.read(len(MAGIC) + _LENGTH.size)
    if not start or not (start.startswith(MAGIC) or MAGIC.startswith(start)):
        raise Malformed("bundle.no_bundle", "The file is no bundle.", kept=NOTHING)
    if len(start) < len(MAGIC) + _LENGTH.size:
        raise Cut("bundle.cut", "The file ends inside its head.", kept=NOTHING, todo=COPY_AGAIN)
    (length,) = _LENGTH.unpack_from(start, len(MAGIC))
    if length > HELLO_BYTES_MAX:
        raise OverLimit("bundle.head_too_large", f"A head of {length} bytes is over the limit.", kept=NOTHING)
    envelope = source.read(length)
    if len(envelope) < length:
        raise Cut("bundle.cut", "The file ends inside its head.", kept=NOTHING, todo=COPY_AGAIN)
    return envelope


def read_batches(source: IO[bytes], head: Head) -> Iterator[tuple[Part, bytes]]:
    """The batches in order as far as the file goes; Malformed for one that is not what the head names."""
    for number, part in enumerate(head.parts, start=1):
        body = source.read(part.size)
        if len(body) < part.size:
            return
        if digest(body) != part.hash:
            raise Malformed(
                "bundle.tampered",
                f"Batch {number} of {len(head.parts)} in the bundle is not the one that {head.node} signed.",
                kept=NOTHING,
                todo=COPY_AGAIN,
            )
        yield part, body
    if source.read(1):
        raise Malformed("bundle.tampered", "The file goes on after its last batch.", kept=NOTHING, todo=COPY_AGAIN)
