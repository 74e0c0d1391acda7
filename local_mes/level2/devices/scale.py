"""Scales: the weight as it stands, and weighings.

A weighing is a stable reading that somebody or something asked for: an order (`asked`), a load that came to rest
(`settles`), the terminal's print key (`printed`). Moving, overloaded and underloaded readings are never one. That a
load was weighed is kept on disk beside its message: a collector that is killed and started again does not weigh the
coil twice that still lies there.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from local_mes.level2.devices.tcp import DeviceDriver, host_and_port, job_number
from local_mes.level2.devices.weighing import MOVING, OVERLOAD, STABLE, UNDERLOAD, Reading, WeighingSettings
from local_mes.level2.devices.weighing_terminal import SicsTerminal, ToledoTerminal
from local_mes.level2.drivers.port import Answer, Driver, Heard, bad_link, read_settings
from local_mes.level2.drivers.signal_state import GOOD, NO_DATA, UNCERTAIN, SignalBoard

if TYPE_CHECKING:
    from local_mes.level2.down import Down
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link

SHOW_S = 0.5
"""The weight on screen is written at most so often: a terminal says it twenty times a second."""
FRESH_S = 10.0
"""A weight that stays is said again after so long: its time tells that it still stands."""
WORDS = {
    MOVING: "the load moves",
    OVERLOAD: "overloaded",
    UNDERLOAD: "underloaded",
    "not_ready": "not ready (zero not taken, or the display is expanded)",
}
COMMANDS = {"Zero": "Z", "Tare": "T", "ClearTare": "TAC"}


class ScaleSettings(WeighingSettings, frozen=True, kw_only=True):
    """`[link.settings]` of a scale.

    protocol   `sics` is asked every poll_ms; `toledo` speaks by itself, with a checksum or without
    when       what makes a weighing beside an order: nothing (`asked`), a load at rest (`settles`), the print key
    least_kg   less is no load: between two loads the scale must have gone below it
    stable_s   how long an order waits for the load to come to rest; silent_s: no data after so long
    serial     what `I4` must answer: the terminal that the certificate is of, not the one that took its place
    line       the unit whose product is weighed here: its step is balanced with this mass
    """

    protocol: Literal["sics", "toledo"]
    when: Literal["asked", "settles", "printed"] = "asked"
    least_kg: Annotated[float, Meta(gt=0)] = 50
    poll_ms: Annotated[int, Meta(ge=20, le=60_000)] = 500
    stable_s: Annotated[float, Meta(gt=0, le=120)] = 20
    silent_s: Annotated[float, Meta(gt=0, le=600)] = 5
    checksum: bool = True
    serial: str = ""
    line: str = ""


class ScaleDriver(DeviceDriver):
    """One weighing terminal."""

    Settings = ScaleSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        s = self.settings
        self._sources = {"weight": s.scale, "load": f"weighed; {s.least_kg:g} kg and more"}
        self._shown_s = 0.0
        self._resting: asyncio.Future[tuple[Reading, bytes]] | None = None
        self._terminal: SicsTerminal | ToledoTerminal | None = None

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """What goes together."""
        s = read_settings(link, ScaleSettings)
        host_and_port(link)
        if s.when == "printed" and s.protocol != "toledo":
            raise bad_link(link.code, "only `toledo` tells that the print key was pressed")
        if s.serial and s.protocol != "sics":
            raise bad_link(link.code, "only `sics` can be asked for its `serial`")
        if s.least_kg >= s.capacity_kg:
            raise bad_link(link.code, "`least_kg` is not below `capacity_kg`")

    @classmethod
    def shadow(cls, link: Link) -> type[Driver] | None:
        """A terminal that speaks by itself is only listened to; one that must be asked may have one asker."""
        return cls if read_settings(link, ScaleSettings).protocol == "toledo" else None

    async def session(self) -> None:
        """Read the weight for ever."""
        async with self.wire() as wire:
            self._board = SignalBoard(self.desk, self._sources)  # as the disk has it: what was not committed was not
            self._weighed = self._board.states["load"].value == "true"
            self._last = self._shown = Reading("")
            s, refuse = self.settings, self.desk.state.refuse
            if s.protocol == "sics":
                terminal: SicsTerminal | ToledoTerminal = SicsTerminal(wire, s.silent_s, refuse, s.poll_ms / 1000)
            else:
                terminal = ToledoTerminal(wire, s.silent_s, refuse, checksum=s.checksum)
            await terminal.identify(s.serial)
            self._terminal = terminal
            await self._board.begin()
            self.desk.connected(wire.peer)
            await self.desk.write(self._board.told("load", GOOD, value=self._weighed))
            try:
                while True:
                    await self._see(*await terminal.next())
            finally:
                self._terminal = None
                await self._board.all_lost("The connection is gone.")

    async def _see(self, reading: Reading, raw: bytes) -> None:
        reading = self._within(reading)
        await self._show(reading)
        if self._resting is not None and not self._resting.done() and reading.state != MOVING:
            self._resting.set_result((reading, raw))
        await self._weigh_by_itself(reading, raw)
        self._last = reading

    def _within(self, reading: Reading) -> Reading:
        """A terminal without a limit of its own is overloaded above what its certificate says."""
        over = reading.mass_g is not None and reading.gross_g > self.settings.capacity_kg * 1000
        return Reading(OVERLOAD) if over else reading

    async def _weigh_by_itself(self, reading: Reading, raw: bytes) -> None:
        s = self.settings
        loaded = reading.mass_g is not None and reading.mass_g >= s.least_kg * 1000
        resting = loaded and reading.state == STABLE
        if s.when == "printed" and resting and reading.asked and not self._last.asked:
            await self.desk.keep(self._heard(reading, "printed", raw))
        if s.when == "settles" and resting and not self._weighed and reading == self._last:
            self._weighed = True
            taken = self._board.told("load", GOOD, value=True)
            await self.desk.keep_beside([self._heard(reading, "settles", raw)], taken)
        elif self._weighed and reading.mass_g is not None and not loaded:
            self._weighed = False
            await self.desk.write(self._board.told("load", GOOD, value=False))

    def _heard(self, reading: Reading, how: str, raw: bytes, order: Down | None = None) -> Heard:
        s, asked = self.settings, order.fields if order else {}
        fields: dict[str, Any] = {
            "piece": str(asked.get("piece", "")),
            "mass_g": reading.mass_g,
            "gross_g": reading.gross_g,
            "tare_g": reading.tare_g,
            "basis": "net" if reading.net else "gross",
            "scale": s.scale,
            "calibrated_until": s.calibrated_until.isoformat(),
            "line": s.line,
            "how": how,
            "test": bool(asked.get("test")),
        }
        return Heard(self.event("Weighed"), fields, raw, sequence=job_number(order.key) if order else None)

    async def _show(self, reading: Reading) -> None:
        """The weight as it stands, with the time it was so."""
        since_s = monotonic() - self._shown_s
        if since_s < FRESH_S and (reading == self._shown or (reading.state == self._shown.state and since_s < SHOW_S)):
            return
        self._shown, self._shown_s = reading, monotonic()
        if reading.mass_g is None:
            job = self._board.told("weight", NO_DATA, WORDS.get(reading.state, reading.state))
        else:
            basis = "net" if reading.net else "gross"
            value = {"mass_g": reading.mass_g, "tare_g": reading.tare_g, "basis": basis}
            value["at_ms"] = self.desk.clock.now_ms()
            state = GOOD if reading.state == STABLE else UNCERTAIN
            job = self._board.told("weight", state, "" if state == GOOD else WORDS[reading.state], value)
        await self.desk.write(job)

    async def send(self, order: Down) -> Answer:
        """`Weigh` {piece}: the next reading at rest; `Zero`, `Tare`, `ClearTare` of a SICS terminal."""
        if (stopped := await self.withdrawn(order)) is not None:
            return stopped
        if order.message in COMMANDS:
            return await self._command(COMMANDS[order.message])
        if order.message != "Weigh":
            return Answer(False, f"this scale knows no {order.message}")
        if (told := await self.told_before(order, "Weighed")) is not None:
            return Answer(True, f"{told['mass_g'] / 1000:,.1f} kg {told['basis']}")
        self._resting = asyncio.get_running_loop().create_future()
        try:
            reading, raw = await asyncio.wait_for(self._resting, self.settings.stable_s)
        except TimeoutError:
            return Answer(False, f"the load did not come to rest within {self.settings.stable_s:g} s")
        finally:
            self._resting = None
        return await self._weigh(reading, raw, order)

    async def _weigh(self, reading: Reading, raw: bytes, order: Down) -> Answer:
        if reading.state != STABLE or reading.mass_g is None:
            return Answer(False, f"no weight: {WORDS.get(reading.state, reading.state)}")
        if reading.mass_g < self.settings.least_kg * 1000 and not order.fields.get("test"):
            return Answer(False, f"nothing is on the scale: it shows {reading.mass_g / 1000:,.1f} kg")
        await self.desk.keep(self._heard(reading, "asked", raw, order))
        return Answer(True, f"{reading.mass_g / 1000:,.1f} kg {'net' if reading.net else 'gross'}")

    async def _command(self, command: str) -> Answer:
        if self._terminal is None:
            raise ConnectionError("The terminal is not connected.")
        said = await self._terminal.command(command)
        words = said.split()
        return Answer(len(words) > 1 and words[1] in ("A", "S"), f"the terminal says {said}")
