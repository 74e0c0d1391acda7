"""A label printer that speaks ZPL II on port 9100: prints, counts, stops without paper, answers ~HS and getvar."""

from __future__ import annotations

import asyncio
import re
from collections import deque

from demo.simulator.devices.socket_end import Device

LABEL_S = 0.02
"""How long a label takes."""
_COMMANDS = re.compile(rb'~HS|! U1 getvar "([^"]*)"\r?\n|\^XA.*?\^XZ', re.DOTALL)


class LabelPrinter(Device):
    """paper: labels left on the roll. swallows: labels vanish, as when another language is set.

    mute: it answers no status while it cannot print, as several models do.
    """

    def __init__(self, port: int = 0, paper: int = 1_000) -> None:
        super().__init__(port)
        self.paper, self.paused, self.head_open, self.mute = paper, False, False, False
        self.counts, self.swallows = True, False
        self.count = 4_711
        self.labels: list[str] = []
        self._formats: deque[str] = deque()
        self._remaining = 0

    async def listen(self) -> None:
        """Open the port and let the motor run."""
        await super().listen()
        self._tasks.add(asyncio.create_task(self._print()))

    def switch_off(self) -> None:
        """Power gone: what was in the buffer is forgotten."""
        self._formats.clear()
        self._remaining = 0
        self.hang_up()

    @property
    def stopped(self) -> bool:
        """Whether it can print now."""
        return self.paper == 0 or self.paused or self.head_open

    async def _print(self) -> None:
        while True:
            await asyncio.sleep(LABEL_S)
            if self.stopped:
                continue
            if not self._remaining and self._formats:
                self._remaining = _copies(self._formats[0])
            if self._remaining:
                self.labels.append(self._formats[0])
                self.paper, self.count, self._remaining = self.paper - 1, self.count + 1, self._remaining - 1
                if not self._remaining:
                    self._formats.popleft()

    async def speak(self, reader: asyncio.StreamReader) -> None:
        held = b""
        while content := await reader.read(4096):
            held += content
            while (hit := _COMMANDS.search(held)) is not None:
                held = held[hit.end() :]
                self._take(hit)

    def _take(self, hit: re.Match[bytes]) -> None:
        command = hit[0].decode()
        self.heard.append(command)
        if command.startswith("^XA"):
            self._formats.extend([] if self.swallows else [command])
        elif self.mute and self.stopped:
            return
        elif command == "~HS":
            self.put(self._status())
        elif self.counts:
            self.put(f'"{self.count}"'.encode())

    def _status(self) -> bytes:
        waiting = max(0, len(self._formats) - (1 if self._remaining else 0))
        paper, paused, head = int(self.paper == 0), int(self.paused), int(self.head_open)
        lines = (
            f"030,{paper},{paused},0480,{waiting:03d},0,0,0,000,0,0,0",
            f"000,0,{head},0,1,2,6,0,{self._remaining:08d},1,000",
            "1234,0",
        )
        return b"".join(b"\x02" + line.encode() + b"\x03\r\n" for line in lines)


def _copies(label: str) -> int:
    hit = re.search(r"\^PQ(\d+)", label)
    return int(hit[1]) if hit else 1
