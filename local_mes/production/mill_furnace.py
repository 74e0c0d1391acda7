"""Hot mill, first half: a slab goes into a furnace and comes out; the mill's computer learns what to make of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.execution.next_step import aims_at
from local_mes.level2 import outbox
from local_mes.level2.operations import Message, Work, operation
from local_mes.model.numbers import get_scheme, next_number, pass_number
from local_mes.production.counting import enter_run
from local_mes.production.in_work import Told, all_told, find_told, tell
from local_mes.production.pieces import deviate, find_scheduled, get_live, has_its_data, is_free, move
from shared.material.queries import find_by_number, get_material
from shared.orders.queries import Line

MILL_CLASS, DESCALER_CLASS = "finishing_mill", "descaler"
STATE_LINE = "LINE"
"""The unit that tells the mill's state."""


def mill_unit(work: Work) -> str:
    """The unit that stands for the mill, furnaces to scale, in schedules, figures and what is in work."""
    units = work.plant.model.units_of(MILL_CLASS)
    return units[0].code if units else "FM"


def tell_slab(work: Work, slab: Row[Any], **more: Any) -> Told:
    """Add to what is known of a slab on its way through the mill."""
    return tell(work.conn, mill_unit(work), slab.material_id, work.message.occurred.at_ms, **more)


@operation("slab_charged", takes="slab:text furnace?:text row? temp_c?")
def slab_charged(work: Work, message: Message) -> None:
    """Into the furnace. One that is held or waits for data is recorded with a deviation and gets no primary data."""
    slab = get_live(work, message.fields["slab"], "slab")
    move(work, slab, message.unit)
    tell_slab(work, slab, furnace=message.unit, row=message.fields.get("row", 0), charged_ms=message.occurred.at_ms)
    if "temp_c" in message.fields:
        tell_slab(work, slab, charge_c=message.fields["temp_c"])
    free = is_free(work, slab, message.unit)
    charged = get_material(work.conn, work.plant.code, slab.material_id)
    may_go_on = free and has_its_data(work, charged, message.unit)
    line = find_scheduled(work, mill_unit(work), slab)
    if line is not None:  # told in any case: it may be rolled all the same
        tell_slab(work, slab, coil_no=_coil_number(work, line, slab), line_id=line.line_id)
    if not may_go_on:
        return
    if line is None:
        deviate(work, slab, "schedule", f"{slab.number} was charged at {message.unit} without a line of the schedule.")
        return
    _send_primary_data(work, charged, line)


@operation("slab_discharged", takes="slab:text temp_c? minutes?")
def slab_discharged(work: Work, message: Message) -> None:
    """Out of the furnace, onto the line."""
    slab = get_live(work, message.fields["slab"], "slab")
    enter_run(work, mill_unit(work), not _is_rolling(work), STATE_LINE)
    move(work, slab, mill_unit(work))
    tell_slab(
        work,
        slab,
        discharged_ms=message.occurred.at_ms,
        discharge_c=message.fields.get("temp_c", 0),
        furnace_min=message.fields.get("minutes", 0),
    )


def _is_rolling(work: Work) -> bool:
    """Whether a slab is on the line already."""
    return any("discharged_ms" in told for told in all_told(work.conn, mill_unit(work)).values())


def _coil_number(work: Work, line: Line, slab: Row[Any]) -> str:
    """As planned, else the one this slab was given before, else the next of the mill's own."""
    scheme = get_scheme(work.plant.model, f"{work.plant.code}.coil")
    if line.number:
        pass_number(work.tx, scheme, line.number)
        return line.number
    told = find_told(work.conn, mill_unit(work), slab.material_id) or {}
    if told.get("coil_no"):
        return str(told["coil_no"])
    number = next_number(work.tx, scheme)
    while find_by_number(work.conn, number, work.plant.code):
        number = next_number(work.tx, scheme)
    return number


def _send_primary_data(work: Work, slab: Row[Any], line: Line) -> None:
    """The method call goes down by the collector, once this message has had its effect."""
    told = tell_slab(work, slab)
    known = {name: told[name] for name in ("charge_c",) if name in told}
    aims = aims_at(work.conn, work.plant, slab, mill_unit(work), known)
    fields = {
        "slab": work.message.fields["slab"],
        "coil_no": told["coil_no"],
        "thickness_um": line.whole("thickness_um") or aims.get("thickness_um", 0),
        "width_um": line.whole("width_um") or aims.get("width_um", 0),
        "ft_c": line.whole("ft_c") or aims.get("ft_c", 0),
        "ct_c": line.whole("ct_c") or aims.get("ct_c", 0),
        "order": line.order_item or slab.order_item,
    }
    key = f"pdi:{work.plant.code}:{line.line_id}:{work.message.spool_id}"
    outbox.call(work.conn, work.message.link, "PDI.Store", fields, key=key)
