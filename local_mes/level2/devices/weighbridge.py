"""Weighbridge: one line a weighing, with ticket and vehicle, acknowledged when it is on disk.

Which of a vehicle's two weighings is gross and which tare the two masses say, not the order: a load is fetched or
brought. The terminal says a line again until it hears `answer`; a line counts once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from local_mes.level2.devices.tcp import DeviceDriver, host_and_port
from local_mes.level2.devices.weighing import GRAMS, WeighingSettings, grams
from local_mes.level2.drivers.desk import number_of
from local_mes.level2.drivers.port import Driver, Heard, bad_link, read_settings

if TYPE_CHECKING:
    from local_mes.level2.links import Link

NEEDED = ("ticket", "vehicle", "mass")
KNOWN = (*NEEDED, "time", "unit", "shipment", "")


class WeighbridgeSettings(WeighingSettings, frozen=True, kw_only=True):
    """`[link.settings]` of a weighbridge.

    columns       what stands where in a line: ticket, vehicle, mass, and as there are time, unit, shipment; "" is
                  passed over
    starts        what a line begins with that is a weighing; others are no business of ours
    unit          of mass, where no column says it
    answer        sent when a weighing is on disk, `{ticket}` and `{vehicle}` filled in; empty: the terminal wants none
    tolerance_kg  how far the net mass may be off what the pieces of the load weigh together
    """

    columns: tuple[str, ...] = ("ticket", "vehicle", "mass", "time")
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ";"
    starts: str = ""
    unit: str = "kg"
    answer: str = ""
    tolerance_kg: Annotated[float, Meta(ge=0)] = 200


class WeighbridgeDriver(DeviceDriver):
    """One terminal."""

    Settings = WeighbridgeSettings

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """Columns that are some, a unit that is one, an answer that can be made."""
        s = read_settings(link, WeighbridgeSettings)
        host_and_port(link)
        for name in NEEDED:
            if s.columns.count(name) != 1:
                raise bad_link(link.code, f"`columns` must name {name!r} once")
        for name in s.columns:
            if name not in KNOWN:
                raise bad_link(link.code, f"`columns` names {name!r}, which is none of {', '.join(KNOWN[:-1])}")
        if s.unit not in GRAMS:
            raise bad_link(link.code, f"`unit` {s.unit!r} is none of {', '.join(GRAMS)}")
        try:
            s.answer.format(ticket="", vehicle="")
        except (LookupError, ValueError) as error:
            raise bad_link(link.code, f"`answer` can have {{ticket}} and {{vehicle}} only: {error}") from error

    @classmethod
    def shadow(cls, link: Link) -> type[Driver] | None:
        """A terminal that wants no answer is only listened to."""
        return None if read_settings(link, WeighbridgeSettings).answer else cls

    async def session(self) -> None:
        """Hear weighings; silence between vehicles is in order."""
        async with self.wire() as wire:
            self.desk.connected(wire.peer)
            while True:
                line = await wire.take()
                if line.startswith(self.settings.starts.encode()):
                    heard = self._read(line)
                    await self.desk.keep(heard)
                    if self.settings.answer:
                        await wire.send(f"{self._answer(heard)}\r\n".encode())

    def _answer(self, heard: Heard) -> str:
        names = {name: str(heard.fields.get(name, "")) for name in ("ticket", "vehicle")}
        answer: str = self.settings.answer.format(**names)
        return answer

    def _read(self, line: bytes) -> Heard:
        s = self.settings
        text = line.decode("latin-1").removeprefix(s.starts)
        said = dict(zip(s.columns, (part.strip() for part in text.split(s.delimiter)), strict=False))
        fields: dict[str, Any] = {name: said.get(name, "") for name in ("ticket", "vehicle", "shipment")}
        fields |= {"scale": s.scale, "calibrated_until": s.calibrated_until.isoformat()}
        fields["tolerance_g"] = round(s.tolerance_kg * 1000)
        problem = "".join(f"The line has no {name}. " for name in NEEDED if not said.get(name))
        try:
            fields["mass_g"] = grams(said.get("mass", ""), said.get("unit", s.unit))
            if not 0 < fields["mass_g"] <= s.capacity_kg * 1000:
                problem += f"{fields['mass_g'] / 1000:,.0f} kg is not within the {s.capacity_kg:,.0f} kg it can weigh."
        except ValueError as error:
            problem += f"The mass cannot be read: {error}."
        claimed = said.get("time", "")
        return Heard(
            self.event("VehicleWeighed"), fields, line, claimed, number_of("weighing", text), problem=problem.strip()
        )
