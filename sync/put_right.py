"""Making an author's rows what the journal says, and telling people of every row that was not."""

from __future__ import annotations

import threading

from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import write
from shared.errors import StrandlineError
from shared.journal.rederive import Difference, put_right
from shared.logs import get
from shared.node import Node
from shared.threads import looping
from sync.peers import open_incident
from sync.steady import Steady

log = get("rows")

STOP_S = 3.0
NAMED_MAX = 50
"""Rows named in incidents of one comparison; the count is told in any case."""


def put_right_and_tell(node: Node, author: str) -> list[Difference]:
    """Make an author's rows what the journal says, and open an incident for each row that was not."""
    wrong = put_right(node.engine, node.journal.appliers, author, node.settings.folder)
    rows = list(dict.fromkeys((item.table, item.key) for item in wrong))
    with write(node.engine) as conn:
        for table, key in rows[:NAMED_MAX]:
            columns = [f"{d.column} {d.here!r} -> {d.derived!r}" for d in wrong if (d.table, d.key) == (table, key)]
            what = f"{author}'s row {table} {key} was not what the journal says and was put right: {', '.join(columns)}"
            open_incident(conn, node.clock, author, "digest", what[:2_000])
    return wrong


class RowsAgain:
    """At the called side: makes an author's rows again when a comparison found them different, one at a time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wanted: set[str] = set()
        self._ring = threading.Condition()
        self._stopping = threading.Event()
        self._thread = looping(Steady(node).run, "rows", self._run, self._stopping)

    def start(self) -> None:
        """Wait for work."""
        self._thread.start()

    def stop(self) -> None:
        """End after the author in hand, or leave it: it can be cut anywhere."""
        with self._ring:
            self._stopping.set()
            self._ring.notify()
        self._thread.join(STOP_S)

    def want(self, author: str) -> None:
        """Look at this author's rows soon."""
        with self._ring:
            self._wanted.add(author)
            self._ring.notify()

    def _run(self) -> None:
        while (author := self._next()) is not None:
            try:
                wrong = put_right_and_tell(self._node, author)
                log.info("rows were made again from the journal", author=author, put_right=len(wrong))
            except (StrandlineError, SQLAlchemyError, OSError) as error:
                # the next comparison finds the same difference and asks again
                log.warning("rows were not made again", author=author, reason=str(error)[:300])

    def _next(self) -> str | None:
        with self._ring:
            while not self._wanted and not self._stopping.is_set():
                self._ring.wait()
            return None if self._stopping.is_set() else self._wanted.pop()
