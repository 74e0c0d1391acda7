"""The anchor: a small file beside the database and out of its backups, which remembers how far the database was."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from shared.storage import write_durably


class Head(msgspec.Struct, frozen=True):
    """A stream's head as the anchor remembers it; recorded_at_ms is the least time of the next fact."""

    epoch: str
    seq: int
    hash: str
    recorded_at_ms: int = 0


class Anchor(msgspec.Struct, frozen=True):
    """What the node knows of itself outside its database and its backups.

    counters  the highest business numbers given out
    floors    values that must not go back: versions of standards trusted, time heard from signed peers (ms)
    peers     incarnation of each peer, as last met
    """

    node: str
    instance: str
    incarnation: str
    heads: dict[str, Head]
    counters: dict[str, int] = {}
    floors: dict[str, int] = {}
    peers: dict[str, str] = {}


def read_anchor(file: Path) -> Anchor | None:
    """The anchor, or None where there is none or it cannot be read (both count as a restore)."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Anchor)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


@contextmanager
def only_writer(file: Path) -> Iterator[None]:
    """While this lasts no other process writes the anchor: what was read earlier must not be written later."""
    with file.with_name(f"{file.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_anchor(file: Path, anchor: Anchor) -> None:
    """Replace the anchor durably: a crash leaves the old one or the new one. NoRoom, ReadOnlyDisk."""
    write_durably(file, msgspec.json.encode(anchor))
