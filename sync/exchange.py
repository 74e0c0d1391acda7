"""The exchange of a node with the peer it calls: the only loop of the protocol.

Two lanes, each a thread, share one session.

    up      hello -> mend what has parted -> push, push, ... until the peer holds everything -> rest -> push ...
    down    meet (wait for a session) -> pull -> pull ...

Life of a fact: a service records it and commits; the journal rings the bell; the up lane wakes, reads from the
database what the peer lacks (never from memory), seals it, sends it, and moves the peer's position when a signed
receipt names it. So a lost request, a lost reply, a crash or a restart of either side all mean the same: look again
at what the peer lacks. Being behind is not a special mode, it is the normal start.

Resting, the up lane sends a heartbeat every heartbeat_s: an empty seal that says "nothing recorded at or before T is
missing", so that the hub can tell silence from absence. The down lane asks and is answered when there is something.

On failure: unreachable or refused for now -> the lane waits with full jitter and starts again at hello, for ever. Gap,
fork or stale session -> a new hello settles who holds what; only a second one in a row waits. Success of one lane ends
the other's wait; so does sync_now(). Facts recorded meanwhile do not: they would turn every commit into a call.

One process ships: the lanes work only under a lease in the database, renewed well before it ends.

Not promised: order between two streams; that a call happens once. The receiver makes the effect happen once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import write
from shared.errors import StrandlineError
from shared.logs import get
from shared.threads import Runner, looping, plainly
from sync import link
from sync.ahead import Ahead, Flight
from sync.backoff import Backoff, BatchSize
from sync.bell import Bell
from sync.caller import Caller, Session
from sync.errors import Busy, NotConnected, OutOfStep, OverLimit, StaleSession, SyncError, TooSlow, Unreachable
from sync.lease import LEASE_S, Lease
from sync.messages import Receipt
from sync.outgoing import Sealed

log = get("sync")

Step = Literal["hello", "push", "rest", "meet", "pull"]

CONTACTS: tuple[Step, ...] = ("push", "pull")
"""Steps that follow themselves when the peer's word came back; the others only prepare one."""


LONG_S = 5.0
"""A push that takes longer has a narrow line: two beside each other would only both be late."""


@dataclass(frozen=True)
class Pace:
    """Waits of an exchange, in real seconds (settings: sync.*)."""

    heartbeat_s: float
    poll_s: float
    entries_max: int


@dataclass
class Lane:
    """One thread's state: where it starts, how often it failed in a row."""

    name: str
    first: Step
    failures: int = 0
    settled: bool = field(default=True)


def nothing_parted(_session: Session) -> bool:
    """Of a node without a history to mend."""
    return False


class Exchange:
    """Keeps one peer and this node level with each other, in two threads, until stopped.

    departing  rung when our stream grew       arrived  rung by us when entries were stored
    settle     mends what a hello showed to have parted; True when another hello is needed
    """

    def __init__(
        self,
        caller: Caller,
        pace: Pace,
        backoff: Backoff,
        departing: Bell,
        arrived: Bell,
        lease: Lease,
        settle: Callable[[Session], bool] = nothing_parted,
        run: Runner = plainly,
    ) -> None:
        self._caller = caller
        self._settle = settle
        self._pace = pace
        self._backoff = backoff
        self._departing = departing
        self._arrived = arrived
        self._lease = lease
        self._size = BatchSize(pace.entries_max)
        self._ahead = Ahead(caller)
        self._session: Session | None = None
        self._met = Bell()
        self._nudge = Bell()
        self._beat_due = 0.0
        self._stopping = threading.Event()
        self._steps: dict[Step, Callable[[], Step]] = {
            "hello": self._hello,
            "push": self._push,
            "rest": self._rest,
            "meet": self._meet,
            "pull": self._pull,
        }
        lanes = (Lane("up", "hello"), Lane("down", "meet"))
        self._threads = [looping(run, lane.name, partial(self._run, lane), self._stopping) for lane in lanes]

    def start(self) -> None:
        """Start both lanes."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Ask both lanes to end; a call in flight is left to its end, its effect is safe either way."""
        self._stopping.set()
        for bell in (self._departing, self._met, self._nudge):
            bell.ring()
        for thread in self._threads:
            thread.join(timeout_s)
        self._ahead.stop()
        self._lease.give_up()

    def sync_now(self) -> None:
        """End any wait: somebody asks, or the network came back."""
        self._beat_due = 0.0
        self._nudge.ring()
        self._departing.ring()

    def history(self, stream: str, epoch: str, after: int) -> bytes:
        """The batch that follows a place of our stream, or of the peer's to us, as the peer holds it. SyncError."""
        if self._session is None:
            raise Unreachable("sync.no_session", "There is no session with the peer just now.")
        return self._caller.history(self._session, epoch, after, stream)

    def _run(self, lane: Lane) -> None:
        step = lane.first
        while not self._stopping.is_set():
            try:
                if not self._lease.held():
                    step = self._wait_for_lease(lane)
                    continue
                done, step = step, self._steps[step]()
                if done == step and done in CONTACTS:
                    self._went_well(lane)
            except (SyncError, StrandlineError, SQLAlchemyError, OSError) as error:
                step = lane.first
                self._went_wrong(lane, error)

    def _wait_for_lease(self, lane: Lane) -> Step:
        self._session = None
        self._nudge.wait(self._nudge.rings, LEASE_S / 3)
        return lane.first

    def _hello(self) -> Step:
        self._session = None
        session = self._caller.hello()
        if self._settle(session):  # our epochs are others now: show them before anything is sent
            return "hello"
        self._session = session
        self._beat_due = 0.0
        self._met.ring()
        return "push"

    def _push(self) -> Step:
        session = self._session
        if session is None:
            return "hello"
        flight = self._ahead.take(session)
        sealed = flight.made.result() if flight is not None else None
        if sealed is None:
            self._ahead.drop()
            flight, sealed = None, self._seal_next(session)
        if sealed is None:
            return "rest"
        self._ahead.begin(session, sealed, self._size.entries)
        receipt = self._receipt(session, sealed, flight)
        if receipt is not None:
            self._caller.keep(sealed, receipt)
            self._beat_due = time.monotonic() + self._pace.heartbeat_s
            if sealed.entries:
                self._size.went_through(receipt.credit)
        return "push"

    def _receipt(self, session: Session, sealed: Sealed, flight: Flight | None) -> Receipt | None:
        """What the peer says to a batch; None where it has no time for two: this one comes again, alone."""
        beside = flight is not None and flight.beside
        began = time.monotonic()
        try:
            return flight.answer.result() if flight is not None and beside else self._caller.send(sealed)
        except NotConnected:
            raise
        except (Unreachable, OverLimit, TooSlow):
            self._size.came_to_nothing()
            raise
        except (OutOfStep, StaleSession):
            self._ahead.go_alone()
            self._forget(session)
            raise
        except Busy:
            self._ahead.go_alone()
            if not beside:
                raise
            self._ahead.drop()
            return None
        finally:
            if time.monotonic() - began > LONG_S:
                self._ahead.go_alone()

    def _seal_next(self, session: Session) -> Sealed | None:
        """What the peer lacks, or a heartbeat when one is due; None: there is nothing to say."""
        run = self._caller.next_run(self._size.entries)
        if run is None and time.monotonic() < self._beat_due:
            return None
        return self._caller.prepare(session, run)

    def _rest(self) -> Step:
        seen = self._departing.rings
        if self._caller.next_run(1) is None:
            self._departing.wait(seen, min(self._beat_due - time.monotonic(), LEASE_S / 3))
        return "push"

    def _meet(self) -> Step:
        if self._session is None:
            self._met.wait(self._met.rings, LEASE_S / 3)
        return "pull" if self._session is not None else "meet"

    def _pull(self) -> Step:
        session = self._session
        if session is None:
            return "meet"
        try:
            new = self._caller.pull(session, round(self._pace.poll_s * 1000))
        except (OutOfStep, StaleSession):
            self._forget(session)
            raise
        if new:
            self._arrived.ring()
        return "pull"

    def _forget(self, session: Session) -> None:
        """A new hello is needed, unless the other lane said one while this call was under way."""
        if self._session is session:
            self._session = None
            self._departing.ring()

    def _went_well(self, lane: Lane) -> None:
        lane.settled = True
        if lane.failures:
            lane.failures = 0
            self._nudge.ring()

    def _went_wrong(self, lane: Lane, error: Exception) -> None:
        if lane.name == "up":
            self._ahead.drop()
        if isinstance(error, OutOfStep | StaleSession) and lane.settled:
            lane.settled = False  # a new hello settles it, at once; if it does not, the next time waits
            return
        asked_s = error.after_s if isinstance(error, Busy) else 0.0
        if not asked_s:
            lane.failures += 1
        if lane.name == "up":
            self._note_away(error)
        else:  # let the other lane find out now whether the line is gone, not at the next heartbeat
            self._beat_due = 0.0
            self._departing.ring()
        seen = self._nudge.rings
        wait_s = self._backoff.wait_as_asked_s(asked_s) if asked_s else self._backoff.wait_s(lane.failures)
        known = {"lane": lane.name, "peer": self._caller.peer.code, "failures": lane.failures}
        log.info("exchange failed", **known, wait_s=round(wait_s, 1), reason=str(error)[:300])
        self._nudge.wait(seen, wait_s)

    def _note_away(self, error: Exception) -> None:
        caller = self._caller
        try:
            with write(caller.engine) as conn:
                link.note_away(conn, caller.peer.code, caller.clock.now_ms(), str(error), link.state_after(error))
        except (SQLAlchemyError, StrandlineError) as trouble:
            log.warning("link state not written", reason=str(trouble)[:300])
