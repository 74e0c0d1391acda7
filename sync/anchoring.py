"""Keeps the anchor file close behind the database: written after commits, at most ANCHOR_LAG_S late."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import read
from shared.errors import Unavailable
from shared.journal.anchor import Anchor, write_anchor
from shared.journal.highest import NOTHING, Outside
from shared.journal.life import current_anchor
from shared.logs import get
from sync.bell import Bell

log = get("anchor")

ANCHOR_LAG_S = 0.2
"""An anchor this far behind the database is harmless, and bounds the file writes to five a second."""

LOOK_S = 5.0
"""How often it looks without a ring: another process of the node may have recorded."""


class Anchoring:
    """The thread that writes a node's anchor."""

    def __init__(self, node: str, engine: Engine, file: Path, departing: Bell, outside: Outside = NOTHING) -> None:
        self._node = node
        self._engine = engine
        self._file = file
        self._departing = departing
        self._outside = outside
        self._written: Anchor | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anchor", daemon=True)

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
        with read(self._engine) as conn:
            anchor = current_anchor(conn, self._node, self._outside)
        if anchor != self._written:
            write_anchor(self._file, anchor)
            self._written = anchor

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
