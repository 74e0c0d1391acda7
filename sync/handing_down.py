"""What follows a reader's position in our stream to it: waited for, and sealed for its session."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from shared.clock import Clock
from shared.db.engine import read, write
from shared.keys import SigningKey
from sync import marks
from sync.anchoring import Covered
from sync.bell import Bell
from sync.limits import RAW_BYTES_MAX
from sync.messages import Pull
from sync.outgoing import Addressed, Run, empty_run, promise, read_run, seal_run, states
from sync.positions import missing

LOOK_S = 0.5
"""How often a waiting poll looks at the database itself: entries may come from another worker process."""


@dataclass
class HandingDown:
    """Answers polls. departing must be rung when our streams grew; covered has the anchor know what is promised."""

    code: str
    engine: Engine
    clock: Clock
    key: SigningKey
    departing: Bell
    covered: Covered
    closing: bool = False

    def close(self) -> None:
        """Answer those who wait at once."""
        self.closing = True
        self.departing.ring()

    def wait_for(self, pull: Pull) -> Run | None:
        """The next entries that the reader lacks, as soon as there are any; None when there were none in time."""
        end = time.monotonic() + pull.wait_ms / 1000
        while True:
            seen = self.departing.rings
            with read(self.engine) as conn:
                spans = missing(states(conn, pull.stream), pull.copies)
                if spans:
                    return read_run(conn, spans[0], pull.entries_max, RAW_BYTES_MAX)
            left = end - time.monotonic()
            if left <= 0 or self.closing:
                return None
            self.departing.wait(seen, min(left, LOOK_S))

    def seal(self, run: Run | None, pull: Pull, incarnation: str, check: Callable[[Connection], None]) -> bytes:
        """The run, or that there is nothing, sealed; check is asked in the transaction that promises it."""
        now = self.clock.now_ms()
        to = Addressed(self.code, pull.node, incarnation, pull.session, self.key)
        with write(self.engine) as conn:
            check(conn)
            found = run or empty_run(conn, pull.stream)
            through = promise(conn, found, now, _no_limit)
        sealed = seal_run(found, through, to, now)
        self.covered(sealed.seal)
        if found.entries:
            with write(self.engine) as conn:
                marks.keep_own_seal(conn, sealed, now)
        return sealed.body


def _no_limit() -> int | None:
    return None
