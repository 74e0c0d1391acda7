"""Hand scanner: what it reads names a piece, by any of its numbers.

On a line of its own (TCP, or serial behind a converter) each scan ends with CR or LF and is answered, where wanted,
when it is on disk: the beep then says that the plant knows. A scanner that is a keyboard types into the page `Scan`.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from local_mes.level2.devices.scan import FIXED, OWN, SYMBOLOGIES, VARIABLE, Scan, read_scan
from local_mes.level2.devices.tcp import DeviceDriver, DeviceSettings, host_and_port
from local_mes.level2.drivers.port import Driver, Heard, bad_link, read_settings

if TYPE_CHECKING:
    from local_mes.level2.links import Link

ACK, NAK = b"\x06", b"\x15"


class ScannerSettings(DeviceSettings, frozen=True, kw_only=True):
    """`[link.settings]` of a hand scanner.

    by           `line`: a connection; `keyboard`: it types into the page, the address stays empty
    place        where a piece is that was scanned here; empty: a scan moves nothing
    symbologies  what counts; empty: all
    number_from  GS1: the identifier that names the piece, the first that is there
    pattern      other codes: the number in the group `number`
    repeat_s     the same code within this time is the same pull of the trigger
    acknowledge  answer ACK or NAK, for scanners that wait for their host
    """

    by: Literal["line", "keyboard"] = "line"
    place: str = ""
    symbologies: tuple[str, ...] = ()
    number_from: tuple[str, ...] = ("21", "250", "10", "8004", "91")
    pattern: str = r"(?P<number>.+)"
    repeat_s: Annotated[float, Meta(ge=0, le=60)] = 1
    acknowledge: bool = False


class ScannerDriver(DeviceDriver):
    """One scanner."""

    Settings = ScannerSettings

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """A pattern that finds a number, names that exist."""
        s = read_settings(link, ScannerSettings)
        if s.by == "line":
            host_and_port(link)
        try:
            if "number" not in re.compile(s.pattern).groupindex:
                raise bad_link(link.code, "`pattern` has no group `number`")
        except re.error as error:
            raise bad_link(link.code, f"`pattern` is none: {error}") from error
        for name in s.symbologies:
            if name not in SYMBOLOGIES.values():
                raise bad_link(link.code, f"`symbologies` names {name!r}, which is none")
        for name in s.number_from:
            if name not in {**FIXED, **VARIABLE, **dict.fromkeys(OWN)}:
                raise bad_link(link.code, f"`number_from` names {name!r}, which is no identifier that is known")

    @classmethod
    def shadow(cls, link: Link) -> type[Driver] | None:
        """A scanner that wants no answer is only listened to."""
        return None if read_settings(link, ScannerSettings).acknowledge else cls

    async def open(self) -> None:
        """A keyboard takes no port."""
        if self.settings.by == "line":
            await super().open()

    async def session(self) -> None:
        """Hear scans; silence between them is in order."""
        if self.settings.by == "keyboard":
            self.desk.connected("types into the page Scan")
            await asyncio.Event().wait()
        async with self.wire() as wire:
            self.desk.connected(wire.peer)
            before, before_s = b"", 0.0
            while True:
                said = await wire.take()
                again = said == before and monotonic() - before_s < self.settings.repeat_s
                before, before_s = said, monotonic()
                heard = as_heard(self.event("Scanned"), self.settings, said.decode("utf-8", "replace"))
                if again:
                    self.desk.state.repeated += 1
                else:
                    await self.desk.keep(heard)
                if self.settings.acknowledge:
                    await wire.send(NAK if heard.problem else ACK)


def as_heard(message: str, settings: ScannerSettings, said: str) -> Heard:
    """A scan as a message; what cannot be used goes to repair with the reason."""
    scan = check_scan(settings, said)
    fields: dict[str, Any] = {
        "code": scan.text,
        "symbology": scan.symbology,
        "number": scan.number,
        "content": scan.content,
        "place": settings.place,
    }
    problem = f"The code {scan.text[:64]!r} ({scan.symbology}) names no piece: {scan.wrong}." if scan.wrong else ""
    return Heard(message, fields, said.encode(), problem=problem)


def check_scan(settings: ScannerSettings, said: str) -> Scan:
    """A scan with the link's own rules applied."""
    scan = read_scan(said, settings.number_from, settings.pattern)
    if settings.symbologies and scan.symbology not in settings.symbologies and not scan.wrong:
        return Scan(scan.text, scan.symbology, "", scan.content, f"only {', '.join(settings.symbologies)} count here")
    return scan
