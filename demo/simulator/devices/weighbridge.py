"""A weighbridge's terminal: says each weighing again until it hears that it is kept."""

from __future__ import annotations

import asyncio
import contextlib

from demo.simulator.devices.socket_end import Device

AGAIN_S = 0.3


class WeighbridgeTerminal(Device):
    """Lines `W;<ticket>;<vehicle>;<kg>;<local time>`; the answer is `A;<ticket>`."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.open: list[str] = []
        self.said = 0

    def weigh(self, ticket: str, vehicle: str, kg: int, time: str) -> None:
        """A vehicle is on it."""
        self.open.append(f"W;{ticket};{vehicle};{kg};{time}")

    async def speak(self, reader: asyncio.StreamReader) -> None:
        while not reader.at_eof():
            if self.open:
                self.said += 1
                self.put(f"{self.open[0]}\r\n".encode())
            with contextlib.suppress(TimeoutError):
                line = await asyncio.wait_for(reader.readline(), AGAIN_S if self.open else EVERY_S)
                self._hear(line.decode().strip())

    def _hear(self, line: str) -> None:
        self.heard.append(line)
        if self.open and line == f"A;{self.open[0].split(';')[1]}":
            self.open.pop(0)


EVERY_S = 0.05
"""How soon it looks for a new weighing."""
