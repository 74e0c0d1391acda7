"""What pages and API show of devices: how each does, what it last said, what it is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, select

from local_mes.level2.devices.jobs import find_devices
from local_mes.level2.devices.weighing import Validity, WeighingSettings, validity
from local_mes.level2.down import Down, count_open, find_recent
from local_mes.level2.drivers.port import read_settings
from local_mes.level2.drivers.registry import find_driver
from local_mes.level2.drivers.signal_state import find_signals
from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.queries import LinkView, find_links
from local_mes.level2.spool_tables import message
from local_mes.plant import Plant
from shared.db.engine import read
from shared.web import formats

KINDS = {
    "scale": "Scale",
    "weighbridge": "Weighbridge",
    "spectrometer": "Spectrometer",
    "marker": "Marking machine",
    "printer": "Label printer",
    "scanner": "Hand scanner",
}
HOW = {"asked": "asked for", "settles": "by itself", "printed": "print key"}
JOBS_SHOWN = 30
WEIGHINGS_LOOKED_AT = 20


@dataclass(frozen=True)
class Calibration:
    """Of a scale: the last day it is good for, and how that stands today."""

    scale: str
    until: str
    state: Validity


@dataclass(frozen=True)
class Said:
    """A device's last word: a value with its unit and what belongs to it, as of a time. piece: a number to look up."""

    value: str
    unit: str = ""
    note: str = ""
    at_ms: int | None = None
    piece: str = ""
    good: bool = True


@dataclass(frozen=True)
class DeviceView:
    """One device. state: of its link; none where the collector has not run it."""

    code: str
    kind: str
    title: str
    unit: str
    state: str
    since_ms: int | None
    detail: str
    now: Said | None
    last: Said | None
    calibration: Calibration | None
    jobs_open: int
    repairs: int

    @property
    def words(self) -> str:
        """The state for people: a printer without paper has data, and cannot print."""
        return "cannot print" if (self.kind, self.state) == ("printer", "no_data") else formats.words(self.state)


def find_device_views(plant: Plant, plan: LinkPlan) -> list[DeviceView]:
    """All devices of the plant model, in its order."""
    states, waiting = {view.link: view for view in find_links(plant)}, count_open(plant.spool)
    return [_view(plant, link, states.get(link.code), waiting.get(link.code, 0)) for link in find_devices(plan)]


def _view(plant: Plant, link: Link, state: LinkView | None, waiting: int) -> DeviceView:
    settings: Any = read_settings(link, find_driver(link).Settings)
    return DeviceView(
        code=link.code,
        kind=link.kind,
        title=settings.title or KINDS[link.kind],
        unit=link.unit,
        state=state.state if state else "stopped",
        since_ms=state.since_ms if state else None,
        detail=state.detail if state else "The collector has not run it yet.",
        now=_weight(plant, link) if link.kind == "scale" else None,
        last=_last(plant, link),
        calibration=_calibration(plant, settings),
        jobs_open=waiting,
        repairs=state.repairs if state else 0,
    )


def _calibration(plant: Plant, settings: Any) -> Calibration | None:
    if not isinstance(settings, WeighingSettings):
        return None
    today = formats.local(plant.clock.now_ms(), plant.model.plant.zone).date()
    until = settings.calibrated_until
    return Calibration(settings.scale, until.isoformat(), validity(until, today, settings.warn_days))


def _weight(plant: Plant, link: Link) -> Said | None:
    """The weight as it stands; without one, why."""
    row = next((one for one in find_signals(plant.spool, link.code) if one.signal == "weight"), None)
    if row is None:
        return None
    if row.state not in ("good", "uncertain") or not row.value:
        return Said("–", note=row.reason, at_ms=row.since_ms, good=False)
    value = msgspec.json.decode(row.value, type=dict[str, Any])
    tare = f", tare {formats.kg(value['tare_g'])} kg" if value["tare_g"] else ""
    note = f"{value['basis']}{tare}{f', {row.reason}' if row.reason else ''}"
    return Said(formats.kg(value["mass_g"]), "kg", note, value["at_ms"], good=row.state == "good")


def _last(plant: Plant, link: Link) -> Said | None:
    """The newest message of a device."""
    row = _newest(plant, link)
    if row is None:
        return None
    f = msgspec.json.decode(row.fields, type=dict[str, Any])
    if row.problem:
        return Said("Cannot be read", note=row.problem, at_ms=row.received_ms, good=False)
    return _words(row, f)


def _newest(plant: Plant, link: Link) -> Any:
    query = select(message).where(message.c.link == link.code).order_by(message.c.ordinal.desc()).limit(1)
    with read(plant.spool) as conn:
        return conn.execute(query).first()


def _words(row: Any, f: dict[str, Any]) -> Said:
    event, at_ms, test = row.message.rpartition(".")[2], row.received_ms, "test, " if f.get("test") else ""
    piece = str(f.get("piece") or "")
    if event == "Weighed":
        return Said(formats.kg(f["mass_g"]), "kg", f"{test}{f['basis']}, {HOW[f['how']]}", at_ms, piece)
    if event == "VehicleWeighed":
        return Said(formats.kg(f["mass_g"]), "kg", f"{f['vehicle']}, ticket {f['ticket']}", at_ms)
    if event == "Result":
        return Said(f["sample"], "", f"{f['place']}, {f['count']} elements, mean of {f['mean_of']}", at_ms, f["heat"])
    if event == "Scanned":
        return Said(f["number"], "", f["symbology"], at_ms, f["number"])
    if event == "Marked":
        read_back = f"reads {f['read']}" if f["read"] else f["reason"] or "not read back"
        return Said(f["text"], "", f"{test}{f['outcome']}, {read_back}", at_ms, piece, f["outcome"] == "done")
    if event == "Printed":
        return Said(f["text"], "", f"{test}{f['copies']} printed", at_ms, piece)
    return Said(row.message, at_ms=at_ms)


def find_last_sample(plant: Plant, link: Link) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    """Elements of a spectrometer's last sample, and its rows: each burn, then the mean, by element."""
    row = _newest(plant, link)
    f = msgspec.json.decode(row.fields, type=dict[str, Any]) if row is not None else {}
    if not f.get("results"):
        return [], []
    burns = [(f"burn {one['burn']}{', rejected' if one['rejected'] else ''}", one["results"]) for one in f["burns"]]
    rows = [(name, {one["element"]: one for one in values}) for name, values in [*burns, ("mean", f["results"])]]
    return list(dict.fromkeys(element for _, values in rows for element in values)), rows


def find_half_weighed(plant: Plant, link: Link, weighed: Sequence[Row[Any]]) -> list[Said]:
    """Vehicles that were weighed once, newest first: their second weighing is awaited. weighed: those that are done."""
    query = select(message).where(message.c.link == link.code, message.c.problem == "")
    with read(plant.spool) as conn:
        rows = conn.execute(query.order_by(message.c.ordinal.desc()).limit(WEIGHINGS_LOOKED_AT)).all()
    done = {(_squeezed(row.vehicle), mass_g) for row in weighed for mass_g in (row.gross_g, row.tare_g)}
    found: dict[str, Said] = {}
    for row in rows:
        f = msgspec.json.decode(row.fields, type=dict[str, Any])
        vehicle = _squeezed(f["vehicle"])
        if vehicle not in found and (vehicle, f["mass_g"]) not in done:
            found[vehicle] = Said(
                formats.kg(f["mass_g"]), "kg", f"{f['vehicle']}, ticket {f['ticket']}", row.received_ms
            )
    return list(found.values())


def _squeezed(vehicle: str) -> str:
    return "".join(vehicle.upper().split())


def find_jobs(plant: Plant, plan: LinkPlan, code: str = "", limit: int = JOBS_SHOWN) -> list[Down]:
    """The newest jobs of all devices, or of one, newest first."""
    codes = [code] if code else [link.code for link in find_devices(plan)]
    return find_recent(plant.spool, limit, links=codes) if codes else []
