"""The called side of the protocol (the hub): hello, push, pull, probe and history, each bytes in and bytes out.

No HTTP here: the endpoint and the memory transport both hand bytes in. Every answer is signed, so that a caller can
tell it from a proxy's. Refusals are SyncErrors with their status. No connection is held while a long poll waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from shared.clock import Clock
from shared.db.engine import read, write
from shared.ids import random_key
from shared.journal.apply import Appliers
from shared.journal.life import get_identity
from shared.keys import SigningKey
from sync import apart, marks, understanding
from sync.anchoring import Covered, nothing_kept
from sync.bell import Bell
from sync.credit import get_credit
from sync.downlink import heal
from sync.early_rows import EarlyRows
from sync.errors import BadSeal, OutOfStep, PeerHeld, StaleSession
from sync.handing_down import HandingDown
from sync.in_order import InOrder
from sync.incoming import Batch, Held, check_stream, store, unpack
from sync.limits import ENTRIES_MAX, HEAD_BYTES_MAX, PROTOCOL, RAW_BYTES_MAX
from sync.link import complete_through
from sync.meeting import Met, follow_order, hold_both, keep_marks, list_marks, note_visit, visit_of
from sync.messages import (
    HELLO,
    HISTORY,
    PROBE,
    PULL,
    RECEIPT,
    WELCOME,
    Hello,
    History,
    Message,
    Probe,
    Pull,
    Receipt,
    Seal,
    Welcome,
)
from sync.outgoing import states
from sync.pack import split
from sync.peers import Peer, get_by_keys, open_incident
from sync.return_messages import CAN_TAKE_BACK
from sync.returning import Giving, copies_of
from sync.seal import digest, open_seal, open_signed, read_envelope, sign
from sync.taking_back import TakingBack
from sync.understanding import fact_versions, meet_protocol

ASK_HUB = "Ask the operator of the hub."

A = TypeVar("A", Probe, History)


class Desk:
    """Answers the nodes that call this one.

    arrived is rung when entries were stored, departing must be rung when this node's own streams grew; folder lies on
    the disk that must have room; covered has the anchor know what is promised before it leaves.
    """

    def __init__(
        self,
        code: str,
        engine: Engine,
        clock: Clock,
        key: SigningKey,
        arrived: Bell,
        departing: Bell,
        folder: Path,
        appliers: Appliers,
        covered: Covered = nothing_kept,
    ) -> None:
        self._code = code
        self._engine = engine
        self._clock = clock
        self._key = key
        self._arrived = arrived
        self._handing = HandingDown(code, engine, clock, key, departing, covered)
        self._folder = folder
        self._appliers = appliers
        self._giving = Giving(code, clock, key)
        self.giveback = TakingBack(code, engine, clock, key, appliers).take
        self._order = InOrder()
        self._watched: dict[str, str] = {}
        with read(engine) as conn:
            self._incarnation = get_identity(conn).incarnation

    def close(self) -> None:
        """Answer those who wait for something new at once: the process is ending, and they will ask again."""
        self._handing.close()

    def hello(self, raw: bytes) -> bytes:
        """Open a session and tell the caller what is held of it: its positions from here on are these."""
        with read(self._engine) as conn:
            peer = get_by_keys(conn, [s.keyid for s in read_envelope(raw).signatures])
        hello = open_signed(raw, HELLO, Hello, peer.trusted, self._code)
        self._check_author(hello, peer)
        proto = meet_protocol(self._engine, self._clock, peer.code, hello)
        now, session = self._clock.now_ms(), random_key()
        with write(self._engine) as conn:
            met = self._meet(conn, peer, hello, session, now)
        welcome = Welcome(
            proto=proto,
            node=self._code,
            audience=peer.code,
            sent_ms=now,
            nonce=hello.nonce,
            incarnation=self._incarnation,
            session=session,
            holds=met.holds,
            epochs=met.epochs,
            entries_max=ENTRIES_MAX,
            raw_bytes_max=RAW_BYTES_MAX,
            facts=fact_versions(),
            can=("history", CAN_TAKE_BACK),
            counters=met.counters,
            through=met.through,
        )
        return sign(self._key, WELCOME, welcome)

    def _meet(self, conn: Connection, peer: Peer, hello: Hello, session: str, now: int) -> Met:
        """Open the session and settle what both hold, in the caller's transaction."""
        down, named = self._stream_to(peer), [state for state in hello.epochs if state.stream == peer.code]
        offset_ms = apart.bounded(apart.measured(conn, peer.code), hello.sent_ms, now)
        boot = visit_of(hello, now).boot
        marks.open_session(conn, peer.code, session, hello.instance, now, offset_ms, hello.backlog, boot)
        follow_order(conn, self._appliers, peer.code, [state.epoch for state in named], now)
        keep_marks(conn, peer.code, hello.counters, now)
        understanding.keep(conn, peer.code, (hello.oldest_proto, hello.proto), hello.facts, now)
        found = heal(conn, down, peer.code, [copy for copy in hello.copies if copy.stream == down], now)
        if found:
            open_incident(conn, self._clock, peer.code, "downlink_parted", found)
        marks.accept_holdings(conn, peer.code, [down], hello.copies, now)
        return Met(
            copies_of(conn, peer.code, {state.epoch: state.seq for state in named}),
            states(conn, down),
            list_marks(conn, peer.code),
            complete_through(conn, peer.code) or 0,
        )

    def _watch_callers(self, peer: Peer, said: Seal | Pull) -> None:
        """A session is used, so that who opened it is there: its clock is known now, and two who take turns are held.
        PeerHeld.

        Not at the hello: one that was long under way opens a session as well, but nobody uses it.
        """
        if self._watched.get(peer.code) == said.session:
            return
        with write(self._engine) as conn:
            visit = marks.take_greeting(conn, peer.code, said.session)
            if visit is not None:
                apart.measure_in_session(conn, peer.code, said.sent_ms, self._clock.now_ms())
            twins = visit is not None and note_visit(conn, peer.code, visit)
            if twins:
                hold_both(conn, self._clock, peer.code)
        self._watched[peer.code] = said.session
        if twins:
            raise PeerHeld("sync.clone_suspect", f"Two installations of {peer.code} take turns.", todo=ASK_HUB)

    def push(self, body: bytes) -> bytes:
        """Store a batch durably and say so. The checks and their order: sync/incoming.py."""
        envelope, frame = split(body)
        with read(self._engine) as conn:
            peer = get_by_keys(conn, [s.keyid for s in read_envelope(envelope, HEAD_BYTES_MAX).signatures])
            seal = open_seal(envelope, peer.trusted, self._code)
            check_stream(seal, peer.code, self._code)
            self._check_session(conn, peer, seal.incarnation, seal.session)
        with self._order.work(seal):
            batch = unpack(seal, envelope, frame)
            self._watch_callers(peer, seal)
            held, credit = self._store(peer, batch)
        if held.new_entries:
            self._arrived.ring()
        receipt = self._receipt(peer, seal, held, digest(envelope), credit)
        if held.answer != "stored":
            what = f"{seal.stream} is held up to {held.durable}; the batch starts at {seal.first} ({held.answer})."
            raise OutOfStep(f"sync.{held.answer}", what, receipt=receipt)
        return receipt

    def _store(self, peer: Peer, batch: Batch) -> tuple[Held, int]:
        """Store a batch in one transaction; what is held then, and the credit for the next."""
        seal = batch.seal
        with self._turn(batch) as (conn, early):
            now = self._clock.now_ms()
            self._check_session(conn, peer, seal.incarnation, seal.session)
            held = store(conn, batch, now, early)
            marks.note_call(conn, peer.code, now)
            credit = get_credit(conn, peer.code, self._folder)
            keep_marks(conn, peer.code, seal.counters, now)
            if held.answer == "fork":
                open_incident(conn, self._clock, peer.code, "fork", f"{seal.stream} {seal.epoch} at {seal.first}")
            for fact_id in held.taken:
                what = f"{fact_id} came with other bytes; the first stay"
                open_incident(conn, self._clock, peer.code, "same_id", what)
        return held, credit

    @contextmanager
    def _turn(self, batch: Batch) -> Iterator[tuple[Connection, EarlyRows | None]]:
        """The transaction of a batch once the one before it is stored; on PostgreSQL it begins earlier."""
        if self._engine.dialect.name != "postgresql" or not batch.entries:
            self._order.wait(batch.seal)
            with write(self._engine) as conn:
                yield conn, None
            return
        with write(self._engine) as conn:
            early = EarlyRows(conn, batch.seal, batch.entries)
            self._order.wait(batch.seal)
            yield conn, early

    def pull(self, raw: bytes) -> bytes:
        """What follows the caller's position in its stream, at once or as soon as there is something."""
        with read(self._engine) as conn:
            peer = get_by_keys(conn, [s.keyid for s in read_envelope(raw).signatures])
        pull = open_signed(raw, PULL, Pull, peer.trusted, self._code)
        self._check_author(pull, peer)
        down = self._stream_to(peer)
        if pull.stream != down or any(copy.stream != down for copy in pull.copies):
            raise BadSeal("sync.not_its_stream", f"{peer.code} asked for stream {pull.stream}.")
        now = self._clock.now_ms()
        with write(self._engine) as conn:
            self._check_session(conn, peer, pull.incarnation, pull.session)
            marks.move_holdings(conn, peer.code, pull.copies, now)
            marks.note_call(conn, peer.code, now)
        self._watch_callers(peer, pull)
        found = self._handing.wait_for(pull)
        return self._handing.seal(
            found,
            pull,
            self._incarnation,
            lambda conn: self._check_session(conn, peer, pull.incarnation, pull.session),
        )

    def probe(self, raw: bytes) -> bytes:
        """The chain of the caller's own stream, or of ours to it, at the places it asks for."""
        with read(self._engine) as conn:
            peer, asked = self._open_asked(conn, raw, PROBE, Probe)
            return self._giving.hashes(conn, peer.code, asked)

    def history(self, raw: bytes) -> bytes:
        """A batch of the caller's own, or of ours to it, as it was once sealed, behind this node's word for it."""
        with read(self._engine) as conn:
            peer, asked = self._open_asked(conn, raw, HISTORY, History)
            return self._giving.batch(conn, peer.code, asked)

    def _receipt(self, peer: Peer, seal: Seal, held: Held, seal_digest: str, credit: int) -> bytes:
        receipt = Receipt(
            proto=PROTOCOL,
            node=self._code,
            audience=peer.code,
            sent_ms=self._clock.now_ms(),
            answer=held.answer,
            incarnation=self._incarnation,
            session=seal.session,
            stream=seal.stream,
            epoch=seal.epoch,
            durable=held.durable,
            hash=held.hash,
            seal=seal_digest,
            credit=credit,
        )
        return sign(self._key, RECEIPT, receipt)

    def _stream_to(self, peer: Peer) -> str:
        return f"{self._code}>{peer.code}"

    def _check_session(self, conn: Connection, peer: Peer, incarnation: str, session: str) -> None:
        if incarnation != self._incarnation:
            raise StaleSession("sync.stale_session", "This node began a new life since; a new hello is needed.")
        marks.check_session(conn, peer.code, session)

    def _open_asked(self, conn: Connection, raw: bytes, payload_type: str, kind: type[A]) -> tuple[Peer, A]:
        peer = get_by_keys(conn, [s.keyid for s in read_envelope(raw).signatures])
        asked = open_signed(raw, payload_type, kind, peer.trusted, self._code)
        self._check_author(asked, peer)
        if asked.stream not in (peer.code, self._stream_to(peer)):
            raise BadSeal("sync.not_its_stream", f"{peer.code} asked for history of stream {asked.stream}.")
        self._check_session(conn, peer, asked.incarnation, asked.session)
        return peer, asked

    @staticmethod
    def _check_author(message: Message, peer: Peer) -> None:
        if message.node != peer.code:
            raise BadSeal("sync.wrong_author", f"{peer.code} signed as {message.node}.")
