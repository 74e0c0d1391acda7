"""One session with a server: all that is heard in it, until the first part of it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any

from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaError

from local_mes.level2.certificates import save_certificate
from local_mes.level2.down import Down
from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Answer
from local_mes.level2.drivers.together import until_one_ends
from local_mes.level2.opcua.connect import connect
from local_mes.level2.opcua.jobs import Jobs
from local_mes.level2.opcua.orders import Orders
from local_mes.level2.opcua.ring_reader import RingReader
from local_mes.level2.opcua.settings import OpcuaSettings
from local_mes.level2.opcua.signals import Signals
from local_mes.level2.opcua.trust import Certificate
from shared import logs

# it warns at every try to connect; the link's state says it once
logging.getLogger("asyncua").setLevel(logging.ERROR)
CLOSE_WAIT_S = 3

log = logs.get("level2")


class Session:
    """Connects, hears, sends. A library's own errors leave it as OSError."""

    def __init__(self, desk: Desk, settings: OpcuaSettings) -> None:
        self._desk = desk
        self._settings = settings
        self._orders: Orders | None = None

    async def run(self) -> None:
        """Connect and hear until something ends it; raises what did."""
        try:
            client = await connect(self._desk.link, self._desk.plan, self._settings, self._show)
            try:
                await self._hear(client)
            finally:
                await _close(client)
        except UaError as error:
            raise OSError(f"{type(error).__name__}: {error}") from error

    async def send(self, order: Down) -> Answer:
        """Send one order; OSError when the connection is not what it was."""
        if self._orders is None:
            raise ConnectionError("The server is not connected.")
        try:
            return await self._orders.send(order)
        except UaError as error:
            raise OSError(f"{type(error).__name__}: {error}") from error

    async def _show(self, role: str, shown: Certificate) -> None:
        await self._desk.write(partial(save_certificate, link=self._desk.link.code, role=role, shown=shown))

    async def _hear(self, client: Client) -> None:
        jobs_of = Jobs(self._desk, self._settings.jobs, client) if self._settings.jobs else None
        self._orders = Orders(self._desk, self._settings, client, jobs_of)
        jobs: list[Coroutine[Any, Any, None]] = [_lost(client)]
        if self._settings.has_ring:
            jobs.append(RingReader(self._desk, client).run())
        if self._settings.sources:
            jobs.append(Signals(self._desk, self._settings, client).run())
        if jobs_of is not None:
            jobs.append(jobs_of.run())
        try:
            await until_one_ends(*jobs)
        finally:
            self._orders = None


async def _lost(client: Client) -> None:
    """Ends with an error when the library sees that the connection is gone."""
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def tell(error: Exception) -> None:
        if not gone.done():
            gone.set_exception(ConnectionError(f"The connection was lost: {error}".rstrip(": .") + "."))

    client.connection_lost_callback = tell
    await gone


async def _close(client: Client) -> None:
    try:
        await asyncio.wait_for(client.disconnect(), CLOSE_WAIT_S)
    except (OSError, UaError, TimeoutError) as error:
        log.debug("disconnect", why=str(error))
