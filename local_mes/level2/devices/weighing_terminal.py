"""A weighing terminal on its connection: readings one after the other, answers to commands."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from local_mes.level2.devices.tcp import Wire
from local_mes.level2.devices.weighing import TOLEDO_BYTES, Reading, read_sics, read_sics_tare, read_toledo

ERRORS = ("ES", "ET", "EL")
"""SICS: the terminal did not understand, or cannot."""


class Terminal(ABC):
    """refuse: counts what is no reading. silent_s: after so long without a word the connection is given up."""

    def __init__(self, wire: Wire, silent_s: float, refuse: Callable[[str], None]) -> None:
        self._wire, self._silent_s, self._refuse = wire, silent_s, refuse

    async def next(self) -> tuple[Reading, bytes]:
        """The next reading and its bytes; what is none is passed over."""
        while True:
            raw = await self.hear()
            try:
                return self.read(raw), raw
            except (ValueError, UnicodeDecodeError) as error:
                self._refuse(f"Not a reading: {error}.")

    @abstractmethod
    async def hear(self) -> bytes:
        """The bytes of one reading."""

    @abstractmethod
    def read(self, raw: bytes) -> Reading:
        """What they say; ValueError when nothing."""

    @abstractmethod
    async def identify(self, serial: str) -> None:
        """ConnectionError when the terminal is another one; an empty serial is any."""

    @abstractmethod
    async def command(self, command: str) -> str:
        """Its answer to a command."""


class ToledoTerminal(Terminal):
    """Continuous output; it hears nothing."""

    def __init__(self, wire: Wire, silent_s: float, refuse: Callable[[str], None], *, checksum: bool) -> None:
        super().__init__(wire, silent_s, refuse)
        self._checksum = checksum

    async def hear(self) -> bytes:
        """From STX to CR and checksum; what stands before it is the end of something else."""
        while await self._wire.byte(self._silent_s) != b"\x02":
            continue
        rest = TOLEDO_BYTES - 1 + self._checksum
        return b"\x02" + b"".join([await self._wire.byte(self._silent_s) for _ in range(rest)])

    def read(self, raw: bytes) -> Reading:
        """A frame."""
        return read_toledo(raw[:TOLEDO_BYTES], raw[TOLEDO_BYTES] if self._checksum else None)

    async def identify(self, serial: str) -> None:
        """It cannot be asked."""

    async def command(self, command: str) -> str:
        """It takes none; ValueError."""
        raise ValueError("a terminal with continuous output takes no commands")


class SicsTerminal(Terminal):
    """Asked for weight and tare every poll_s; other answers belong to commands."""

    def __init__(self, wire: Wire, silent_s: float, refuse: Callable[[str], None], poll_s: float) -> None:
        super().__init__(wire, silent_s, refuse)
        self._poll_s = poll_s
        self._tares = True
        self._replies: asyncio.Queue[str] = asyncio.Queue()

    async def identify(self, serial: str) -> None:
        """`I4` is the serial number."""
        if not serial:
            return
        await self._wire.send(b"I4\r\n")
        said = (await self._wire.take(within_s=self._silent_s)).decode("ascii", "replace")
        if f'"{serial}"' not in said:
            raise ConnectionError(f"The terminal says {said!r}, the certificate is of {serial}.")

    async def hear(self) -> bytes:
        """Weight, and tare behind a line's end; a terminal without tare is asked for it once."""
        await asyncio.sleep(self._poll_s)
        weight = await self._ask("SI", "S")
        if not self._tares or weight.split()[1:2] not in (["S"], ["D"]):
            return weight.encode()
        tare = await self._ask("TA", "TA")
        self._tares = tare.startswith("TA")
        return f"{weight}\n{tare}".encode()

    def read(self, raw: bytes) -> Reading:
        """Both lines."""
        weight, _, tare = raw.decode("ascii").partition("\n")
        return read_sics(weight, (read_sics_tare(tare) or 0) if tare else 0)

    async def command(self, command: str) -> str:
        """`Z`, `T`, `TAC`; the answer comes in between those to our own questions."""
        while not self._replies.empty():
            self._replies.get_nowait()
        await self._wire.send(f"{command}\r\n".encode())
        return await asyncio.wait_for(self._replies.get(), self._silent_s)

    async def _ask(self, command: str, answers: str) -> str:
        await self._wire.send(f"{command}\r\n".encode())
        while True:
            said = (await self._wire.take(within_s=self._silent_s)).decode("ascii", "replace").strip()
            if said.split()[:1] == [answers] or said in ERRORS:
                return said
            self._replies.put_nowait(said)
