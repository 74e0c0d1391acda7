"""Finishing lines: the exit shear cuts a coil off, and the step is on record with intervals, flips and losses."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import Message, Work, operation
from local_mes.model.domain import Unit
from local_mes.orders.service import STOCK
from local_mes.production.finishing_domain import UM_PER_MM, across, outcome_of, parts_of_cut
from local_mes.production.finishing_line import entered, line_of, line_unit, size_of
from local_mes.production.finishing_slits import add_slit
from local_mes.production.finishing_step import edges_of, record_step
from local_mes.production.pieces import (
    check_new_number,
    close_line,
    find_scheduled,
    flips_of,
    get_live,
    new_alias,
    route_of,
)
from shared.material.facts import Mass, NewMaterial, Size


@operation(
    "exit_cut",
    takes="line?:text coil_in:text coil_out:text slit? metre_in_from_mm metre_in_to_mm metre_out_mm "
    "thickness_um width_um",
)
def exit_cut(work: Work, message: Message) -> None:
    """One coil (or one slit of a set) is off the line."""
    unit, f = line_unit(work), message.fields
    coil = get_live(work, f["coil_in"], "coil_in")
    if f.get("slit"):
        add_slit(work, unit, coil)
        return
    cut_coil(work, unit, coil, f)


def cut_coil(work: Work, unit: Unit, coil: Row[Any], f: dict[str, Any]) -> None:
    """Record one product over the whole width: trimmed, rolled or coated, of one coil or over a weld."""
    plan = find_scheduled(work, unit.code, coil)
    order_item = (plan.order_item if plan else "") or coil.order_item or STOCK
    route = route_of(work, coil, order_item)
    line = line_of(work, unit, coil, route, plan)
    parts = parts_of_cut(
        entered(work, unit, coil), f["metre_in_from_mm"] * UM_PER_MM, f["metre_in_to_mm"] * UM_PER_MM, line
    )
    entered_um = size_of(work, unit, coil).width_um
    out_um, width = f["metre_out_mm"] * UM_PER_MM, min(f["width_um"], entered_um)
    outcome = outcome_of(line, parts, out_um, entered_um, width)
    check_new_number(work, f["coil_out"], "coil_out", frozenset(part.parent_id for part in parts))
    child = NewMaterial(
        material_id=work.new_id(),
        kind="coil",
        aliases=(new_alias(work, f["coil_out"], "coil"),),
        grade=coil.grade,
        mass=Mass(outcome.produced_g, "theoretical", "", work.message.occurred.at_ms),
        order_item=order_item,
        size=Size(f["thickness_um"], f["width_um"], out_um),
        place=unit.code,
    )
    where = across(entered_um, [width], flips_of(unit)[1])[0]
    edges = edges_of(unit, parts, child, where, outcome.produced_g)
    record_step(work, unit, parts, [child], edges, outcome, route)
    if parts[-1].whole:
        close_line(work, plan, "done")
