"""One telegram link. The plant listens and Level 2 connects, or the other way: the newest connection is the one that counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from local_mes.level2.errors import port_taken
from local_mes.level2.hosts import check_hosts, lets_in, stranger_words
from local_mes.level2.link_state import LinkState
from local_mes.level2.links import Link, split_address
from local_mes.level2.spool import SpoolWriter
from local_mes.level2.telegram_connection import TelegramConnection
from local_mes.level2.telegram_rules import TelegramRules
from local_mes.level2.telegrams.layout import LayoutSet
from shared import logs
from shared.clock import Clock, FileClock

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
log = logs.get("level2")


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[link.settings]` of a telegram link.

    side    server: the plant listens on the link's address; client: it connects to it
    hosts   addresses or networks that may connect; none: only this machine; "any" alone: whoever reaches the port
    silent  hears and says nothing, not even an acknowledgement: beside an old MES that answers
    """

    side: Literal["server", "client"] = "server"
    hosts: tuple[str, ...] = ()
    silent: bool = False

    def __post_init__(self) -> None:
        check_hosts(self.hosts)

    def may_connect(self, host: str) -> bool:
        """Whether a peer with this address is let in."""
        return lets_in(self.hosts, host)


@dataclass
class TelegramLink:
    """What every connection of the link shares. down_wake is set when something waits to go down."""

    link: Link
    layouts: LayoutSet
    zone: ZoneInfo
    clock: Clock
    writer: SpoolWriter
    state: LinkState
    down_wake: asyncio.Event = field(default_factory=asyncio.Event)
    settings: TelegramSettings = field(default_factory=TelegramSettings)

    def __post_init__(self) -> None:
        self.rules = TelegramRules(self.layouts, self.link.accepts)
        self.changed = asyncio.Event()
        """Set when the rules of the line itself are other ones: the connection that speaks by the old ones ends."""
        self.state.count_from(self.layouts.protocol.sequence_first, self.layouts.protocol.sequence_last)
        self._running: asyncio.Task[None] | None = None

    def take_up(self, link: Link, layouts: LayoutSet) -> None:
        """Other layouts. Under the same header and rules the connection stays; else the peer connects again, and sends
        what was not acknowledged."""
        same = layouts.has_header_of(self.layouts)
        self.link, self.layouts, self.rules = link, layouts, TelegramRules(layouts, link.accepts)
        if not same:
            self.state.count_from(layouts.protocol.sequence_first, layouts.protocol.sequence_last)
            self.changed.set()

    async def listen(self, serve: Serve | None = None) -> asyncio.Server:
        """Open the port, for `serve` or for a conversation by the line's rules; BadSetup when it is taken."""
        host, port = split_address(self.link)
        try:
            return await asyncio.start_server(serve or self._on_connect, host, port)
        except OSError as error:
            raise port_taken(self.link.code, self.link.address, error.strerror or str(error)) from error

    async def run(self, server: asyncio.Server) -> None:
        """Serve until cancelled."""
        async with server:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                server.close()
                await self._end_running()

    async def call(self) -> None:
        """Connect and serve until the connection ends; OSError says why."""
        reader, writer = await asyncio.open_connection(*split_address(self.link))
        await TelegramConnection(self, reader, writer).run()
        raise ConnectionError(self.state.detail or "The peer closed the connection.")

    async def _on_connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = str((writer.get_extra_info("peername") or ("",))[0])
        if not (self.settings.may_connect(host) or self._is_played(host)):
            log.warning("host not let in", link=self.link.code, host=host)
            self.state.stranger(host, stranger_words(self.settings.hosts, host))
            writer.close()
            return
        task = asyncio.current_task()
        await self._end_running()
        self._running = task
        try:
            await TelegramConnection(self, reader, writer).run()
        except asyncio.CancelledError:
            # replaced by a newer connection or stopped: this task ends here and nobody waits for its result
            return
        finally:
            if self._running is task:
                self._running = None
                self.state.happened("closed", self.state.detail)

    def _is_played(self, host: str) -> bool:
        """In a plant that follows a clock file a replay plays the peer, from this machine, whatever the model's hosts."""
        return isinstance(self.clock, FileClock) and lets_in((), host)

    async def _end_running(self) -> None:
        while self._running is not None:
            running, self._running = self._running, None
            running.cancel()
            await asyncio.wait([running])
