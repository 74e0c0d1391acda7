"""One telegram link: the plant listens, Level 2 connects, and the newest connection is the one that counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from local_mes.level2.link_state import AWAY, LinkState
from local_mes.level2.links import Link, split_address
from local_mes.level2.spool import SpoolWriter
from local_mes.level2.telegram_connection import TelegramConnection
from local_mes.level2.telegrams.layout import LayoutSet
from shared.clock import Clock
from shared.errors import BadSetup


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

    def __post_init__(self) -> None:
        self.accepted = frozenset(self.link.messages or self.link.map)
        self._running: asyncio.Task[None] | None = None

    async def listen(self) -> asyncio.Server:
        """Open the port; BadSetup when it is taken."""
        host, port = split_address(self.link)
        try:
            return await asyncio.start_server(self._on_connect, host, port)
        except OSError as error:
            raise BadSetup(
                "level2.port_taken",
                f"The link {self.link.code} cannot listen on {self.link.address}: {error.strerror or error}.",
                kept="No link was started.",
                todo="Stop the program that uses the port, or give the link another address in the settings.",
            ) from error

    async def run(self, server: asyncio.Server) -> None:
        """Serve until cancelled."""
        async with server:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                server.close()
                await self._end_running()

    async def _on_connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
                self.state.become(AWAY, detail=self.state.detail)

    async def _end_running(self) -> None:
        while self._running is not None:
            running, self._running = self._running, None
            running.cancel()
            await asyncio.wait([running])
