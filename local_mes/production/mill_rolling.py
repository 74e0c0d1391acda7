"""Hot mill, second half: roughed, cropped, finished, coiled, weighed; or cobbled."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import Message, Work, operation
from local_mes.model.domain import Unit
from local_mes.orders.service import STOCK
from local_mes.production.counting import count, count_run
from local_mes.production.in_work import Told, forget
from local_mes.production.mill_domain import DESCALE_PPM, SCALE_PPM, Rolling
from local_mes.production.mill_furnace import DESCALER_CLASS, MILL_CLASS, STATE_LINE, mill_unit, tell_slab
from local_mes.production.pieces import (
    began_at,
    check_new_number,
    close_line,
    find_scheduled,
    flips_of,
    get_live,
    get_made,
    new_alias,
    process_parameter,
    route_of,
)
from local_mes.production.weighing import weigh_product
from local_mes.quality.service import by_message, judge, pass_on_holds
from local_mes.standards.service import standard_ref
from shared.material.domain import check_flips
from shared.material.facts import (
    Consumed,
    Edge,
    Mass,
    MaterialScrapped,
    MaterialTransformed,
    NewMaterial,
    Size,
)
from shared.material.trace import refuse_cycle
from shared.orders.queries import Line

PPM_PER_PCT = 10_000
SUMMARIES = {
    "ft_avg_c": "ft_avg_mc",
    "ft_min_c": "ft_min_mc",
    "ft_max_c": "ft_max_mc",
    "ct_c": "ct_avg_mc",
    "discharge_c": "discharge_mc",
}
"""What Level 2 tells in degrees, kept in thousandths."""


@operation("roughed", takes="slab:text thickness_um width_um")
def roughed(work: Work, message: Message) -> None:
    """The transfer bar left the rougher."""
    slab = get_live(work, message.fields["slab"], "slab")
    tell_slab(work, slab, bar_thickness_um=message.fields["thickness_um"], bar_width_um=message.fields["width_um"])


@operation("cropped", takes="slab:text head_kg tail_kg")
def cropped(work: Work, message: Message) -> None:
    """Head and tail crop, weighed."""
    slab = get_live(work, message.fields["slab"], "slab")
    tell_slab(work, slab, head_kg=message.fields["head_kg"], tail_kg=message.fields["tail_kg"])


@operation("finished", takes="slab:text ft_avg_c? ft_min_c? ft_max_c? ft_in_window_pct? thickness_um?")
def finished(work: Work, message: Message) -> None:
    """The tail left the finishing mill: temperatures of the whole length."""
    slab = get_live(work, message.fields["slab"], "slab")
    tell_slab(work, slab, **{name: value for name, value in message.fields.items() if name.startswith("ft_")})


@operation(
    "coil_done",
    takes="slab:text coil_no?:text coiler?:text thickness_um width_um ct_c ct_in_window_pct length_mm outside?:text",
)
def coil_done(work: Work, message: Message) -> None:
    """The coil exists: the slab is used up, losses are computed, the window rule is asked."""
    slab = get_live(work, message.fields["slab"], "slab")
    told = tell_slab(work, slab, ct_c=message.fields["ct_c"], ct_in_window_pct=message.fields["ct_in_window_pct"])
    number = str(message.fields.get("coil_no") or told.get("coil_no", ""))
    check_new_number(work, number, "coil_no", frozenset())
    mill = work.plant.model.get_unit(mill_unit(work))
    line = find_scheduled(work, mill.code, slab)
    order_item = (line.order_item if line else "") or slab.order_item or STOCK
    route = route_of(work, slab, order_item)
    rolling = _rolling(work, slab, told, mill, route)
    coil = _coil(work, slab, number, rolling, order_item)
    _record_rolling(work, slab, coil, rolling, told, mill, route)
    count(
        work,
        mill.code,
        {
            "charged_g": slab.mass_g,
            "scale_g": rolling.scale_g + rolling.descale_g,
            "crop_g": rolling.head_g + rolling.tail_g,
        },
    )
    pass_on_holds(by_message(work), [slab.material_id], coil.material_id)
    _ask_windows(work, coil, told)
    close_line(work, line, "done")
    forget(work.conn, mill_unit(work), slab.material_id)


def _rolling(work: Work, slab: Row[Any], told: Told, mill: Unit, route: str) -> Rolling:
    furnace = work.plant.model.get_unit(str(told["furnace"])) if told.get("furnace") else mill
    descaler = next(iter(work.plant.model.units_of(DESCALER_CLASS)), mill)
    weighed, began = "head_kg" in told, began_at(slab, told.get("charged_ms"))
    head = told["head_kg"] if weighed else process_parameter(work, mill, "head_crop_kg", route, 0, began)
    tail = told["tail_kg"] if weighed else process_parameter(work, mill, "tail_crop_kg", route, 0, began)
    return Rolling(
        slab.mass_g,
        slab.length_um,
        head * 1000,
        tail * 1000,
        weighed,
        process_parameter(work, furnace, "scale_ppm", route, SCALE_PPM, began),
        process_parameter(work, descaler, "descale_ppm", route, DESCALE_PPM, began),
    )


def _coil(work: Work, slab: Row[Any], number: str, rolling: Rolling, order_item: str) -> NewMaterial:
    fields, at_ms = work.message.fields, work.message.occurred.at_ms
    return NewMaterial(
        material_id=work.new_id(),
        kind="coil",
        aliases=(new_alias(work, number, "coil"),),
        mass=Mass(rolling.coil_g, "theoretical", "", at_ms),
        grade=slab.grade,
        order_item=order_item,
        size=Size(fields["thickness_um"], fields["width_um"], fields["length_mm"] * 1000),
        place=work.message.unit,
        attributes={
            "outside": str(fields.get("outside", "")),
            "coiler": str(fields.get("coiler") or work.message.unit),
        },
    )


def _record_rolling(
    work: Work, slab: Row[Any], coil: NewMaterial, rolling: Rolling, told: Told, mill: Unit, route: str
) -> None:
    length, width, face = flips_of(mill)
    check_flips(length, width, face)
    start, stop = rolling.slab_part
    edge = Edge(
        parent_id=slab.material_id,
        child_id=coil.material_id,
        parent_from_um=start,
        parent_to_um=stop,
        child_from_um=0,
        child_to_um=coil.size.length_um,
        parent_left_um=0,
        parent_right_um=slab.width_um,
        child_left_um=0,
        child_right_um=coil.size.width_um,
        mass_g=coil.mass.g,
        flip_length=length,
        flip_width=width,
        flip_face=face,
    )
    now = work.message.occurred.at_ms
    payload = MaterialTransformed(
        operation_id=work.new_id(),
        operation="roll",
        unit=mill.code,
        started_at_ms=told.get("discharged_ms", now),
        ended_at_ms=now,
        parents=(Consumed(slab.material_id, slab.mass_g),),
        children=(coil,),
        edges=(edge,),
        losses=rolling.losses,
        values=_summaries(told),
        notes=() if rolling.crops_weighed else ("crops as aimed, not weighed",),
    )
    standard = standard_ref(work.conn, route) if route else None
    refuse_cycle(work.conn, [slab.material_id], [coil.material_id])
    work.record(payload, [coil.material_id, slab.material_id], standard=standard)


def _summaries(told: Told) -> dict[str, int]:
    values = {kept: round(told[name] * 1000) for name, kept in SUMMARIES.items() if name in told}
    windows = {f"{w}_window_ppm": f"{w}_in_window_pct" for w in ("ft", "ct")}
    values |= {kept: round(told[name] * PPM_PER_PCT) for kept, name in windows.items() if name in told}
    return values | {name: told[name] for name in ("bar_thickness_um", "bar_width_um", "furnace_min") if name in told}


def _ask_windows(work: Work, coil: NewMaterial, told: Told) -> None:
    windows = {f"{w}_in_window": f"{w}_in_window_pct" for w in ("ft", "ct")}
    inputs = {name: round(told[key] * PPM_PER_PCT) for name, key in windows.items() if key in told}
    averages = {name: round(told[key]) for name, key in (("ft_avg", "ft_avg_c"), ("ct_avg", "ct_c")) if key in told}
    size = {"thickness": coil.size.thickness_um, "width": coil.size.width_um, "length": coil.size.length_um}
    asked = {"grade": coil.grade, **inputs, **averages, **size}
    judge(by_message(work), "coil_done", coil.material_id, asked)


@operation("coil_weighed", takes="coil_no:text mass_kg")
def coil_weighed(work: Work, message: Message) -> None:
    """The scale's word on the coil: its mass from now on, and the operation's balance closes."""
    mill = mill_unit(work)
    coil, made = get_made(work, message.fields["coil_no"], mill)
    weigh_product(work, coil, made, message.fields["mass_kg"] * 1000, message.unit)
    count_run(work, mill, STATE_LINE)


@operation("cobble", takes="slab:text mass_kg? reason?:text")
def cobble(work: Work, message: Message) -> None:
    """The bar is lost between the stands: the slab is scrap, and counts as charged without a product."""
    slab, mill = get_live(work, message.fields["slab"], "slab"), mill_unit(work)
    reason = str(message.fields.get("reason") or "OP-COB")
    mass_g = int(message.fields.get("mass_kg") or 0) * 1000 or slab.mass_g
    # the unit that counts it, not the one that told: taken back, it is to be counted back there
    scrapped = MaterialScrapped(material_id=slab.material_id, mass_g=mass_g, reason=reason, unit=mill)
    work.record(scrapped, [slab.material_id])
    line: Line | None = find_scheduled(work, mill, slab)
    close_line(work, line, "dropped", reason)
    count(work, mill, {"charged_g": slab.mass_g, "lost_g": slab.mass_g, "scrap_g": mass_g, "cobbles": 1})
    forget(work.conn, mill, slab.material_id)


def state_counts_at(work: Work, unit: str) -> str:
    """The unit whose production time a state speaks of: the mill's stands for its line."""
    mills = work.plant.model.units_of(MILL_CLASS)
    return mills[0].code if mills and unit == STATE_LINE else unit
