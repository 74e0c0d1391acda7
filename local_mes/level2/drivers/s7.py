"""Siemens S7: data blocks of a control, read in rounds. The optional extra `s7` brings the library.

The protocol knows no sign-in worth the name: who reaches the control's port can read and write it. Keep it in a
network of its own, and open the data blocks that are meant and no others (in TIA: not optimised, PUT/GET permitted).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from msgspec import Meta

from local_mes.level2.drivers.polled import PolledDriver, PolledSettings, PolledSignal
from local_mes.level2.drivers.port import bad_link

if TYPE_CHECKING:
    from snap7.client import Client

    from local_mes.level2.links import Link

T = TypeVar("T")
_SOURCE = re.compile(r"DB(\d{1,5})\.DB([XBWD])(\d{1,5})(?:\.([0-7]))?")


class S7Settings(PolledSettings, frozen=True, kw_only=True):
    """Where the control sits: rack 0 and slot 1 for S7-1200 and 1500, slot 2 for S7-300."""

    rack: Annotated[int, Meta(ge=0, le=7)] = 0
    slot: Annotated[int, Meta(ge=0, le=31)] = 1


class S7Driver(PolledDriver):
    """Sources are `DB10.DBX0.3` (a bit), `DB10.DBB4`, `DB10.DBW4`, `DB10.DBD4`: the type says how many bytes are read."""

    Settings = S7Settings
    _client: Client

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """The same, and the library."""
        super().check(link, folder)
        try:
            import snap7  # noqa: F401
        except ImportError as error:
            raise bad_link(link.code, "S7 needs the extra `s7` (pip install 'strandline[s7]')") from error

    @classmethod
    def parse(cls, signal: PolledSignal) -> tuple[int, int, int]:
        """Data block, byte, bit."""
        hit = _SOURCE.fullmatch(signal.source)
        if hit is None:
            raise ValueError(f"{signal.source!r} is no `DB10.DBX0.3`, `DB10.DBB4`, `DB10.DBW4` or `DB10.DBD4`")
        if (hit[2] == "X") != (signal.type == "bool") or (hit[4] is None) != (signal.type != "bool"):
            raise ValueError(f"{signal.source} cannot be of type {signal.type}")
        return int(hit[1]), int(hit[3]), int(hit[4] or 0)

    async def connect(self) -> None:
        """Open the connection."""
        from snap7.client import Client

        host, _, port = self.desk.link.address.rpartition(":")
        self._client = Client()
        await self._ask(lambda: self._client.connect(host, self.settings.rack, self.settings.slot, int(port)))

    async def close(self) -> None:
        """End it."""
        await asyncio.to_thread(self._client.disconnect)

    async def fetch(self, signal: PolledSignal) -> bytes:
        """Its bytes; a bit as one byte."""
        block, at, bit = self.parse(signal)
        raw = bytes(await self._ask(lambda: self._client.db_read(block, at, signal.size)))
        return bytes([raw[0] >> bit & 1]) if signal.type == "bool" else raw

    async def store(self, signal: PolledSignal, raw: bytes) -> None:
        """Write; a bit by reading its byte first, so the control must not write the other bits of it meanwhile."""
        block, at, bit = self.parse(signal)
        if signal.type == "bool":
            old = (await self._ask(lambda: self._client.db_read(block, at, 1)))[0]
            raw = bytes([old | 1 << bit if raw[0] else old & ~(1 << bit)])
        await self._ask(lambda: self._client.db_write(block, at, bytearray(raw)))

    async def _ask(self, what: Callable[[], T]) -> T:
        """The library is synchronous; what it says of the connection ends the session, what it says of a place does not."""
        from snap7.error import S7ConnectionError, S7Error, S7TimeoutError

        try:
            return await asyncio.to_thread(what)
        except (S7ConnectionError, S7TimeoutError) as error:
            raise ConnectionError(f"The control does not answer: {error}.") from error
        except S7Error as error:
            raise ValueError(f"the control refuses it: {error}") from error
