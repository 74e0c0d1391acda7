"""Keeps the anchor file close behind the database: written after commits, at most ANCHOR_LAG_S late.

What is promised to a peer is in the anchor before it leaves: a database put back to before the promise, by a machine
that died just then, must know of it also where no peer can be asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from msgspec import structs
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import read
from shared.errors import Unavailable
from shared.journal.anchor import Anchor, only_writer, read_anchor, write_anchor
from shared.journal.highest import NOTHING, Outside
from shared.journal.life import current_anchor, heads_of
from shared.logs import get
from shared.node import Node
from shared.threads import Runner, looping, plainly
from sync.beginning import anchor_file
from sync.bell import Bell
from sync.messages import Seal

log = get("anchor")

ANCHOR_LAG_S = 0.2
"""An anchor this far behind the database is harmless, and bounds the file writes to five a second."""

LOOK_S = 5.0
"""How often it looks without a ring: another process of the node may have recorded."""


Covered = Callable[[Seal], None]
"""Has the anchor know what a seal says of this node, before the seal leaves. NoRoom, ReadOnlyDisk."""


def nothing_kept(_seal: Seal) -> None:
    """Of a node that keeps no anchor: a part of one, in a test."""


class Anchoring:
    """The thread that writes a node's anchor."""

    def __init__(
        self,
        node: str,
        engine: Engine,
        file: Path,
        departing: Bell,
        outside: Outside = NOTHING,
        run: Runner = plainly,
    ) -> None:
        self._node = node
        self._engine = engine
        self._file = file
        self._departing = departing
        self._outside = outside
        self._written: Anchor | None = None
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = looping(run, "anchor", self._run, self._stopping)

    def start(self) -> None:
        """Follow the journal."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Write once more and end."""
        self._stopping.set()
        self._departing.ring()
        self._thread.join(timeout_s)

    def write_now(self) -> None:
        """Bring the anchor level with the database, if it is not."""
        with self._writing, only_writer(self._file):
            with read(self._engine) as conn:
                anchor = current_anchor(conn, self._node, self._outside)
            if anchor != self._written:
                write_anchor(self._file, anchor)
                self._written = anchor

    def cover(self, seal: Seal) -> None:
        """Write the anchor unless the one that lies there knows all that this seal says: its entries, the time up to
        which it promises that nothing is missing, its numbers."""
        if not _knows(self._written, seal):
            self.write_now()

    def _run(self) -> None:
        while not self._stopping.is_set():
            seen = self._departing.rings
            try:
                self.write_now()
            except (SQLAlchemyError, Unavailable, OSError) as error:
                log.warning("anchor not written", reason=str(error)[:300])
            self._departing.wait(seen, LOOK_S)
            self._stopping.wait(ANCHOR_LAG_S)
        try:
            self.write_now()
        except (SQLAlchemyError, Unavailable, OSError) as error:
            log.warning("anchor not written", reason=str(error)[:300])


def cover_beside(node: Node, seal: Seal) -> None:
    """The same by a command beside the node's own process: what the seal says goes into the anchor that lies there."""
    file = anchor_file(node)
    with only_writer(file):
        anchor = read_anchor(file)
        if anchor is None or _knows(anchor, seal):
            return  # without one the next start begins a new life anyway
        with read(node.engine) as conn:
            head = heads_of(conn)[seal.stream]
        counters = anchor.counters | {n: max(v, anchor.counters.get(n, v)) for n, v in seal.counters.items()}
        write_anchor(file, structs.replace(anchor, heads={**anchor.heads, seal.stream: head}, counters=counters))


def _knows(anchor: Anchor | None, seal: Seal) -> bool:
    kept = anchor.heads.get(seal.stream) if anchor else None
    if anchor is None or kept is None or any(value > anchor.counters.get(n, -1) for n, value in seal.counters.items()):
        return False
    # what is sent of an earlier epoch was known when the present one was opened
    return (kept.epoch != seal.epoch or kept.seq >= seal.last) and kept.recorded_at_ms > seal.complete_through
