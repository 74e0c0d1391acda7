"""A laboratory analyser on ASTM E1381/E1394: asks, sends frame by frame, begins again when it is not understood."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from demo.simulator.devices.socket_end import Device

STX, ETX, EOT, ENQ, ACK, ETB = b"\x02", b"\x03", b"\x04", b"\x05", b"\x06", b"\x17"
ANSWER_S = 15.0
LOOK_S = 0.02
TRIES = 6


def checksum(content: bytes) -> bytes:
    """The sum modulo 256, from the frame's number through ETX or ETB."""
    return b"%02X" % (sum(content) & 0xFF)


class Spectrometer(Device):
    """Sends what lies in `waiting`; spoil: how many frames leave with a wrong checksum."""

    def __init__(self, port: int = 0, name: str = "OES-1") -> None:
        super().__init__(port)
        self.name = name
        self.waiting: list[list[str]] = []
        self.spoil = 0
        self.answers: list[bytes] = []
        self.frame_text = 240

    def result(
        self,
        sample: str,
        burns: Sequence[Mapping[str, str]],
        *,
        heat: str = "",
        place: str = "",
        time: str = "20260311061500",
        unit: str = "%",
        rejected: Sequence[int] = (),
        mean: Mapping[str, str] | None = None,
    ) -> None:
        """A sample is analysed: burns are element -> value as printed; mean as the analyser reckons it, if it does."""
        records = [f"H|\\^&|||{self.name}|||||||P|E1394-97|{time}", "P|1", f"O|1|{sample}||^^^{heat}^{place}|R"]
        parts = [*enumerate(burns, start=1), *([(0, mean)] if mean else [])]
        for number, values in parts:
            for element, value in values.items():
                flag = "X" if number in rejected else "N"
                at = len(records) - 2
                records.append(f"R|{at}|^^^{element}^{number}|{value}|{unit}||{flag}||F")
        self.waiting.append([*records, "L|1|N"])

    async def speak(self, reader: asyncio.StreamReader) -> None:
        while not reader.at_eof():
            if not self.waiting:
                await asyncio.sleep(LOOK_S)
            elif await self._message(reader, self.waiting[0]):
                self.waiting.pop(0)

    async def _message(self, reader: asyncio.StreamReader, records: list[str]) -> bool:
        """Whether every frame was acknowledged."""
        self.put(ENQ)
        if await self._answer(reader) != ACK:
            return False
        number = 1
        for record in records:
            text = record.encode("latin-1") + b"\r"
            for at in range(0, len(text), self.frame_text):
                part = text[at : at + self.frame_text]
                if not await self._frame(reader, number, part, last=at + self.frame_text >= len(text)):
                    self.put(EOT)
                    return False
                number = (number + 1) % 8
        self.put(EOT)
        return True

    async def _frame(self, reader: asyncio.StreamReader, number: int, text: bytes, *, last: bool) -> bool:
        body = b"%d" % number + text + (ETX if last else ETB)
        for _ in range(TRIES):
            spoilt, self.spoil = self.spoil > 0, max(0, self.spoil - 1)
            self.put(STX + body + (b"ZZ" if spoilt else checksum(body)) + b"\r\n")
            if await self._answer(reader) == ACK:
                return True
        return False

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        answer = await asyncio.wait_for(reader.readexactly(1), ANSWER_S)
        self.answers.append(answer)
        return answer
