"""A set of slits: one telegram each, one operation for all, recorded when the set is complete.

Complete is when every letter of the slit plan has come, or, without a plan, when the next coil enters.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import Work
from local_mes.model.domain import Unit
from local_mes.orders.service import STOCK
from local_mes.production.finishing_domain import UM_PER_MM, across, outcome_of, parts_of_cut
from local_mes.production.finishing_line import entered, line_of, parse_slits, size_of
from local_mes.production.finishing_step import edges_of, record_step
from local_mes.production.in_work import all_told, find_told, forget, tell
from local_mes.production.pieces import (
    check_new_number,
    close_line,
    deviate,
    find_scheduled,
    flips_of,
    new_alias,
    route_of,
)
from shared.errors import BadInput, Refused
from shared.material.domain import check_partition
from shared.material.facts import Mass, NewMaterial, Size
from shared.material.queries import find_material
from shared.orders.queries import Line as ScheduleLine
from shared.units import share_out

_KEY = "slits:"
Cut = dict[str, Any]


def add_slit(work: Work, unit: Unit, coil: Row[Any]) -> None:
    """Keep one slit of a set; with the last one of the plan the step is done."""
    f = work.message.fields
    check_new_number(work, f["coil_out"], "coil_out", frozenset())
    key = _KEY + coil.material_id
    cuts = dict((find_told(work.conn, unit.code, key) or {}).get("cuts", {}))
    cuts[str(f["slit"])] = dict(f)
    tell(work.conn, unit.code, key, work.message.occurred.at_ms, cuts=cuts, refused="")
    plan = find_scheduled(work, unit.code, coil)
    planned = {letter for letter, _ in parse_slits(plan.text("slits"))} if plan else set()
    if planned and planned <= set(cuts):
        _record_set(work, unit, coil, cuts, plan)


def close_open_sets(work: Work, unit: Unit, entering_id: str) -> None:
    """Another coil enters: the sets before it have all the slits they will have.

    One that cannot be booked is said of its own coil, once, and kept for when its telegrams are mended: it must not
    keep every coil after it out of the line.
    """
    for key, told in all_told(work.conn, unit.code, _KEY).items():
        coil_id = key.removeprefix(_KEY)
        coil = find_material(work.conn, work.plant.code, coil_id)
        if coil_id == entering_id or coil is None or coil.state != "live" or told.get("refused"):
            continue
        try:
            with work.conn.begin_nested():
                _record_set(work, unit, coil, told["cuts"], find_scheduled(work, unit.code, coil))
        except (BadInput, Refused) as error:
            numbers = ", ".join(str(cut["coil_out"]) for _, cut in sorted(told["cuts"].items()))
            deviate(work, coil, "slits", f"{numbers} of {coil.number} were told but cannot be booked: {error.what}")
            tell(work.conn, unit.code, key, work.message.occurred.at_ms, refused=error.what)


def _record_set(work: Work, unit: Unit, coil: Row[Any], cuts: dict[str, Cut], plan: ScheduleLine | None) -> None:
    ordered = [cuts[letter] for letter in sorted(cuts)]
    order_item = (plan.order_item if plan else "") or coil.order_item or STOCK
    route = route_of(work, coil, order_item)
    line = line_of(work, unit, coil, route, plan)
    low, high = min(c["metre_in_from_mm"] for c in ordered), max(c["metre_in_to_mm"] for c in ordered)
    parts = parts_of_cut(entered(work, unit, coil), low * UM_PER_MM, high * UM_PER_MM, line)
    widths = [c["width_um"] for c in ordered]
    entered_um = size_of(work, unit, coil).width_um
    where = across(entered_um, widths, flips_of(unit)[1])
    check_partition([(w.left_um, w.right_um) for w in where], entered_um)
    outcome = outcome_of(line, parts, ordered[0]["metre_out_mm"] * UM_PER_MM, entered_um, sum(widths))
    masses = share_out(outcome.produced_g, widths)
    children = [_slit(work, unit, coil, cut, mass_g, order_item) for cut, mass_g in zip(ordered, masses, strict=True)]
    edges = [
        edge
        for child, place, mass_g in zip(children, where, masses, strict=True)
        for edge in edges_of(unit, parts, child, place, mass_g)
    ]
    record_step(work, unit, parts, children, edges, outcome, route)
    forget(work.conn, unit.code, _KEY + coil.material_id)
    close_line(work, plan, "done")


def _slit(work: Work, unit: Unit, coil: Row[Any], cut: Cut, mass_g: int, order_item: str) -> NewMaterial:
    return NewMaterial(
        material_id=work.new_id(),
        kind="slit",
        aliases=(new_alias(work, cut["coil_out"], "slit"),),
        mass=Mass(mass_g, "theoretical", "", work.message.occurred.at_ms),
        grade=coil.grade,
        order_item=order_item,
        size=Size(cut["thickness_um"], cut["width_um"], cut["metre_out_mm"] * UM_PER_MM),
        place=unit.code,
        attributes={"slit": str(cut["slit"])},
    )
