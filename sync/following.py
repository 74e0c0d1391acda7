"""What follows from applied facts: a thread that runs a node's own steps after each apply, and now and then anyway.

A step looks at the rows for itself and is idempotent, so a lost ring costs only the time to the next look. A step
that fails is told and tried again with back-off; it never holds up receiving or applying. A round of steps reads all
that is open, so a node to which facts of production stream all day names the types that are urgent: those are followed
at once, the others gather for a moment. Of several processes of one node the one that applies follows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence

from sqlalchemy.exc import SQLAlchemyError

from shared.errors import StrandlineError
from shared.logs import get
from shared.threads import Runner, looping, plainly
from sync.applying import Applying
from sync.backoff import Backoff
from sync.bell import Bell
from sync.lease import LEASE_S

log = get("following")

Step = tuple[str, Callable[[], object]]

GATHER_S = 0.25
"""So long facts that are not urgent wait for others, so that a busy stream costs four rounds a second at most."""


class Following:
    """Runs named steps in order when facts were applied, and every look_s seconds of real time.

    urgent: types of facts that are followed at once; None: all are.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        applying: Applying,
        backoff: Backoff,
        look_s: float,
        urgent: Collection[str] | None = None,
        run: Runner = plainly,
    ) -> None:
        self._steps = steps
        self._bell = Bell()
        self._urgent = None if urgent is None else frozenset(urgent)
        self._gathering = False
        applying.listen(self._hear)
        self._applying = applying
        self._backoff = backoff
        self._look_s = look_s
        self._stopping = threading.Event()
        self._thread = looping(run, "following", self._run, self._stopping)

    def start(self) -> None:
        """Begin with a first look."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """End after the step in hand."""
        self._stopping.set()
        self._bell.ring()
        self._thread.join(timeout_s)

    def _hear(self, types: frozenset[str]) -> None:
        if self._urgent is None or not self._urgent.isdisjoint(types):
            self._bell.ring()
        else:
            self._gathering = True

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            seen = self._bell.rings
            self._gathering = False
            if not self._leads():
                self._bell.wait(seen, LEASE_S / 3)
            elif self._all():
                failures = 0
                self._wait(seen)
            else:
                failures += 1
                self._stopping.wait(self._backoff.wait_s(failures))

    def _wait(self, seen: int) -> None:
        end = time.monotonic() + self._look_s
        while (left := end - time.monotonic()) > 0:
            if self._bell.wait(seen, min(left, GATHER_S)) or self._gathering:
                return

    def _leads(self) -> bool:
        try:
            return self._applying.leads()
        except (SQLAlchemyError, StrandlineError) as error:
            log.warning("who leads is not known", reason=str(error)[:300])
            return False

    def _all(self) -> bool:
        for name, step in self._steps:
            if self._stopping.is_set():
                return True
            try:
                step()
            except (SQLAlchemyError, StrandlineError) as error:
                log.warning("a step failed and will be tried again", step=name, reason=str(error)[:300])
                return False
        return True
