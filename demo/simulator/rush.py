"""The other end of a telegram link as quick as it can be: for timings, where what the peer costs must not be measured.

The telegrams are made beforehand, as any other of the simulator; sent are bare bytes over a real socket, and of what comes
back only the acknowledgements are counted. The window is what the interface allows a peer to have open.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from demo.simulator.layouts import ACKNOWLEDGE, Layouts, encode

AT_MS = 1_773_208_530_120
ID_AT = 5
"""Of an ASCII header: the length, then the message."""
CONNECT_S = 60.0


def make_telegrams(
    layouts: Layouts, message: str, fields: Mapping[str, Any], zone: ZoneInfo, peer: str, numbers: range
) -> list[bytes]:
    """One telegram a second of the peer's clock; its sequence goes round as the interface has it."""
    return [encode(layouts, message, fields, AT_MS + 1000 * n, zone, n % 9999 + 1, peer) for n in numbers]


def send_all(port: int, layouts: Layouts, telegrams: Sequence[bytes], window: int) -> float:
    """Have as many open all the time as the window allows; the seconds until all were acknowledged."""
    ends = [0]
    for one in telegrams:
        ends.append(ends[-1] + len(one))
    stream, answers = memoryview(b"".join(telegrams)), _Answers(layouts)
    acknowledged = sent = 0
    with socket.create_connection(("127.0.0.1", port)) as peer:
        begin = time.perf_counter()
        while acknowledged < len(telegrams):
            upto = min(len(telegrams), acknowledged + window)
            peer.sendall(stream[ends[sent] : ends[upto]])
            sent = upto
            acknowledged += answers.count(peer.recv(65_536))
        return time.perf_counter() - begin


async def send_paced(port: int, layouts: Layouts, telegrams: Sequence[bytes], per_s: float) -> list[float]:
    """Send at an even pace; how long each waited for its acknowledgement, in ms."""
    reader, writer = await _connect(port)
    sent: list[float] = []
    waits: list[float] = []

    async def listen() -> None:
        answers = _Answers(layouts)
        while len(waits) < len(telegrams):
            many = answers.count(await reader.read(65_536))
            now = time.perf_counter()
            waits.extend(1000 * (now - sent[len(waits)]) for _ in range(many))

    listening = asyncio.create_task(listen())
    begin = time.perf_counter()
    for n, telegram in enumerate(telegrams):
        await asyncio.sleep(begin + n / per_s - time.perf_counter())
        sent.append(time.perf_counter())
        writer.write(telegram)
    await listening
    writer.close()
    return waits


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(CONNECT_S):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)


class _Answers:
    """Counts acknowledgements in what an ASCII line says."""

    def __init__(self, layouts: Layouts) -> None:
        self._head = layouts.header_size
        self._rest = b""

    def count(self, data: bytes) -> int:
        """How many more there are; ConnectionError when the plant has closed the connection."""
        if not data:
            raise ConnectionError("the plant closed the connection")
        data, at, found = self._rest + data, 0, 0
        while len(data) - at >= self._head and len(data) - at >= (length := int(data[at : at + ID_AT])):
            found += data.startswith(ACKNOWLEDGE.encode(), at + ID_AT)
            at += length
        self._rest = data[at:]
        return found
