"""Threads that outlive a fault of the program: an error that nobody foresaw is told, and the loop begins anew.

Each loop foresees what a line, a peer, a disk and a database may do. Whatever else comes out of it is a fault in this
program. It must end neither the thread in silence nor the process, for production goes on beside it: it becomes an
incident that lasts, with its trace, /health/ready names it, and the loop begins anew from its first step, after waits
that grow. It has passed when the loop went without for CALM_S, or when the process was started anew.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from shared.db.engine import read, write
from shared.errors import StrandlineError
from shared.ids import jitter
from shared.logs import get
from shared.node import Node
from shared.threads import LANES, Loop
from sync import incidents
from sync.backoff import Backoff
from sync.incidents import FAULT, FAULTS

log = get("steady")

CALM_S = 120.0
"""Longer than any loop rests between two rounds."""

TRACE_CHARACTERS = 6_000
"""The end of a trace: what raised, and the calls before it."""


class Steady:
    """Runs the loops of one node's threads."""

    def __init__(self, node: Node) -> None:
        sync = node.settings.sync
        self._node = node
        self._backoff = Backoff(sync.retry_first_s, sync.retry_max_s, jitter)
        self._part_told: dict[str, bool] = {}

    def run(self, lane: str, loop: Loop, stopping: threading.Event) -> None:
        """Run a loop until it returns, however often it raises."""
        self.passed(lane)
        failures = 0
        while not stopping.is_set():
            calm, began = self._begin_calm(lane) if failures else None, time.monotonic()
            try:
                loop()
                if failures and not stopping.is_set():
                    self.passed(lane)
                return
            except Exception as error:  # noqa: BLE001 - what nobody foresaw has no name
                failures = 1 if time.monotonic() - began > CALM_S else failures + 1
                self.tell(lane, error, failures)
            finally:
                if calm is not None:
                    calm.cancel()
            stopping.wait(self._backoff.wait_s(failures))

    def round(self, lane: str, part: Callable[[], object]) -> None:
        """One round of a part that must not stand before the rest of its loop: its fault is told once, until it has passed.

        What a database or a peer may do goes on to the loop, which waits for it.
        """
        try:
            part()
        except Exception as error:
            if isinstance(error, OperationalError) or (isinstance(error, StrandlineError) and error.again):
                raise
            if not self._part_told.get(lane):
                self._part_told[lane] = self.tell(lane, error)
        else:
            if self._part_told.get(lane, True):
                self.passed(lane)
            self._part_told[lane] = False

    def tell(self, lane: str, error: Exception, failures: int = 1) -> bool:
        """Keep an error that nobody foresaw as an incident that lasts; only in the log where that cannot be written.

        Returns whether it is kept.
        """
        trace = "".join(traceback.format_exception(error))[-TRACE_CHARACTERS:]
        log.error("a fault of the program", lane=lane, failures=failures, trace=trace)
        what = (
            f"A fault in this program stopped {LANES[lane]}: {type(error).__name__}. It begins anew by itself; recording "
            "goes on. Send the evidence to whoever maintains this node."
        )
        node = self._node
        try:
            with write(node.engine) as conn:
                incidents.hold(conn, node.clock, node.code, FAULT + lane, "alarm", what, trace)
        except (SQLAlchemyError, StrandlineError, OSError) as trouble:
            log.warning("the fault is kept in this log alone", reason=str(trouble)[:300])
            return False
        return True

    def passed(self, lane: str) -> None:
        """The lane goes well: end what lasts of it."""
        node, kind = self._node, FAULT + lane
        try:
            with read(node.engine) as conn:
                lasts = incidents.list_lasting(conn, node.code, (kind,))
            if lasts:
                with write(node.engine) as conn:
                    incidents.end(conn, node.code, kind, node.clock.now_ms())
        except (SQLAlchemyError, StrandlineError, OSError) as trouble:
            log.warning("incidents not read", lane=lane, reason=str(trouble)[:300])

    def _begin_calm(self, lane: str) -> threading.Timer:
        calm = threading.Timer(CALM_S, self.passed, (lane,))
        calm.daemon = True
        calm.start()
        return calm


def standing_faults(node: Node) -> str:
    """Lanes that a fault of the program stops just now, in a sentence; '' for none."""
    with read(node.engine) as conn:
        lasting = incidents.list_lasting(conn, node.code, FAULTS)
    named = [LANES[kind.removeprefix(FAULT)] for kind in sorted(lasting)]
    return f"A fault in this program stops: {', '.join(named)}. Its incident says more." if named else ""
