"""What follows from applied facts: a thread that runs a node's own steps after each apply, and now and then anyway.

A step looks at the rows for itself and is idempotent, so a lost ring costs only the time to the next look. A step
that fails is told and tried again with back-off; it never holds up receiving or applying.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from shared.errors import StrandlineError
from shared.logs import get
from sync.applying import Applying
from sync.backoff import Backoff
from sync.bell import Bell

log = get("following")

Step = tuple[str, Callable[[], object]]


class Following:
    """Runs named steps in order whenever facts were applied, and every look_s seconds of real time."""

    def __init__(self, steps: Sequence[Step], applying: Applying, backoff: Backoff, look_s: float) -> None:
        self._steps = steps
        self._bell = Bell()
        applying.listen(lambda _types: self._bell.ring())
        self._backoff = backoff
        self._look_s = look_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)

    def start(self) -> None:
        """Begin with a first look."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """End after the step in hand."""
        self._stopping.set()
        self._bell.ring()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            seen = self._bell.rings
            if self._all():
                failures = 0
                self._bell.wait(seen, self._look_s)
            else:
                failures += 1
                self._stopping.wait(self._backoff.wait_s(failures))

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
