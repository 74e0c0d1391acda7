"""A weighing terminal: SICS when asked, or Toledo's continuous output twenty times a second."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from demo.simulator.devices.socket_end import Device

EVERY_S = 0.05


@dataclass
class Load:
    """What lies on it. moving, over: the terminal has no stable weight, or none at all."""

    kg: int = 0
    tare_kg: int = 0
    moving: bool = False
    over: bool = False
    printing: bool = False


class SicsScale(Device):
    """Answers S, SI, TA, T, TAC, Z and I4."""

    def __init__(self, port: int = 0, serial: str = "0815") -> None:
        super().__init__(port)
        self.serial, self.load = serial, Load()

    async def speak(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            command = line.decode("ascii", "replace").strip()
            self.heard.append(command)
            self.put(f"{self.answer(command)}\r\n".encode())

    def answer(self, command: str) -> str:
        """As the reference manual has it."""
        load = self.load
        if command in ("S", "SI"):
            if load.over:
                return "S +"
            return f"S {'D' if load.moving else 'S'} {load.kg - load.tare_kg:>10} kg"
        if command == "T":
            load.tare_kg = load.kg
            return f"T S {load.tare_kg:>10} kg"
        if command == "TAC":
            load.tare_kg = 0
            return "TAC A"
        answers = {"TA": f"TA A {load.tare_kg:>10} kg", "Z": "Z A", "I4": f'I4 A "{self.serial}"'}
        return answers.get(command, "ES")


class ToledoScale(Device):
    """Speaks by itself; `checksum` as the terminal is set."""

    def __init__(self, port: int = 0, *, checksum: bool = True) -> None:
        super().__init__(port)
        self.checksum, self.load = checksum, Load()

    async def speak(self, reader: asyncio.StreamReader) -> None:
        while not reader.at_eof():
            self.put(self.frame())
            await asyncio.sleep(EVERY_S)

    def frame(self) -> bytes:
        """Whole kilograms: status words A (decimal point 2 + build 1), B, C; weight, tare, CR, checksum."""
        load = self.load
        a = 0x20 | 0x08 | 0x02
        b = 0x20 | 0x10 | (0x01 if load.tare_kg else 0) | (0x04 if load.over else 0) | (0x08 if load.moving else 0)
        c = 0x20 | (0x08 if load.printing else 0)
        body = bytes([2, a, b, c]) + b"%6d%6d\r" % (load.kg - load.tare_kg, load.tare_kg)
        return body + (bytes([-sum(body) & 0x7F]) if self.checksum else b"")
