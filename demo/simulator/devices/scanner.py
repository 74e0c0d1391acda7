"""A hand scanner behind a serial converter: each pull of the trigger is a line, with its AIM prefix."""

from __future__ import annotations

import asyncio

from demo.simulator.devices.socket_end import Device


class HandScanner(Device):
    """beeps: what the host answered, ACK or NAK."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.beeps: list[bytes] = []

    def scan(self, code: str, prefix: str = "]C0", end: str = "\r\n") -> None:
        """Pull the trigger."""
        self.put(f"{prefix}{code}{end}".encode())

    async def speak(self, reader: asyncio.StreamReader) -> None:
        while answer := await reader.read(1):
            self.beeps.append(answer)
