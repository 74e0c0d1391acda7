"""The driver of telegram links: each connection acknowledges and sends down by the rules of its line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Driver, read_settings
from local_mes.level2.telegram_server import TelegramLink, TelegramSettings

if TYPE_CHECKING:
    from local_mes.level2.links import Link, LinkPlan


class TelegramDriver(Driver):
    """Orders go down within a connection, by sequence and acknowledgement: `send` is not used."""

    Settings = TelegramSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._link = TelegramLink(
            desk.link,
            desk.plan.layouts[desk.link.code],
            desk.plan.zone,
            desk.clock,
            desk.writer,
            desk.state,
            down_wake=desk.down_wake,
            settings=read_settings(desk.link, TelegramSettings),
        )
        self._calls = self._link.settings.side == "client"
        self._server: asyncio.Server | None = None

    @classmethod
    def shadow(cls, link: Link) -> type[Driver]:
        """Listens to the copy of a tee."""
        from local_mes.level2.shadow.telegram import ShadowTelegramDriver

        return ShadowTelegramDriver

    @classmethod
    def calls(cls, link: Link) -> bool:
        """Where its settings say so."""
        return read_settings(link, TelegramSettings).side == "client"

    async def open(self) -> None:
        """Open the port, where the plant is the one that listens."""
        if not self._calls:
            self._server = await self._link.listen()

    def take_up(self, link: Link, plan: LinkPlan) -> None:
        """From the next telegram on."""
        super().take_up(link, plan)
        self._link.take_up(link, plan.layouts[link.code])

    async def session(self) -> None:
        """Serve until cancelled, or until the connection that the plant made ends."""
        if self._calls:
            return await self._link.call()
        server, self._server = self._server or await self._link.listen(), None
        await self._link.run(server)
