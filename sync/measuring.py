"""The plant's measuring of its routes: a signed sight over each of them now and then, which also tells the hub of them.

A step never raises for a route that does not answer: that is what it finds out.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import select

from shared.db.engine import read
from shared.disk import look
from shared.ids import random_key
from shared.journal.quarantine import count_by_state
from shared.node import Node
from sync.errors import SyncError, Unreachable
from sync.limits import PROTOCOL
from sync.link import ONLINE, signed_by
from sync.peers import Peer, list_peers
from sync.routed import RoutedTransport
from sync.routes import Route
from sync.seal import open_signed, sign
from sync.sight import SEEN, SIGHT, Seen, Sight
from sync.tables import link
from sync.waiting import read_waiting

DOUBLINGS_MAX = 6
"""A dead route is looked at ever less often: at last every 64 times probe_s, at most max_s."""


class Measuring:
    """Knows when each route is due. answered is called when a route answers while the line counts as away."""

    def __init__(
        self, node: Node, transport: RoutedTransport, probe_s: float, max_s: float, answered: Callable[[], None]
    ) -> None:
        self._node = node
        self._transport = transport
        self._probe_s = probe_s
        self._max_s = max_s
        self._answered = answered
        self._run = random_key()
        self._due = {route.name: 0.0 for route in transport.routes}
        self._failures = {route.name: 0 for route in transport.routes}

    def look_now(self) -> None:
        """All routes are due."""
        self._due = dict.fromkeys(self._due, 0.0)

    def step(self) -> None:
        """Measure the routes that are due."""
        with read(self._node.engine) as conn:
            peers = list_peers(conn)
        for route in self._transport.routes if peers else ():
            if time.monotonic() >= self._due[route.name]:
                self._measure(route, peers[0])

    def _measure(self, route: Route, peer: Peer) -> None:
        node, nonce = self._node, random_key()

        def accept(answer: bytes) -> None:
            if open_signed(answer, SEEN, Seen, peer.trusted, node.code).nonce != nonce:
                raise Unreachable("sync.foreign_answer", f"What answers at {route.url} repeats an older answer.")

        try:
            self._transport.measure(route, sign(node.key, SIGHT, self._sight(peer, nonce)), accept)
        except SyncError:
            self._failures[route.name] += 1
        else:
            self._failures[route.name] = 0
            if self._is_away(peer):
                self._answered()
        doublings = min(self._failures[route.name], DOUBLINGS_MAX)
        self._due[route.name] = time.monotonic() + min(self._probe_s * 2**doublings, max(self._max_s, self._probe_s))

    def _sight(self, peer: Peer, nonce: str) -> Sight:
        node, total = self._node, self._transport.total()
        with read(node.engine) as conn:
            waits = read_waiting(conn, node.code, peer.code)
            aside, heard_ms = count_by_state(conn), signed_by(conn, peer.code)
        return Sight(
            proto=PROTOCOL,
            node=node.code,
            audience=peer.code,
            sent_ms=node.clock.now_ms(),
            nonce=nonce,
            run=self._run,
            routes=tuple(state.sight() for state in self._transport.states()),
            why=self._transport.why()[:500],
            backlog=waits.facts,
            backlog_bytes=waits.bytes,
            oldest_ms=waits.oldest_ms,
            bytes_up=total.bytes_up,
            bytes_down=total.bytes_down,
            bulk_bytes=total.bulk_bytes,
            bulk_ms=total.bulk_ms,
            disk_free_bytes=look(node.settings.folder).free,
            quarantined=aside["quarantined"],
            heard_ms=heard_ms,
        )

    def _is_away(self, peer: Peer) -> bool:
        with read(self._node.engine) as conn:
            state = conn.execute(select(link.c.state).where(link.c.peer == peer.code)).scalar()
        return state is not None and state != ONLINE
