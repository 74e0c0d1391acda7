"""A device's end of a TCP connection: it listens, or it calls and calls again."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod

AGAIN_S = 0.05
"""Between two calls: a converter on the plant network is as stubborn."""


class Device(ABC):
    """port 0 takes a free one when it listens. heard: everything that came, for those who look."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, port
        self.heard: list[str] = []
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer: asyncio.StreamWriter | None = None

    async def listen(self) -> None:
        """Open the port."""
        self._server = await asyncio.start_server(self._talk, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def call(self) -> None:
        """Call the plant, again after each end."""
        task = asyncio.create_task(self._calling())
        self._tasks.add(task)

    async def stop(self) -> None:
        """Switch it off."""
        self.hang_up()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def hang_up(self) -> None:
        """The cable is out: what was not sent never comes."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    def put(self, content: bytes) -> None:
        """Say something, if anybody is there."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(content)

    @property
    def is_connected(self) -> bool:
        """Whether somebody is there."""
        return self._writer is not None

    @abstractmethod
    async def speak(self, reader: asyncio.StreamReader) -> None:
        """One connection, until it ends."""

    async def _calling(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                await self._talk(*await asyncio.open_connection(self.host, self.port))
            await asyncio.sleep(AGAIN_S)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        self._writer = writer
        self.connections += 1
        try:
            await self.speak(reader)
        except (OSError, asyncio.IncompleteReadError):
            return
        except asyncio.CancelledError:
            if self._server is None:
                raise
            return  # switched off: nobody waits for the end of a connection that came in
        finally:
            if self._writer is writer:
                self._writer = None
            writer.close()
            if task is not None and self._server is not None:
                self._tasks.discard(task)
