"""What a driver is given: the way into the spool, the orders to send, the link's state on screen."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from local_mes.level2 import down
from local_mes.level2.drivers.port import Answer, Heard
from local_mes.level2.link_state import CONNECTED, NO_DATA, LinkState
from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.sequence_watch import Break
from local_mes.level2.spool import REPEAT_WINDOW, Incoming, SpoolWriter, Stored, append
from local_mes.level2.spool_tables import message
from local_mes.level2.telegrams.times import claimed_ms, zone_offset_min
from shared import logs
from shared.clock import Clock

Job = Callable[[Connection], Any]
log = logs.get("level2")


@dataclass
class Desk:
    """One link's place in the collector."""

    link: Link
    plan: LinkPlan
    clock: Clock
    writer: SpoolWriter
    spool: Engine
    state: LinkState
    down_wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something waits to go down."""
    is_up: asyncio.Event = field(default_factory=asyncio.Event)

    def connected(self, peer: str, detail: str = "") -> None:
        """The peer is there: orders go down from now on."""
        if not self.is_up.is_set():
            log.info("connected", link=self.link.code, peer=peer)
        self.state.become(CONNECTED, peer=peer, detail=detail)
        self.is_up.set()

    def no_data(self, why: str) -> None:
        """The peer is there and says nothing that counts: not the same as an idle unit."""
        self.state.become(NO_DATA, detail=why[:400])

    def gap(self, why: str, count: int = 1) -> None:
        """Messages are known to be missing."""
        self.state.broke(Break(why, count=count))
        log.warning("gap in events", link=self.link.code, why=why)

    async def keep(self, *heard: Heard) -> list[Stored]:
        """Store messages in their order; they are on disk when this returns, and only then may be acknowledged."""
        received = self.clock.now_ms()
        posted = [(one.message, self.post(one, received)) for one in heard]
        stored = []
        for name, commit in posted:
            stored.append(await asyncio.wrap_future(commit))
            self.state.stored(name, received, repeated=stored[-1].repeated)
        return stored

    def post(self, heard: Heard, received_ms: int, beside: Job | None = None) -> Future[Stored]:
        """Queue one message; beside is written in the same commit. Prefer `keep`, which also counts."""
        incoming = self._incoming(heard, received_ms)
        store = append if heard.sequence is not None else partial(append_unnumbered, again=heard.again)

        def job(conn: Connection) -> Stored:
            stored = store(conn, incoming)
            if beside is not None:
                beside(conn)
            return stored

        return self.writer.submit(job)

    def _incoming(self, heard: Heard, received_ms: int) -> Incoming:
        moment = claimed_ms(heard.claimed, self.plan.zone, received_ms)
        if not (heard.late or heard.again):
            self.state.offset.learn(received_ms, moment)
        return Incoming(
            link=self.link.code,
            message=heard.message[:64],
            sequence=heard.sequence or 0,
            claimed=heard.claimed[:64],
            claimed_ms=moment,
            received_ms=received_ms,
            offset_ms=self.state.offset.ms,
            zone_offset_min=zone_offset_min(moment or received_ms, self.plan.zone),
            raw=heard.raw,
            body=heard.raw,
            fields=dict(heard.fields),
            problem=heard.problem,
        )

    async def write(self, job: Job) -> None:
        """Write something else to the spool's database, in order with the messages."""
        await asyncio.wrap_future(self.writer.submit(job))

    async def send_orders(self, send: Callable[[down.Down], Awaitable[Answer]]) -> None:
        """Send what waits, one order at a time, while the peer is there; until cancelled."""
        await self.is_up.wait()
        while True:
            self.down_wake.clear()
            take = partial(down.take_next, link=self.link.code, now_ms=self.clock.now_ms())
            order = await asyncio.wrap_future(self.writer.submit(take))
            if order is None:
                await self.down_wake.wait()
                continue
            answer = await send(order)
            settle = partial(
                down.settle,
                down_id=order.down_id,
                now_ms=self.clock.now_ms(),
                accepted=answer.accepted,
                answer=answer.text[:400],
            )
            await asyncio.wrap_future(self.writer.submit(settle))


def append_unnumbered(conn: Connection, incoming: Incoming, *, again: bool) -> Stored:
    """Store a message of a peer that numbers nothing; one that may be a repeat counts once by its content."""
    at = (message.c.link == incoming.link, message.c.message == incoming.message)
    last = conn.execute(select(func.max(message.c.ordinal)).where(message.c.link == incoming.link)).scalar() or 0
    if again:
        known = conn.execute(
            select(message.c.spool_id).where(
                *at, message.c.digest == incoming.digest, message.c.ordinal > last - REPEAT_WINDOW
            )
        ).scalar()
        if known is not None:
            return Stored(known, repeated=True)
    # the link's running number: no two are the same, so that nothing but `again` makes one a repeat
    return append(conn, replace(incoming, sequence=last + 1))


def number_of(*parts: object) -> int:
    """A 53-bit number from what names a message at its source, where that is no number."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
