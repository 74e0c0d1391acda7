"""What is in a finishing line: coils that entered, their welds, the line's parameters and the next coil's data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from local_mes.execution.next_step import aims_at, missing_data
from local_mes.level2 import outbox
from local_mes.level2.operations import BadMessage, Work
from local_mes.model.domain import Unit
from local_mes.production.finishing_domain import ESTIMATED_SHARE_PPM, UM_PER_MM, WHOLE_SHARE_PPM, Entered, Line
from local_mes.production.in_work import Told, all_told, find_told, tell
from local_mes.production.pieces import began_at, find_live, find_scheduled, process_parameter
from shared.material.facts import Size
from shared.material.queries import find_material
from shared.orders.queries import Line as ScheduleLine
from shared.orders.queries import find_lines, find_order
from shared.quality.queries import is_held
from shared.units import STEEL_KG_PER_M3

OPERATIONS = {"pickling": "pickle", "cold_mill": "cold_roll", "galvaniser": "galvanise", "slitter": "slit"}
DEFAULT_END_MM = {"pickling": 3_000, "cold_mill": 8_000, "galvaniser": 4_000, "slitter": 3_000}
"""End cuts of scenario routes (rule of thumb) where neither route nor plant model gives one."""
END_NAMES = {"pickling": "tail_cut_mm", "galvaniser": "entry_cut_mm"}
PICKLED_PPM, EXIT_CUT_MM, COATING_GM2 = 4_000, 10_000, 285
COATING = re.compile(r"\bZ(\d{2,3})\b|\+Z(\d{2,3})")
PLAN_AHEAD = 8


def line_unit(work: Work) -> Unit:
    """The unit a telegram of a finishing line speaks of; BadMessage when it is no finishing line."""
    unit = work.plant.model.get_unit(work.message.at_unit or str(work.message.fields["line"]))
    if unit.unit_class not in OPERATIONS:
        raise BadMessage(f"{unit.code} is a {unit.unit_class}, no finishing line.", "line")
    return unit


def line_of(work: Work, unit: Unit, coil: Row[Any], route: str, plan: ScheduleLine | None) -> Line:
    """The line's parameters for a coil, as bound by its route or given by the plant model."""
    kind = unit.unit_class
    told = find_told(work.conn, unit.code, coil.material_id) or {}
    began = began_at(coil, told.get("entered_ms"))
    default_mm = int(unit.parameters.get("end_cut_mm", DEFAULT_END_MM[kind]))
    end_mm = process_parameter(work, unit, END_NAMES.get(kind, "end_cut_mm"), route, default_mm, began)
    if kind == "cold_mill":
        return Line(kind, entry_end_um=end_mm * UM_PER_MM)
    if kind == "pickling":
        return Line(
            kind,
            end_mm * UM_PER_MM,
            scale_ppm=process_parameter(work, unit, "scale_ppm", route, PICKLED_PPM, began),
        )
    if kind == "galvaniser":
        exit_mm = process_parameter(work, unit, "exit_cut_mm", route, EXIT_CUT_MM, began)
        aim = (plan.whole("coating_gm2") if plan else None) or COATING_GM2
        return Line(kind, end_mm * UM_PER_MM, exit_mm * UM_PER_MM, coating_gm2=aim)
    return Line(kind, end_mm * UM_PER_MM)


def entered(work: Work, unit: Unit, coil: Row[Any], welded: frozenset[str] = frozenset()) -> Entered:
    """A coil as the line has it, with the coils welded behind it."""
    told = find_told(work.conn, unit.code, coil.material_id) or {}
    length_um = size_of(work, unit, coil).length_um
    weld_um = _weld_um(told)
    after: Entered | None = None
    if weld_um is not None and told["weld_after"] not in welded:
        behind = find_material(work.conn, work.plant.code, told["weld_after"])
        if behind is not None and behind.state == "live":
            after = entered(work, unit, behind, welded | {coil.material_id})
    return Entered(
        coil.material_id,
        length_um,
        told.get("mass_g", coil.mass_g),
        told.get("used_um", 0),
        coil.mass_g,
        min(weld_um, length_um) if weld_um is not None and after else None,
        after,
        WHOLE_SHARE_PPM if coil.length_um else ESTIMATED_SHARE_PPM,
    )


def size_of(work: Work, unit: Unit, coil: Row[Any]) -> Size:
    """A coil's size; of one whose sender's data have not come, what the line told at entry and the length by volume."""
    told = find_told(work.conn, unit.code, coil.material_id) or {}
    thickness = coil.thickness_um or int(told.get("thickness_um", 0))
    width = coil.width_um or int(told.get("width_um", 0))
    section = thickness * width * STEEL_KG_PER_M3
    return Size(thickness, width, coil.length_um or (round(coil.mass_g * 1e15 / section) if section else 0))


def _weld_um(told: Told) -> int | None:
    """The weld behind a coil, on the coil's own count: entry counter at the weld less the one at its first end."""
    if "weld_at_mm" not in told or "entry_m" not in told:
        return None
    found = (int(told["weld_at_mm"]) - int(told["entry_m"]) * 1000) * UM_PER_MM
    return found if found > 0 else None


def mark_used(work: Work, unit: Unit, coil_id: str, used_um: int, mass_g: int) -> None:
    """Up to where cuts have used a coil that is not at its end."""
    tell(work.conn, unit.code, coil_id, work.message.occurred.at_ms, used_um=used_um, mass_g=mass_g)


def coils_in(work: Work, unit: Unit) -> list[str]:
    """Material ids of the coils in the line, oldest first."""
    return [key for key, told in all_told(work.conn, unit.code).items() if "entry_m" in told]


def coating_of(work: Work, order_item: str) -> str:
    """The coating an order asks for, such as Z275; empty when its product names none."""
    order = find_order(work.conn, work.plant.code, order_item)
    found = COATING.search(order.product) if order else None
    return f"Z{found.group(1) or found.group(2)}" if found else ""


def send_primary_data(work: Work, unit: Unit, coil: Row[Any]) -> None:
    """Tell the line of the coil that entered (if it was not told) and of the one after it; never of a held one."""
    own = find_scheduled(work, unit.code, coil)
    lines = find_lines(work.conn, work.plant.code, unit.code, "open", limit=PLAN_AHEAD)
    following = [line for line in lines if own is None or line.line_id != own.line_id][:1]
    for plan in [line for line in (own, *following) if line is not None]:
        piece = find_live(work.conn, work.plant.code, plan.piece)
        if piece is None or is_held(work.conn, piece.material_id):
            continue
        if not missing_data(work.conn, work.plant, piece, unit.code):
            _queue(work, unit, plan, piece)


def _queue(work: Work, unit: Unit, plan: ScheduleLine, piece: Row[Any]) -> None:
    slits = parse_slits(plan.text("slits"))
    aims = aims_at(work.conn, work.plant, piece, unit.code)
    fields = {
        "line": unit.code,
        "coil_in": plan.piece,
        "coil_out": plan.number or plan.piece,
        "order": plan.order_item,
        "thickness_um": _aim(plan, aims, "thickness_um") or piece.thickness_um,
        "width_um": _aim(plan, aims, "width_um") or piece.width_um,
        "coating_gm2": _aim(plan, aims, "coating_gm2") or 0,
        "slit_count": len(slits),
        "slits": [{"slit": letter, "width_um": width} for letter, width in slits],
    }
    message = f"{unit.code[:2]}2010"
    outbox.tell(work.conn, work.message.link, message, fields, key=f"pdi:{work.plant.code}:{plan.line_id}")


def _aim(plan: ScheduleLine, aims: Mapping[str, int | str], name: str) -> int:
    """As the schedule says, else as practice or route; 0 where none does."""
    value = plan.whole(name) or aims.get(name)
    return value if isinstance(value, int) else 0


def parse_slits(text: str) -> list[tuple[str, int]]:
    """A slit plan such as 'A:308,B:308' (mm) as letters with widths in um; empty when there is none."""
    found = []
    for part in text.split(",") if text else ():
        letter, _, width = part.strip().partition(":")
        found.append((letter.strip(), round(float(width) * UM_PER_MM)))
    return found
