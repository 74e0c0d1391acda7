"""Jobs for devices: print a label, mark a piece, weigh one; asked for by a person, sent by the collector.

A job is refused here for a piece that is unknown or gone, and a marking for one that is held; what it will say is made
here too, so that the preview on screen is what comes out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.level2 import outbox
from local_mes.level2.devices import errors
from local_mes.level2.devices.label import LabelLayout, fill, to_zpl, unprintable
from local_mes.level2.devices.marker import MarkerSettings
from local_mes.level2.devices.printer import PrinterSettings
from local_mes.level2.devices.scale import ScaleSettings
from local_mes.level2.devices.standing import MARK, withdraw
from local_mes.level2.down import get_down
from local_mes.level2.drivers.port import read_settings
from local_mes.level2.links import Link, LinkPlan, load_links
from local_mes.level2.outbox import pass_on_now
from local_mes.level2.spool_tables import down
from local_mes.plant import Plant
from shared.db.engine import read
from shared.material.queries import get_piece
from shared.quality.queries import open_holds
from shared.web import formats

PRINT, WEIGH = "Print", "Weigh"
DOES = {
    "printer": (PRINT,),
    "marker": (MARK,),
    "scale": (WEIGH, "Zero", "Tare", "ClearTare"),
    "weighbridge": (),
    "spectrometer": (),
    "scanner": (),
}
"""Kinds of devices, and what can be asked of them."""
DEED_OF = {"printer": "Print a label", "marker": "Mark it", "scale": "Weigh it"}
"""What each kind does for a piece, as a button says it."""
OF_NO_PIECE = ("Zero", "Tare", "ClearTare")
TEST_NUMBER = "TEST 0123"
Values = dict[str, str]


@dataclass(frozen=True)
class Job:
    """What a person asks of a device. test: of no piece, and no fact comes of it."""

    command_id: str
    actor: str
    what: str
    piece: str = ""
    copies: int = 1
    test: bool = False


def find_devices(plan: LinkPlan) -> list[Link]:
    """The links that are devices, in the model's order."""
    return [link for link in plan.links.values() if link.kind in DOES]


def get_device(plan: LinkPlan, code: str) -> Link:
    """A device; NotFound names it."""
    link = plan.links.get(code)
    if link is None or link.kind not in DOES:
        raise errors.unknown_device(code)
    return link


def tasks_of(link: Link) -> tuple[str, ...]:
    """What can be asked of a device; a scale that speaks by itself takes no commands."""
    if link.kind == "scale" and read_settings(link, ScaleSettings).protocol == "toledo":
        return (WEIGH,)
    return DOES[link.kind]


def ask(plant: Plant, code: str, job: Job) -> dict[str, Any]:
    """Queue a job. Done once for its command id; Refused says what speaks against it."""
    link = get_device(load_links(plant.settings), code)
    if job.what not in tasks_of(link):
        raise errors.cannot_do(code, link.kind, job.what)
    with plant.journal.work() as tx:
        earlier = tx.once(job.command_id)
        if earlier is not None:
            return dict(earlier)
        fields = _fields(plant, tx.conn, link, job)
        key = f"{job.what}:{job.command_id}"
        outbox.tell(tx.conn, code, job.what, fields | {"by": job.actor}, key=key)
        result = {"device": code, "what": job.what, "piece": fields.get("piece", ""), "key": key}
        tx.done(job.command_id, result)
    pass_on_now(plant)
    return result


def withdraw_job(plant: Plant, down_id: int, why: str) -> None:
    """Take a job back; Refused when the device has answered it."""
    with read(plant.spool) as conn:
        link = conn.execute(select(down.c.link).where(down.c.down_id == down_id)).scalar()
    if link not in {device.code for device in find_devices(load_links(plant.settings))}:
        raise errors.no_job(down_id)
    if not withdraw(plant.spool, down_id, why, plant.clock.now_ms()):
        raise errors.job_over(get_down(plant.spool, down_id).state)


def _fields(plant: Plant, conn: Connection, link: Link, job: Job) -> dict[str, Any]:
    if job.what in OF_NO_PIECE:
        return {}
    row = None if job.test else _piece(plant, conn, job)
    fields = {"piece": row.number if row else "", "material_id": row.material_id if row else "", "test": job.test}
    values = values_of(plant, conn, row)
    if job.what == PRINT:
        layout = read_settings(link, PrinterSettings).label
        if why := unprintable(layout, values):
            raise errors.bad_text(fill(layout.content, values), why)
        zpl = to_zpl(layout, values, job.copies)
        return fields | {"text": fill(layout.content, values), "zpl": zpl, "copies": job.copies}
    if job.what == MARK:
        return fields | {"text": _text(read_settings(link, MarkerSettings), values)}
    return fields


def _piece(plant: Plant, conn: Connection, job: Job) -> Row[Any]:
    if not job.piece.strip():
        raise errors.needs_piece({PRINT: "label", MARK: "marking"}.get(job.what, "weighing"))
    row = get_piece(conn, job.piece.strip(), plant.code)
    if row.state != "live":
        raise errors.piece_gone(row.number, row.state)
    holds = open_holds(conn, row.material_id) if job.what == MARK else []
    if holds:
        raise errors.piece_held(row.number, holds[0].reason)
    return row


def _text(settings: MarkerSettings, values: Values) -> str:
    text = fill(settings.text, values)
    if len(text) > settings.length_max:
        raise errors.bad_text(text, f"it has {len(text)} characters, the machine writes {settings.length_max}")
    if not re.fullmatch(f"[{settings.characters}]+", text):
        raise errors.bad_text(text, f"the machine writes {settings.characters}")
    return text


def values_of(plant: Plant, conn: Connection, row: Row[Any] | None) -> Values:
    """What can stand on a label of a piece; of none, a test's."""
    now = plant.clock.now_ms()
    common = {"plant": plant.code, "date": formats.local(now, plant.model.plant.zone).date().isoformat()}
    if row is None:
        return common | {"number": TEST_NUMBER, "grade": "TEST LABEL", "mass_kg": "0"}
    return common | {
        "number": row.number,
        "kind": row.kind,
        "heat": row.heat_number,
        "grade": row.grade,
        "order": "" if row.order_item == "stock" else row.order_item,
        "mass_kg": str(round(row.mass_g / 1000)),
        "basis": row.mass_basis,
        "thickness_mm": f"{row.thickness_um / 1000:.2f}",
        "width_mm": str(round(row.width_um / 1000)),
        "length_m": f"{row.length_um / 1_000_000:.1f}",
        "place": row.place,
        "held": "HELD" if open_holds(conn, row.material_id) else "",
    }


def layout_of(link: Link) -> LabelLayout:
    """The label of a printer."""
    return read_settings(link, PrinterSettings).label
