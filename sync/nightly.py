"""What a node does for itself once a night: archive, verify, compare.

The night is by the node's own clock (UTC), so that a node whose time is played does its nights too. A node that was off
at night does the work when it starts; one that never ran begins with the next night. Each job's outcome is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from shared.clock import Clock
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.errors import StrandlineError
from shared.logs import get
from shared.node import Node
from shared.threads import looping
from sync.lease import LEASE_S, Lease
from sync.steady import Steady
from sync.tables import nightly

log = get("nightly")

Job = tuple[str, Callable[[], object]]

NIGHT_HOUR = 1
"""UTC hour after which the night's work may begin: between the late and the early shift nearly everywhere in Europe."""
HOUR_MS = 3_600_000
LOOK_S = 60.0
NOT_YET = "first night is still to come"


class Nightly:
    """A thread that runs named jobs once a night, in order; one that fails is told and waits for the next night."""

    def __init__(self, node: Node, jobs: Sequence[Job], look_s: float = LOOK_S) -> None:
        self._node = node
        self._jobs = jobs
        self._look_s = look_s
        self._lease = Lease(node.engine, "nightly", max(LEASE_S, 2 * look_s))
        self._faults = 0
        self._stopping = threading.Event()
        self._steady = Steady(node)
        self._thread = looping(self._steady.run, "nightly", self._run, self._stopping)

    def start(self) -> None:
        """Look now and then whether it is night."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """End after the job in hand, or leave it: each can be cut anywhere."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def run_due(self) -> list[str]:
        """Run the jobs whose night it is; returns their names."""
        day = night_of(self._node.clock)
        with read(self._node.engine) as conn:
            known = {row.job: row.day for row in conn.execute(select(nightly.c.job, nightly.c.day))}
        for name, _ in self._jobs:
            if name not in known:
                self._keep(name, day, True, NOT_YET)
        due = [job for job in self._jobs if known.get(job[0], day) < day]
        self._faults = 0
        for name, work in due:
            if not self._stopping.is_set():
                self._one(name, work, day)
        if due and not self._faults:
            self._steady.passed("nightly")
        return [name for name, _ in due]

    def _one(self, name: str, work: Callable[[], object], day: int) -> None:
        try:
            outcome, well = str(work()), True
        except (StrandlineError, SQLAlchemyError, OSError) as error:
            outcome, well = str(error), False
            log.warning("a nightly job failed", job=name, reason=outcome[:300])
        except Exception as error:  # noqa: BLE001 - a fault in one job takes no other's night
            outcome, well = f"A fault in this program: {error!r}", False
            self._faults += 1
            self._steady.tell("nightly", error)
        self._keep(name, day, well, outcome)

    def _keep(self, name: str, day: int, well: bool, outcome: str) -> None:
        row = {"job": name, "day": day, "at_ms": self._node.clock.now_ms(), "well": well, "outcome": outcome[:2000]}
        with write(self._node.engine) as conn:
            upsert(conn, nightly, [row], update=["day", "at_ms", "well", "outcome"])

    def _run(self) -> None:
        while not self._stopping.wait(self._look_s):
            try:
                if self._lease.held():
                    self.run_due()
            except (StrandlineError, SQLAlchemyError, OSError) as error:
                log.warning("the night's work was not looked at", reason=str(error)[:300])


def night_of(clock: Clock) -> int:
    """The night that a moment belongs to, counted in days since 1970."""
    return (clock.now_ms() - NIGHT_HOUR * HOUR_MS) // (24 * HOUR_MS)


def last_runs(conn: Connection) -> list[dict[str, object]]:
    """What each job last came to."""
    return [dict(row) for row in conn.execute(select(nightly).order_by(nightly.c.job)).mappings()]
