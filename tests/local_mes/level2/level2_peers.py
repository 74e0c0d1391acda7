"""A small plant and peers over real sockets that the tests steer by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from local_mes.level2.collector import Collector
from local_mes.level2.link_state import find_states
from local_mes.level2.links import load_links
from local_mes.level2.spool import SpoolWriter
from local_mes.level2.spool_tables import message
from local_mes.level2.telegrams.codec import decode_body
from local_mes.level2.telegrams.frame import decode_head, encode_telegram, header_size
from local_mes.level2.telegrams.layout import LayoutSet
from shared.clock import FixedClock
from shared.db.engine import read
from shared.settings import PlantSettings

OPEN_MAX = 32
PLANTS = Path(__file__).parents[3] / "demo" / "plants"
MODEL = """
[plant]
code = "ALD"
name = "Test melt shop"
zone = "Europe/Warsaw"
production_day_start = "06:00"
shifts = [{{ name = "early", start = "06:00" }}]

[[area]]
code = "CC"
name = "Caster"

[[unit]]
code = "CC1"
class = "slab_caster"
area = "CC"

[[link]]
code = "CC1"
kind = "telegram"
address = "127.0.0.1:{port}"
telegrams = "{layouts}"
peer = "CC1"
reorder_window_s = 600
heartbeat_s = {heartbeat_s}
resend_s = {resend_s}
  [link.map]
  CC1060 = "test_cut"
  CC1070 = "test_marked"
  LB1010 = "test_result"
  CC1050 = "ignore"
{more}
"""


@dataclass
class Site:
    """A plant's folder, model and spool."""

    folder: Path
    settings: PlantSettings
    port: int
    layouts: LayoutSet
    spool: Engine

    def spooled(self) -> list[Any]:
        with read(self.spool) as conn:
            return list(conn.execute(select(message).order_by(message.c.spool_id)))

    def state(self, link: str = "CC1") -> Any:
        return find_states(self.spool)[link]

    def state_name(self, link: str = "CC1") -> str:
        states = find_states(self.spool)
        return str(states[link].state) if link in states else ""


@asynccontextmanager
async def collecting(site: Site, clock: FixedClock) -> AsyncIterator[asyncio.Task[None]]:
    """The collector in this process's loop, stopped at the end."""
    writer = SpoolWriter(site.spool)
    stop = asyncio.Event()
    task = asyncio.create_task(Collector(load_links(site.settings), site.spool, writer, clock, site.settings).run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(writer.close)


@dataclass
class Peer:
    """Level 2 at the other end of a telegram link: sends what the test says, keeps what comes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    layouts: LayoutSet
    acks: list[tuple[int, int]] = field(default_factory=list)
    beats: int = 0
    received: list[tuple[int, str, bool, dict[str, Any]]] = field(default_factory=list)

    def bytes_of(
        self,
        name: str,
        fields: dict[str, Any],
        sequence: int,
        *,
        claimed: str = "20260311060000000",
        resent: bool = False,
    ) -> bytes:
        return encode_telegram(
            self.layouts, name, fields, sequence=sequence, claimed=claimed, sender="CC1", receiver="MES", resent=resent
        )

    async def send(self, name: str, fields: dict[str, Any], sequence: int = 0, **more: Any) -> None:
        await self.raw(self.bytes_of(name, fields, sequence, **more))

    async def raw(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def take(self) -> str:
        """Read one telegram from the plant and keep it; returns its name."""
        raw = await self.reader.readexactly(header_size(self.layouts))
        head = decode_head(self.layouts, raw)
        fields = decode_body(self.layouts.messages[head.message], await self.reader.readexactly(head.length - len(raw)))
        if head.message == "AK9000":
            self.acks.append((fields["ack_sequence"], fields["code"]))
        elif head.message == "HB0001":
            self.beats += 1
        else:
            self.received.append((head.sequence, head.message, head.resent, fields))
        return head.message

    async def until(self, condition: Callable[[], bool], within_s: float = 40) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await self.take()

    async def closed(self) -> bool:
        """Read on until the plant closes the connection."""
        async with asyncio.timeout(40):
            while await self.reader.read(4096):
                continue
        return True


async def connect(site: Site) -> Peer:
    """Connect as Level 2 does: again until the plant listens."""
    async with asyncio.timeout(40):
        while True:
            try:
                return Peer(*await asyncio.open_connection("127.0.0.1", site.port), site.layouts)
            except OSError:
                await asyncio.sleep(0.02)


class Sender:
    """A level 2 by the book: at most 32 open, the oldest unanswered first after a reconnect, repeats flagged.

    Telegram n is a piece of its own: heat n. Sequences wrap at 9999.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sent = 0
        self.acknowledged = 0
        self.open: list[int] = []

    async def work(self, stop_at: int) -> None:
        """Send and take answers until stop_at are acknowledged or the connection breaks."""
        peer = await connect(self.site)
        try:
            for number in self.open:
                await self._send(peer, number, resent=True)
            while self.acknowledged < stop_at:
                while self.sent < stop_at and len(self.open) < OPEN_MAX:
                    self.sent += 1
                    self.open.append(self.sent)
                    await self._send(peer, self.sent)
                await peer.take()
                self._settle(peer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            peer.writer.close()

    def _settle(self, peer: Peer) -> None:
        for sequence, code in peer.acks:
            number = self.open.pop(0)
            assert (sequence, code) == (sequence_of(number), 0)
            self.acknowledged = number
        peer.acks.clear()

    async def _send(self, peer: Peer, number: int, *, resent: bool = False) -> None:
        fields = cut(number % 99 + 1, heat=f"{number:06d}")
        await peer.send("CC1060", fields, sequence_of(number), resent=resent)


def sequence_of(number: int) -> int:
    return (number - 1) % 9999 + 1


async def until(condition: Callable[[], bool], within_s: float = 40) -> None:
    """Wait for a condition to hold."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


def cut(number: int = 3, **more: Any) -> dict[str, Any]:
    """The fields of a CC1060."""
    return {
        "heat": "161843",
        "strand": 2,
        "cut": number,
        "head_mm": 83772,
        "tail_mm": 93080,
        "hot_length_mm": 9421,
        "thickness_mm": 223,
        "width_head_mm": 1297,
        "width_tail_mm": 1297,
        "kerf_mm": 8,
        "kind": "N",
        "order": "710047/10",
    } | more
