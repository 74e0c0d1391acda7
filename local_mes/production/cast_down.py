"""What goes down to the caster's Level 2: the plan of a heat and the lengths to cut."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2 import outbox
from local_mes.level2.operations import Work
from local_mes.model.domain import Unit
from shared.orders.queries import Line

HEAT_PLAN, CUT_ORDER = "CC2010", "CC2020"


def send_heat_plan(work: Work, unit: Unit, heat: Row[Any], line: Line) -> None:
    """Grade, order and lengths of a heat, once a schedule line."""
    fields = {
        "heat": heat.number,
        "grade": line.text("grade") or heat.grade,
        "order": line.order_item,
        "aim_mm": _aim(unit, line, "aim_mm", "slab_length_mm"),
        "min_mm": _aim(unit, line, "min_mm", "slab_length_min_mm"),
        "max_mm": _aim(unit, line, "max_mm", "slab_length_max_mm"),
        "pieces": _pieces(unit, line),
    }
    _queue(work, unit, HEAT_PLAN, fields, f"{HEAT_PLAN}:{line.line_id}")


def send_cut_orders(work: Work, unit: Unit, heat: Row[Any], line: Line) -> None:
    """The length of every cut of a heat, while its steel is still in the ladle: well ahead of the torch."""
    strands = unit.whole("strands")
    length_mm = _aim(unit, line, "aim_mm", "slab_length_mm")
    for strand in range(1, strands + 1):
        for cut in range(1, _pieces(unit, line) // strands + 1):
            fields = {"strand": strand, "cut": cut, "length_mm": length_mm, "order": line.order_item}
            _queue(work, unit, CUT_ORDER, fields, f"{CUT_ORDER}:{line.line_id}:{strand}:{cut}")


def _aim(unit: Unit, line: Line, name: str, parameter: str) -> int:
    """As the schedule line says, else as the caster's parameters."""
    said = line.whole(name)
    return unit.whole(parameter) if said is None else said


def _pieces(unit: Unit, line: Line) -> int:
    said = line.whole("pieces")
    return unit.whole("slabs_a_strand") * unit.whole("strands") if said is None else said


def _queue(work: Work, unit: Unit, message: str, fields: dict[str, Any], key: str) -> None:
    outbox.tell(work.conn, unit.link, message, fields, key=key)
