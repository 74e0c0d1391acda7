"""Making the next batch while one is on its way: reading and sealing here cost about what storing costs at the peer.

Only in a backlog, and only one batch ahead. Nothing depends on it: what was made ahead and is not wanted any more is
thrown away, and the database is asked again what the peer lacks.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from sync.caller import Caller, Session
from sync.outgoing import Sealed


class Ahead:
    """At most one batch, made in a thread of its own for the session that it was begun in."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="sync-ahead")
        self._made: tuple[Session, Future[Sealed | None]] | None = None

    def begin(self, session: Session, sealed: Sealed, entries_max: int) -> None:
        """Make what follows this batch, if it was a full one: then there is probably more."""
        if sealed.entries >= entries_max:
            self._made = session, self._maker.submit(self._caller.prepare_after, session, sealed, entries_max)

    def take(self, session: Session) -> Sealed | None:
        """What was made; None where nothing was or for another session. Raises what making it raised."""
        made, self._made = self._made, None
        if made is None:
            return None
        sealed = made[1].result()
        return sealed if made[0] is session else None

    def drop(self) -> None:
        """The batch before it did not arrive."""
        self._made = None

    def stop(self) -> None:
        """End the thread after the batch in hand."""
        self._maker.shutdown(wait=False, cancel_futures=True)
