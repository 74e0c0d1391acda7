"""What a driver is given: the way into the spool, the orders to send, the link's state on screen."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Engine, func, select

from local_mes.level2 import down
from local_mes.level2.drivers.port import Answer, Heard
from local_mes.level2.link_state import CONNECTED, NO_DATA, LinkState
from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.sequence_watch import Break
from local_mes.level2.spool import Incoming, SpoolWriter, Stored, append, append_all
from local_mes.level2.spool_repeats import REPEAT_WINDOW, Numbers
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
        return await self.keep_beside(heard, None)

    async def keep_beside(self, heard: Sequence[Heard], beside: Job | None) -> list[Stored]:
        """The same, with something else written in the same commit."""
        received = self.clock.now_ms()
        batch = [(self._incoming(one, received), one.again) for one in heard]

        def job(conn: Connection) -> list[Stored]:
            stored = _store(conn, batch, self.writer.numbers)
            if beside is not None:
                beside(conn)
            return stored

        stored = await asyncio.wrap_future(self.writer.submit(job))
        for one, done in zip(heard, stored, strict=True):
            self.state.stored(one.message, received, repeated=done.repeated)
        return stored

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
            always_new=heard.sequence is None and not heard.again,
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
            try:
                answer = await send(order)
            except (ValueError, TypeError, LookupError, struct.error) as error:
                # an order that cannot be put into the peer's words stays so: it must not hold up those behind it
                answer = Answer(False, f"cannot be sent: {error}")
            settle = partial(
                down.settle,
                down_id=order.down_id,
                now_ms=self.clock.now_ms(),
                accepted=answer.accepted,
                answer=answer.text[:400],
            )
            await asyncio.wrap_future(self.writer.submit(settle))


def _store(conn: Connection, batch: Sequence[tuple[Incoming, bool]], numbers: Numbers) -> list[Stored]:
    """All in their order: those that may be repeats without a number each by its content, the others together."""
    stored: list[Stored] = []
    for by_content, group in groupby(batch, key=lambda one: one[1] and not one[0].sequence):
        some = [incoming for incoming, _ in group]
        stored += [_append_by_content(conn, one) for one in some] if by_content else append_all(conn, some, numbers)
    return stored


def _append_by_content(conn: Connection, incoming: Incoming) -> Stored:
    """A peer that numbers nothing says that this may be a repeat: the same content counts once."""
    here = message.c.link == incoming.link
    last = conn.execute(select(func.max(message.c.ordinal)).where(here)).scalar() or 0
    recent = (here, message.c.message == incoming.message, message.c.ordinal > last - REPEAT_WINDOW)
    known = conn.execute(select(message.c.spool_id).where(*recent, message.c.digest == incoming.digest)).scalar()
    return Stored(known, repeated=True) if known is not None else append(conn, replace(incoming, always_new=True))


def number_of(*parts: object) -> int:
    """A 53-bit number from what names a message at its source, where that is no number."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
