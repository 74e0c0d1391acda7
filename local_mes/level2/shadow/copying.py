"""What a tee has still to hand over for one line: bounded, never waited for by those who talk.

Records stay until what listens says that they are on its disk, and are sent again after a reconnect: it may die at any
moment and nothing is lost that the buffer can hold. What it cannot hold is counted and told as a gap at its place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic

from local_mes.level2.shadow import tap
from shared import logs

RETRY_S = 1.0
CONNECT_S = 5.0
BURST = 64
"""Records in one write: bounds what lies in the socket beside the buffer."""
log = logs.get("tee")


class Copying:
    """The way from a tee to a shadow link."""

    def __init__(self, name: str, host: str, port: int, bytes_max: int) -> None:
        self.name = name
        self.dropped_bytes = 0
        self.gaps = 0
        self._at = (host, port)
        self._bytes_max = bytes_max
        self._held: deque[tuple[tap.Record, float]] = deque()
        self._held_bytes = 0
        self._unsent = 0
        self._missing = 0
        self._wake = asyncio.Event()

    @property
    def held_bytes(self) -> int:
        """Bytes that wait for their confirmation."""
        return self._held_bytes

    def offer(self, kind: int, connection: int, payload: bytes = b"") -> None:
        """Take a copy if there is room. Never waits, never fails: the line goes first."""
        record = tap.Record(kind, connection, payload)
        if self._held_bytes + record.bytes > self._bytes_max:
            if not self._missing:
                self.gaps += 1
                log.warning("no room for the copy", link=self.name, held_bytes=self._held_bytes)
            self._missing += len(payload)
            self.dropped_bytes += len(payload)
            return
        if self._missing:
            # at its place in the stream: what follows begins somewhere in a telegram
            gap, self._missing = tap.lost(0, self._missing, "the tee's buffer was full"), 0
            self._hold(gap)
        self._hold(record)

    def _hold(self, record: tap.Record) -> None:
        self._held.append((record, monotonic()))
        self._held_bytes += record.bytes
        self._unsent += 1
        self._wake.set()

    async def run(self) -> None:
        """Hand over until cancelled; what listens may come and go."""
        told = False
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    reader, writer = await asyncio.open_connection(*self._at)
                told = False
                log.info("copy goes to the shadow link", link=self.name)
                await self._serve(reader, writer)
            except (OSError, TimeoutError) as error:
                if not told:
                    told = True
                    log.warning("the shadow link does not take the copy", link=self.name, why=str(error)[:200])
            await asyncio.sleep(RETRY_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._unsent = len(self._held)
        confirm = asyncio.create_task(self._hear(reader))
        send = asyncio.create_task(self._send(writer))
        try:
            await asyncio.wait((confirm, send), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (confirm, send):
                task.cancel()
            await asyncio.gather(confirm, send, return_exceptions=True)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        writer.write(tap.MAGIC)
        while True:
            self._wake.clear()
            now, first = monotonic(), len(self._held) - self._unsent
            burst = [self._held[at] for at in range(first, min(first + BURST, len(self._held)))]
            if not burst:
                await self._wake.wait()
                continue
            writer.write(b"".join(tap.encode(record, round((now - since) * 1000)) for record, since in burst))
            self._unsent -= len(burst)
            await writer.drain()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        """Confirmations count from the begin of this connection: forget what is on the other disk."""
        forgotten = 0
        with suppress(asyncio.IncompleteReadError):
            while True:
                upto = tap.read_count(await reader.readexactly(tap.COUNT_BYTES))
                while forgotten < upto and len(self._held) > self._unsent:
                    record, _ = self._held.popleft()
                    self._held_bytes -= record.bytes
                    forgotten += 1
