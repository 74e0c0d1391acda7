"""The driver of telegram links: the plant listens, each connection acknowledges and sends down by its own protocol."""

from __future__ import annotations

import asyncio

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Driver
from local_mes.level2.telegram_server import TelegramLink


class TelegramDriver(Driver):
    """Orders go down within a connection, by sequence and acknowledgement: `send` is not used."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        layouts = desk.plan.layouts[desk.link.code]
        self._link = TelegramLink(
            desk.link, layouts, desk.plan.zone, desk.clock, desk.writer, desk.state, down_wake=desk.down_wake
        )
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Open the port."""
        self._server = await self._link.listen()

    async def session(self) -> None:
        """Serve until cancelled."""
        server, self._server = self._server or await self._link.listen(), None
        await self._link.run(server)
