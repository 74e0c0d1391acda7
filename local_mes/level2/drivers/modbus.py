"""Modbus TCP: registers and coils of a device, read in rounds. The optional extra `modbus` brings the library."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from local_mes.level2.drivers.polled import PolledDriver, PolledSettings, PolledSignal
from local_mes.level2.drivers.port import bad_link

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

    from local_mes.level2.links import Link

TIMEOUT_S = 2.0
_SOURCE = re.compile(r"(holding|input|coil|discrete):(\d{1,5})")
_READERS = {
    "holding": "read_holding_registers",
    "input": "read_input_registers",
    "coil": "read_coils",
    "discrete": "read_discrete_inputs",
}


class ModbusSettings(PolledSettings, frozen=True, kw_only=True):
    """device: its number on the line; words: which half of a 32-bit value lies at the lower address."""

    device: Annotated[int, Meta(ge=0, le=255)] = 1
    words: Literal["high_first", "low_first"] = "high_first"


class ModbusDriver(PolledDriver):
    """Sources are `holding:100`, `input:100`, `coil:5`, `discrete:5`, counted from 0."""

    Settings = ModbusSettings
    _client: AsyncModbusTcpClient

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """The same, and the library."""
        super().check(link, folder)
        try:
            import pymodbus  # noqa: F401
        except ImportError as error:
            raise bad_link(link.code, "Modbus needs the extra `modbus` (pip install 'strandline[modbus]')") from error

    @classmethod
    def parse(cls, signal: PolledSignal) -> tuple[str, int]:
        """Kind of register and its number."""
        hit = _SOURCE.fullmatch(signal.source)
        if hit is None or int(hit[2]) > 0xFFFF:
            raise ValueError(f"{signal.source!r} is no `holding:100`, `input:100`, `coil:5` or `discrete:5`")
        if (hit[1] in ("coil", "discrete")) != (signal.type == "bool"):
            raise ValueError(f"{signal.source} cannot be of type {signal.type}")
        return hit[1], int(hit[2])

    async def connect(self) -> None:
        """Open the connection; the library's own reconnecting is off, the session does that."""
        from pymodbus.client import AsyncModbusTcpClient

        host, _, port = self.desk.link.address.rpartition(":")
        self._client = AsyncModbusTcpClient(host, port=int(port), reconnect_delay=0, timeout=TIMEOUT_S, retries=0)
        if not await self._client.connect():
            raise ConnectionError(f"{self.desk.link.address} does not answer.")

    async def close(self) -> None:
        """End it."""
        self._client.close()

    async def fetch(self, signal: PolledSignal) -> bytes:
        """One request for each signal: what a device refuses concerns that signal alone."""
        kind, number = self.parse(signal)
        words = (signal.size + 1) // 2
        count = 1 if signal.type == "bool" else words
        answer = await self._ask(_READERS[kind], number, count=count)
        if signal.type == "bool":
            return bytes([answer.bits[0]])
        return b"".join(word.to_bytes(2, "big") for word in self._ordered(signal, answer.registers))[: signal.size]

    async def store(self, signal: PolledSignal, raw: bytes) -> None:
        """Write a coil or registers."""
        kind, number = self.parse(signal)
        if kind == "coil":
            await self._ask("write_coil", number, bool(raw[0]))
        elif kind == "holding":
            raw += b"\0" * (len(raw) % 2)
            words = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
            await self._ask("write_registers", number, self._ordered(signal, words))
        else:
            raise ValueError("it can only be read")

    def _ordered(self, signal: PolledSignal, words: list[int]) -> list[int]:
        turned = self.settings.words == "low_first" and signal.type not in ("text", "string")
        return words[::-1] if turned else words

    async def _ask(self, what: str, *arguments: Any, **named: Any) -> Any:
        from pymodbus.exceptions import ModbusException

        try:
            answer = await getattr(self._client, what)(*arguments, device_id=self.settings.device, **named)
        except (TimeoutError, ModbusException) as error:
            raise ConnectionError(f"The device does not answer: {error}.") from error
        if answer.isError():
            raise ValueError(f"the device refuses it (code {getattr(answer, 'exception_code', '?')})")
        return answer
