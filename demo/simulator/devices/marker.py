"""A marking machine: paints what it is told, reads it back, tells the outcome until it hears that it is known."""

from __future__ import annotations

import asyncio
import contextlib

from demo.simulator.devices.socket_end import Device

AGAIN_S = 0.3


class MarkingMachine(Device):
    """misread: what its camera reads instead; fails: why a job fails; blocked: it takes jobs and does not end them."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.painted: list[str] = []
        self.jobs: dict[str, str] = {}
        self.misread: str = ""
        self.fails: str = ""
        self.refuses: str = ""
        self.blocked = False
        self._untold: set[str] = set()
        self._texts: dict[str, str] = {}

    async def speak(self, reader: asyncio.StreamReader) -> None:
        while not reader.at_eof():
            self._work()
            for job in sorted(self._untold):
                self.put(f"{self.jobs[job]}\r\n".encode())
            with contextlib.suppress(TimeoutError):
                line = await asyncio.wait_for(reader.readline(), AGAIN_S)
                self._hear(line.decode().strip())

    def _hear(self, line: str) -> None:
        if not line:
            return
        self.heard.append(line)
        kind, job, *text = line.split(";")
        if kind == "OK":
            self._untold.discard(job)
        elif kind == "ASK":
            known = "BUSY" if job in self._texts else "NONE"
            self.put(f"{self.jobs.get(job) or f'{known};{job}'}\r\n".encode())
        elif self.refuses:
            self.put(f"NAK;{job};{self.refuses}\r\n".encode())
        else:
            self.put(f"ACK;{job}\r\n".encode())
            self._texts[job] = text[0]
            self._work()

    def _work(self) -> None:
        """Do what was taken."""
        for job in [] if self.blocked else sorted(self._texts):
            text = self._texts.pop(job)
            if not self.fails:
                self.painted.append(text)
            self.jobs[job] = f"FAIL;{job};{self.fails}" if self.fails else f"DONE;{job};{self.misread or text}"
            self._untold.add(job)
