"""The driver of OPC UA links. Light: the library, a third of what the collector loads, comes with the first session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Answer, Driver
from local_mes.level2.opcua.settings import OpcuaSettings, check_settings, opcua_settings

if TYPE_CHECKING:
    from local_mes.level2.down import Down
    from local_mes.level2.links import Link
    from local_mes.level2.opcua.session import Session


class OpcuaDriver(Driver):
    """Ring, signals and events of one server; method calls and writes the other way."""

    Settings = OpcuaSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._settings = opcua_settings(desk.link)
        self._session: Session | None = None

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """Names, files, and no password in the clear."""
        check_settings(link, folder)

    @classmethod
    def shadow(cls, link: Link) -> type[Driver] | None:
        """Signals and events are only read; a ring is acknowledged by writing."""
        return None if opcua_settings(link).has_ring else cls

    async def session(self) -> None:
        """One connection to the server, from its first byte to its end."""
        from local_mes.level2.opcua.session import Session

        self._session = Session(self.desk, self._settings)
        await self._session.run()

    async def send(self, order: Down) -> Answer:
        """A write where the settings name it, else a method call."""
        if self._session is None:
            raise ConnectionError("The server is not connected.")
        return await self._session.send(order)
