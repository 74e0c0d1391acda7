"""The calling side's four words: hello, push, pull and what their answers mean. One call, one step; no loop here.

Each function ends with the database knowing what the peer said. Nothing is remembered in memory but the session, so
a step can be repeated after any failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from sqlalchemy import Engine

from shared.clock import Clock
from shared.db.engine import read, write
from shared.ids import random_key
from shared.journal.highest import NoValues, Values
from shared.journal.life import get_identity
from shared.keys import SigningKey
from sync import link, marks
from sync.anchoring import Covered, nothing_kept
from sync.believing import believe
from sync.errors import EntryDamaged, OutOfStep, SyncError, Unreachable
from sync.incoming import Held, check_stream, store, unpack
from sync.limits import ENTRIES_MAX, POLL_MAX_S, PROTOCOL, PROTOCOL_OLDEST
from sync.messages import (
    GIVEN,
    HASHES,
    HELLO,
    HISTORY,
    PROBE,
    PULL,
    RECEIPT,
    WELCOME,
    Counters,
    EpochState,
    Given,
    Hashes,
    Hello,
    History,
    Probe,
    Pull,
    Receipt,
    Welcome,
)
from sync.outgoing import Addressed, Limit, Run, Sealed, empty_run, promise, read_run, seal_run, states
from sync.pack import split
from sync.peers import Peer, open_incident
from sync.positions import Span, missing, waiting
from sync.seal import M, digest, open_seal, open_signed, sign
from sync.transport import Transport
from sync.understanding import fact_versions


class InSession(TypedDict):
    """What every message within a session says of itself."""

    proto: int
    node: str
    audience: str
    sent_ms: int
    incarnation: str
    session: str


@dataclass(frozen=True)
class Session:
    """What a hello opened, and what both said in it.

    said     our epochs as the hello named them       holds     what the peer holds of each
    can      what the peer answers besides            counters  the highest numbers that it heard of us
    theirs   the epochs of the peer's stream to us, as far as the peer has them
    """

    id: str
    incarnation: str
    said: tuple[EpochState, ...]
    holds: tuple[EpochState, ...]
    can: tuple[str, ...]
    counters: Counters
    theirs: tuple[EpochState, ...]


@dataclass(frozen=True)
class Caller:
    """One node's side of the line to a peer that it calls.

    numbers  reads the highest business numbers given out     boot  tells this process from any other
    covered  has the anchor know what a seal says before it leaves
    """

    code: str
    peer: Peer
    engine: Engine
    clock: Clock
    key: SigningKey
    transport: Transport
    limit: Limit
    bytes_max: int
    numbers: Values = field(default_factory=NoValues)
    boot: str = field(default_factory=random_key)
    covered: Covered = nothing_kept

    @property
    def stream_down(self) -> str:
        """The peer's stream to this node."""
        return f"{self.peer.code}>{self.code}"

    def hello(self) -> Session:
        """Show all epochs, hear what the peer holds, and believe it: also when it is less than it once said."""
        sent, nonce = self.clock.now_ms(), random_key()
        with read(self.engine) as conn:
            epochs, identity = states(conn, self.code), get_identity(conn)
            copies = marks.list_copies(conn, self.peer.code, self.stream_down)
            backlog = waiting(epochs, marks.list_holdings(conn, self.peer.code, [self.code]))
            counters = self.numbers.read(conn)
        hello = Hello(
            proto=PROTOCOL,
            node=self.code,
            audience=self.peer.code,
            sent_ms=sent,
            oldest_proto=PROTOCOL_OLDEST,
            instance=identity.instance,
            nonce=nonce,
            epochs=epochs,
            copies=copies,
            facts=fact_versions(),
            backlog=backlog,
            boot=self.boot,
            counters=counters,
        )
        answer = self.transport.send("hello", sign(self.key, HELLO, hello))
        welcome = self._open(answer, WELCOME, Welcome)
        if welcome.nonce != nonce:
            raise Unreachable("sync.foreign_answer", "The welcome answers another hello.")
        believe(self.engine, self.clock, self.code, self.peer.code, welcome, epochs, sent)
        holds = tuple(state for state in welcome.holds if state.stream == self.code)
        given = (welcome.can, welcome.counters, welcome.epochs)
        return Session(welcome.session, welcome.incarnation, epochs, holds, *given)

    def probe(self, session: Session, epoch: str, places: Sequence[int]) -> tuple[str, ...]:
        """The peer's copy of our chain at these places of an epoch."""
        nonce = random_key()
        probe = Probe(
            **self._in(session),
            stream=self.code,
            epoch=epoch,
            places=tuple(places),
            nonce=nonce,
        )
        answer = self._open(self.transport.send("probe", sign(self.key, PROBE, probe)), HASHES, Hashes)
        if answer.nonce != nonce or len(answer.hashes) != len(places):
            raise Unreachable("sync.foreign_answer", "The hashes answer another probe.")
        return answer.hashes

    def history(self, session: Session, epoch: str, after: int, stream: str = "") -> bytes:
        """The batch that follows a place of our stream, or of the peer's stream to us, as the peer holds it: whether it
        is right is still to be proved."""
        nonce = random_key()
        wish = History(**self._in(session), stream=stream or self.code, epoch=epoch, after=after, nonce=nonce)
        body = self.transport.send("history", sign(self.key, HISTORY, wish))
        try:
            head, batch = split(body)
        except SyncError as error:
            raise Unreachable("sync.foreign_answer", f"The answer is no history: {error.what}") from error
        given = self._open(head, GIVEN, Given)
        if given.nonce != nonce or given.batch != digest(batch):
            raise Unreachable("sync.foreign_answer", "The batch answers another wish.")
        return batch

    def next_run(self, entries_max: int) -> Run | None:
        """The next entries that the peer lacks, or None when it holds all. EntryDamaged, with an incident."""
        try:
            with read(self.engine) as conn:
                spans = missing(states(conn, self.code), marks.list_holdings(conn, self.peer.code, [self.code]))
                return read_run(conn, spans[0], entries_max, self.bytes_max) if spans else None
        except EntryDamaged as error:
            with write(self.engine) as conn:
                open_incident(conn, self.clock, self.code, "damaged", error.what)
            raise

    def push(self, session: Session, run: Run | None) -> Receipt:
        """Send a run, or a heartbeat when there is none, and keep what the receipt says."""
        return self.deliver(self.prepare(session, run))

    def prepare(self, session: Session, run: Run | None) -> Sealed:
        """A run, or a heartbeat, sealed for this session."""
        now = self.clock.now_ms()
        with write(self.engine) as conn:
            found = run or empty_run(conn, self.code)
            through = promise(conn, found, now, self.limit)
            counters = self.numbers.read(conn)
        to = Addressed(self.code, self.peer.code, session.incarnation, session.id, self.key)
        sealed = seal_run(found, through, to, now, counters)
        self.covered(sealed.seal)
        return sealed

    def prepare_after(self, session: Session, sealed: Sealed, entries_max: int) -> Sealed | None:
        """What follows a batch in its epoch, sealed; None where nothing does."""
        mine = sealed.seal
        with read(self.engine) as conn:
            top = {(e.stream, e.epoch): e.seq for e in states(conn, self.code)}.get((mine.stream, mine.epoch), 0)
            span = Span(mine.stream, mine.epoch, mine.last + 1, top)
            run = read_run(conn, span, entries_max, self.bytes_max) if span.entries > 0 else None
        return self.prepare(session, run) if run is not None else None

    def deliver(self, sealed: Sealed) -> Receipt:
        """Send what is sealed and keep what the receipt says."""
        receipt = self.send(sealed)
        self.keep(sealed, receipt)
        return receipt

    def send(self, sealed: Sealed) -> Receipt:
        """Send what is sealed; the receipt is signed by the peer and says that it is durable there."""
        receipt = self._open(self.transport.send("push", sealed.body), RECEIPT, Receipt)
        self._check_receipt(receipt, sealed)
        return receipt

    def keep(self, sealed: Sealed, receipt: Receipt) -> None:
        """Keep what a receipt says: the peer's position, and our own seal."""
        held = EpochState(receipt.stream, receipt.epoch, receipt.durable, receipt.hash)
        now = self.clock.now_ms()
        with write(self.engine) as conn:
            marks.move_holdings(conn, self.peer.code, [held], now)
            marks.keep_own_seal(conn, sealed, now)
            link.note_contact(conn, self.peer.code, now, receipt.sent_ms - now)

    def pull(self, session: Session, wait_ms: int) -> int:
        """Ask for what follows our position in the peer's stream to us; returns how many entries were new."""
        with read(self.engine) as conn:
            copies = marks.list_holdings(conn, self.peer.code, [self.stream_down])
        pull = Pull(
            **self._in(session),
            stream=self.stream_down,
            copies=copies,
            wait_ms=min(wait_ms, round(POLL_MAX_S * 1000)),
            entries_max=ENTRIES_MAX,
            nonce=random_key(),
        )
        body = self.transport.send("pull", sign(self.key, PULL, pull))
        held = self._receive(body, session)
        if held.answer != "stored":
            raise OutOfStep(f"sync.{held.answer}", f"{self.stream_down} does not continue what is held here.")
        return held.new_entries

    def _in(self, session: Session) -> InSession:
        return InSession(
            proto=PROTOCOL,
            node=self.code,
            audience=self.peer.code,
            sent_ms=self.clock.now_ms(),
            incarnation=session.incarnation,
            session=session.id,
        )

    def _receive(self, body: bytes, session: Session) -> Held:
        try:
            envelope, frame = split(body)
            seal = open_seal(envelope, self.peer.trusted, self.code)
            check_stream(seal, self.peer.code, self.code)
            batch = unpack(seal, envelope, frame)
        except SyncError as error:
            what = f"The answer is no batch of {self.peer.code}: {error.what}"
            raise Unreachable("sync.foreign_answer", what) from error
        if (seal.incarnation, seal.session, seal.stream) != (session.incarnation, session.id, self.stream_down):
            raise Unreachable("sync.foreign_answer", "The batch was sealed for another session.")
        with write(self.engine) as conn:
            held = store(conn, batch, self.clock.now_ms())
            if held.answer == "fork":
                open_incident(conn, self.clock, self.peer.code, "fork", f"{seal.stream} {seal.epoch} at {seal.first}")
        return held

    def _check_receipt(self, receipt: Receipt, sealed: Sealed) -> None:
        mine = sealed.seal
        if (receipt.stream, receipt.epoch, receipt.seal) != (mine.stream, mine.epoch, digest(sealed.envelope)):
            raise Unreachable("sync.foreign_answer", "The receipt is for another batch.")
        if receipt.answer != "stored" or receipt.durable < mine.last:
            raise OutOfStep(f"sync.{receipt.answer}", f"The receiver holds {receipt.stream} up to {receipt.durable}.")

    def _open(self, raw: bytes, payload_type: str, kind: type[M]) -> M:
        """An answer signed by the peer. Anything else on the way (a proxy's page, a stranger) counts as no answer."""
        try:
            message = open_signed(raw, payload_type, kind, self.peer.trusted, self.code)
        except SyncError as error:
            raise Unreachable("sync.foreign_answer", f"The answer is not {self.peer.code}'s: {error.what}") from error
        if message.node != self.peer.code:
            raise Unreachable("sync.foreign_answer", f"{message.node} answered in place of {self.peer.code}.")
        return message
