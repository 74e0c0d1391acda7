"""What devices on TCP have in common: who calls whom, messages cut out of a stream, jobs that must not be done twice.

Most devices stand behind a serial-to-TCP converter or a print server: either side may have to call, so `side` says
whether the plant calls (`client`) or listens (`server`). Of two connections to a listening link the newer one counts:
a device that was switched off and on leaves the old one hanging.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec
from sqlalchemy import select

from local_mes.level2.down import SENT, get_down
from local_mes.level2.drivers.desk import number_of
from local_mes.level2.drivers.port import Answer, Driver, Settings, bad_link, read_settings
from local_mes.level2.hosts import check_hosts, lets_in, stranger_words
from local_mes.level2.spool_tables import message
from shared.db.engine import read
from shared.errors import BadSetup

if TYPE_CHECKING:
    from local_mes.level2.down import Down
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link

CONNECT_S = 5.0
MESSAGE_MAX = 64 * 1024
"""Bytes of one message; a peer that says more without an end does not speak what it should."""
CHUNK = 4096


class DeviceSettings(Settings, frozen=True, kw_only=True):
    """side: `client` when the plant calls the device's address, `server` when it listens there; title: for people.

    hosts: addresses or networks that may connect to a link that listens; none: only this machine; `any` alone: all.
    """

    side: Literal["client", "server"] = "client"
    title: str = ""
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """An address that is none lets nobody in: it is refused at the start."""
        check_hosts(self.hosts)


class Silent(ConnectionError):
    """The device is connected and does not answer."""


class Wire:
    """One connection: bytes in, cut at their ends; bytes out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._held = b""
        host, port = writer.get_extra_info("peername", ("?", 0))[:2]
        self.peer = f"{host}:{port}"

    async def take(self, ends: bytes = b"\r\n", within_s: float | None = None) -> bytes:
        """The next message without its end, never empty. ConnectionError when it hangs up, Silent."""
        try:
            async with asyncio.timeout(within_s):
                while (found := self._cut(ends)) is None:
                    self._held += await self._read(CHUNK)
                    if len(self._held) > MESSAGE_MAX:
                        raise ConnectionError(f"It sent {len(self._held)} bytes without an end of a message.")
                return found
        except TimeoutError as error:
            raise Silent(f"It said nothing for {within_s:g} s.") from error

    async def byte(self, within_s: float | None = None) -> bytes:
        """The next single byte."""
        if not self._held:
            try:
                async with asyncio.timeout(within_s):
                    self._held = await self._read(CHUNK)
            except TimeoutError as error:
                raise Silent(f"It said nothing for {within_s:g} s.") from error
        one, self._held = self._held[:1], self._held[1:]
        return one

    async def send(self, content: bytes) -> None:
        """Write, and wait until the connection has taken it."""
        self._writer.write(content)
        await self._writer.drain()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    def _cut(self, ends: bytes) -> bytes | None:
        while True:
            at = min((at for end in ends if (at := self._held.find(end)) >= 0), default=-1)
            if at < 0:
                return None
            found, self._held = self._held[:at], self._held[at + 1 :]
            if found:
                return found

    async def _read(self, size: int) -> bytes:
        content = await self._reader.read(size)
        if not content:
            cut = f" in the middle of a message ({len(self._held)} bytes)" if self._held else ""
            raise ConnectionError(f"The device closed the connection{cut}.")
        return content


class DeviceDriver(Driver):
    """Base of the drivers of devices."""

    Settings: ClassVar[type[msgspec.Struct]] = DeviceSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.settings: Any = read_settings(desk.link, type(self).Settings)
        self._came: asyncio.Queue[Wire] = asyncio.Queue()
        self._now: Wire | None = None
        self._server: asyncio.Server | None = None

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """Settings, and an address that is host:port."""
        read_settings(link, cls.Settings)
        host_and_port(link)

    @classmethod
    def calls(cls, link: Link) -> bool:
        """Where the device listens; one without an address (a keyboard) is called by nobody."""
        return bool(link.address) and link.settings.get("side") != "server"

    async def open(self) -> None:
        """Listen, where the device calls."""
        if self.settings.side == "server":
            host, port = host_and_port(self.desk.link)
            try:
                self._server = await asyncio.start_server(self._connected, host, port)
            except OSError as error:
                raise BadSetup(
                    "level2.port_taken",
                    f"The link {self.desk.link.code} cannot listen on {self.desk.link.address}: {error.strerror}.",
                    todo="Correct the address in the plant model, or stop the program that listens there.",
                ) from error

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        host = wire.peer.rpartition(":")[0]
        if not lets_in(self.settings.hosts, host):
            self.desk.state.stranger(host, stranger_words(self.settings.hosts, host))
            return wire.close()
        if self._now is not None:
            self._now.close()
        self._came.put_nowait(wire)

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """A connection, closed at the end."""
        if self.settings.side == "server":
            wire = await self._came.get()
            while not self._came.empty():
                wire.close()
                wire = self._came.get_nowait()
        else:
            host, port = host_and_port(self.desk.link)
            try:
                wire = Wire(*await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_S))
            except TimeoutError as error:
                raise ConnectionError(f"{self.desk.link.address} does not answer.") from error
        self._now = wire
        try:
            yield wire
        finally:
            self._now = None
            wire.close()

    def event(self, name: str) -> str:
        """What a message is called: `CW1.Weighed` for the link's unit, or for the link where it names none."""
        return f"{self.desk.link.unit or self.desk.link.code}.{name}"

    async def told_before(self, order: Down, name: str) -> dict[str, Any] | None:
        """What was stored about this order by a collector that was killed before it could say that it was done."""
        if order.tries < 2:
            return None
        c = message.c
        query = select(c.fields).where(
            c.link == self.desk.link.code, c.sequence == job_number(order.key), c.message == self.event(name)
        )

        def look() -> str | None:
            with read(self.desk.spool) as conn:
                return conn.execute(query.limit(1)).scalar()

        found = await asyncio.to_thread(look)
        return None if found is None else msgspec.json.decode(found, type=dict[str, Any])

    async def withdrawn(self, order: Down) -> Answer | None:
        """An answer when somebody took the order back meanwhile: asked right before a device is told to act."""
        now = await asyncio.to_thread(get_down, self.desk.spool, order.down_id)
        return None if now.state == SENT else Answer(False, now.answer)


def job_number(key: str) -> int:
    """The number of an order's outcome in the spool, and of its job on a device: the same whenever it is sent."""
    return number_of("job", key)


def host_and_port(link: Link) -> tuple[str, int]:
    """Of the link's address. BadSetup when it is none."""
    host, _, port = link.address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise bad_link(link.code, f"its address {link.address!r} is not host:port")
    return host, int(port)
