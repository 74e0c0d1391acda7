"""A node's sync as one thing to start and stop: put together here from a node, once, for both kinds of node."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import read, write
from shared.errors import Unavailable
from shared.ids import jitter
from shared.journal.highest import NOTHING, Outside
from shared.logs import get
from shared.node import Node
from shared.threads import Runner, looping, plainly
from sync.addresses import check_address
from sync.anchoring import Anchoring
from sync.applying import Applying
from sync.backoff import Backoff
from sync.beginning import anchor_file, begin
from sync.bell import Bell
from sync.caller import Caller
from sync.desk import Desk
from sync.errors import Unreachable
from sync.exchange import Exchange, Pace
from sync.lease import LEASE_S, Lease
from sync.marks import end_sessions
from sync.outgoing import Limit
from sync.peers import Peer, list_peers
from sync.recovering import Recovery
from sync.steady import Steady
from sync.transport import HttpTransport, Transport

log = get("sync")

ENROLMENT_LOOK_S = 2.0
"""How often a plant that is not enrolled yet looks whether it is."""


@dataclass(frozen=True)
class Ground:
    """What both kinds of station stand on: bells, applier, anchor."""

    arrived: Bell
    departing: Bell
    applying: Applying
    anchoring: Anchoring


class CallingStation:
    """A plant's sync: calls the hub, applies what comes back. Calls begin as soon as the plant is enrolled."""

    def __init__(self, ground: Ground, make_exchange: Callable[[], Exchange | None], run: Runner = plainly) -> None:
        self.ground = ground
        self.exchange: Exchange | None = None
        self._make_exchange = make_exchange
        self._stopping = threading.Event()
        self._thread = looping(run, "enrolment", self._await_enrolment, self._stopping)

    def start(self) -> None:
        """Start all threads."""
        self.ground.anchoring.start()
        self.ground.applying.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop all threads; safe at any moment, as is pulling the plug."""
        self._stopping.set()
        self._thread.join()
        if self.exchange is not None:
            self.exchange.stop()
        self.ground.applying.stop()
        self.ground.anchoring.stop()

    def sync_now(self) -> None:
        """End any wait of the exchange: somebody asks, or the line is up again."""
        if self.exchange is not None:
            self.exchange.sync_now()

    def history(self, stream: str, epoch: str, after: int) -> bytes:
        """The batch that follows a place of our stream, or of the peer's to us, as the peer holds it. SyncError."""
        if self.exchange is None:
            raise Unreachable("sync.no_session", "There is no peer to ask.")
        return self.exchange.history(stream, epoch, after)

    def _await_enrolment(self) -> None:
        while not self._stopping.is_set():
            try:
                self.exchange = self._make_exchange()
            except (SQLAlchemyError, Unavailable) as error:
                log.warning("enrolment not read", reason=str(error)[:300])
            if self.exchange is not None:
                self.exchange.start()
                return
            self._stopping.wait(ENROLMENT_LOOK_S)


@dataclass(frozen=True)
class CalledStation:
    """The hub's sync: answers at its desk, applies what arrives."""

    ground: Ground
    desk: Desk

    def start(self) -> None:
        """Start all threads; the desk works in the web server's."""
        self.ground.anchoring.start()
        self.ground.applying.start()

    def stop(self) -> None:
        """Stop all threads, and let those of the web server go."""
        self.desk.close()
        self.ground.applying.stop()
        self.ground.anchoring.stop()


def build_calling(
    node: Node, limit: Limit, apply_entries_max: int, transport: Transport, outside: Outside = NOTHING
) -> CallingStation:
    """A plant's station. `limit` gives ms of the oldest Level-2 message not interpreted yet, or None; `outside` reads
    and raises the values that must never go back."""
    begin(node, outside)
    ground = make_ground(node, apply_entries_max, outside)

    def make_exchange() -> Exchange | None:
        with read(node.engine) as conn:
            peers = list_peers(conn)
        return _exchange(node, peers[0], ground, limit, transport, outside) if peers else None

    return CallingStation(ground, make_exchange, Steady(node).run)


def build_called(node: Node, apply_entries_max: int, *, first: bool = True) -> CalledStation:
    """The hub's station. first: no other process of this hub has sessions that count."""
    begin(node, first=first)
    if first:
        with write(node.engine) as conn:
            end_sessions(conn)
    ground = make_ground(node, apply_entries_max)
    desk = Desk(
        node.code,
        node.engine,
        node.clock,
        node.key,
        ground.arrived,
        ground.departing,
        node.settings.folder,
        node.journal.appliers,
        ground.anchoring.cover,
    )
    return CalledStation(ground, desk)


def http_transport(node: Node, url: str) -> HttpTransport:
    """The way to a peer over HTTP, with this node's timeouts. BadSetup for an address that must not be used."""
    sync = node.settings.sync
    check_address(url, sync.allow_plain_http)
    verify = str(sync.authority) if sync.authority else True
    return HttpTransport(url, connect_s=sync.connect_timeout_s, read_s=sync.read_timeout_s, verify=verify)


def make_ground(node: Node, apply_entries_max: int, outside: Outside = NOTHING) -> Ground:
    """Bells, applier and anchor of a node, wired to its journal, nothing started."""
    arrived, departing = Bell(), Bell()
    node.journal.listen(departing.ring)
    applying = Applying(
        node.engine,
        node.clock,
        node.journal.appliers,
        arrived,
        Lease(node.engine, "apply", LEASE_S),
        _backoff(node),
        entries_max=apply_entries_max,
        run=Steady(node).run,
    )
    anchoring = Anchoring(node.code, node.engine, anchor_file(node), departing, outside, Steady(node).run)
    return Ground(arrived, departing, applying, anchoring)


def _exchange(node: Node, peer: Peer, ground: Ground, limit: Limit, transport: Transport, outside: Outside) -> Exchange:
    sync = node.settings.sync
    caller = Caller(
        node.code,
        peer,
        node.engine,
        node.clock,
        node.key,
        transport,
        limit,
        bytes_max=sync.batch_bytes_max,
        numbers=outside.numbers,
        covered=ground.anchoring.cover,
    )
    return Exchange(
        caller,
        Pace(sync.heartbeat_s, sync.poll_s, sync.batch_entries_max),
        _backoff(node),
        ground.departing,
        ground.arrived,
        Lease(node.engine, f"ship:{peer.code}", LEASE_S),
        Recovery(caller, node.journal, outside, ground.anchoring.write_now, node.settings.folder).settle,
        Steady(node).run,
    )


def _backoff(node: Node) -> Backoff:
    return Backoff(node.settings.sync.retry_first_s, node.settings.sync.retry_max_s, jitter)
