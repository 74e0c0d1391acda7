"""A scanner that is a keyboard: what it types into the page is a message of its station, spooled like any other."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from local_mes.level2.devices import errors
from local_mes.level2.devices.scan import Scan
from local_mes.level2.devices.scanner import ScannerSettings, as_heard
from local_mes.level2.drivers.port import read_settings
from local_mes.level2.links import Link, LinkPlan, load_links
from local_mes.level2.spool import Incoming, append
from local_mes.level2.spool_tables import message
from local_mes.level2.telegrams.times import zone_offset_min
from local_mes.plant import Plant
from shared.db.engine import read, write


def find_stations(plan: LinkPlan) -> list[Link]:
    """The links of scanners that type."""
    scanners = [link for link in plan.links.values() if link.kind == "scanner"]
    return [link for link in scanners if read_settings(link, ScannerSettings).by == "keyboard"]


def take(plant: Plant, code: str, said: str) -> int:
    """Store a scan of a station; returns where it lies in the spool. NotFound when no scanner types there."""
    plan = load_links(plant.settings)
    link = next((one for one in find_stations(plan) if one.code == code), None)
    if link is None:
        raise errors.unknown_device(code)
    settings = read_settings(link, ScannerSettings)
    heard = as_heard(f"{link.unit or link.code}.Scanned", settings, said)
    now = plant.clock.now_ms()
    incoming = Incoming(
        link=link.code,
        message=heard.message,
        sequence=0,
        claimed="",
        claimed_ms=None,
        received_ms=now,
        offset_ms=0,
        zone_offset_min=zone_offset_min(now, plan.zone),
        raw=heard.raw,
        body=heard.raw,
        fields=dict(heard.fields),
        problem=heard.problem,
        always_new=True,
    )
    with write(plant.spool) as conn:
        return append(conn, incoming).spool_id


def last_scan(plant: Plant, spool_id: int | None) -> Scan | None:
    """What a stored scan says, by the rules of its station."""
    if spool_id is None:
        return None
    with read(plant.spool) as conn:
        row = conn.execute(select(message).where(message.c.spool_id == spool_id)).first()
    link = load_links(plant.settings).links.get(row.link) if row is not None else None
    if row is None or link is None or link.kind != "scanner":
        return None
    fields = msgspec.json.decode(row.fields)
    return Scan(fields["code"], fields["symbology"], fields["number"], fields["content"], row.problem)
