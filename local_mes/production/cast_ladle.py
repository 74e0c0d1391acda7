"""Ladles on the caster, and the end of a sequence."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import BadMessage, Message, NotYet, Work, operation
from local_mes.model.domain import Unit
from local_mes.orders.service import STOCK
from local_mes.production.cast_close import close_if_over
from local_mes.production.cast_down import send_cut_orders, send_heat_plan
from local_mes.production.cast_sequence import (
    find_named,
    forget_old,
    metres_um,
    tell_ladle,
    tell_sequence,
)
from local_mes.production.counting import count, count_run
from local_mes.production.heats import get_flowing_heat, tell_heat, told_of
from local_mes.production.pieces import close_line, move
from shared.material.facts import Consumed, Loss, MaterialTransformed, OrderAssigned
from shared.orders.queries import Line, find_line
from shared.units import G_PER_KG


@operation("ladle_on_turret", takes="heat:text")
def ladle_on_turret(work: Work, message: Message) -> None:
    """The next ladle is here: the caster's Level 2 learns what to make of it."""
    unit, heat = work.unit, get_flowing_heat(work, message.fields["heat"])
    move(work, heat, unit.code)
    line = plan_of(work, unit, heat)
    if line is not None:
        _assign(work, heat, line)
        send_heat_plan(work, unit, heat, line)


@operation(
    "ladle_open",
    takes="heat:text sequence:text position tundish_kg strand1_mm strand2_mm? strand3_mm? "
    "strand4_mm? strand5_mm? strand6_mm? strand7_mm? strand8_mm?",
)
def ladle_open(work: Work, message: Message) -> None:
    """Steel flows: the place on each strand where the mixture begins to change is this ladle's mark."""
    unit, heat = work.unit, get_flowing_heat(work, message.fields["heat"])
    fields = message.fields
    if fields["position"] == 1:
        forget_old(work, unit)
    tell_ladle(
        work,
        unit,
        heat.material_id,
        heat_id=heat.material_id,
        heat=heat.number,
        grade=heat.grade,
        sequence=str(fields["sequence"]),
        position=int(fields["position"]),
        opened_ms=message.occurred.at_ms,
        tundish_g=int(fields["tundish_kg"]) * G_PER_KG,
        marks_um=metres_um(fields, unit.whole("strands")),
    )
    move(work, heat, unit.code)
    line = plan_of(work, unit, heat)
    if line is not None:
        _assign(work, heat, line)
        send_cut_orders(work, unit, heat, line)
    count_run(work, unit.code)


@operation("ladle_closed", takes="heat:text cast_kg")
def ladle_closed(work: Work, message: Message) -> None:
    """The ladle is empty but for its rest: tapped minus cast."""
    unit, heat = work.unit, get_flowing_heat(work, message.fields["heat"])
    cast_g = int(message.fields["cast_kg"]) * G_PER_KG
    tapped_g = told_of(work, heat.material_id).get("tapped_g")
    if tapped_g is None:
        raise NotYet(f"The tapping of heat {heat.number} was not told.")
    if cast_g > tapped_g:
        raise BadMessage(
            f"{cast_g // G_PER_KG} kg were cast of heat {heat.number}; {tapped_g // G_PER_KG} kg were tapped.",
            "cast_kg",
        )
    tell_ladle(work, unit, heat.material_id, closed_ms=message.occurred.at_ms, cast_g=cast_g)
    _book_rest(work, unit, heat, tapped_g - cast_g)
    count(work, unit.code, {"to_tundish_g": cast_g, "ladle_rest_g": tapped_g - cast_g, "heats": 1})
    close_line(work, plan_of(work, unit, heat), "done")


def _book_rest(work: Work, unit: Unit, heat: Row[Any], rest_g: int) -> None:
    if rest_g <= 0:
        return
    operation_id, now = work.new_id(), work.message.occurred.at_ms
    work.record(
        MaterialTransformed(
            operation_id=operation_id,
            operation="cast",
            unit=unit.code,
            started_at_ms=now,
            ended_at_ms=now,
            parents=(Consumed(heat.material_id, rest_g, whole=False),),
            children=(),
            edges=(),
            losses=(Loss("ladle_rest", rest_g),),
            notes=("tapped minus cast out of the ladle",),
        ),
        [heat.material_id, operation_id],
    )


@operation("tundish_temperature", takes="heat:text superheat_c temperature_c?")
def tundish_temperature(work: Work, message: Message) -> None:
    """Temperature and superheat; the mean of the superheats stays with the pieces cast from the heat."""
    heat = get_flowing_heat(work, message.fields["heat"])
    told = told_of(work, heat.material_id)
    readings = [*told.get("superheats_c", []), message.fields["superheat_c"]]
    tell_heat(work, heat.material_id, superheats_c=readings, superheat_c=sum(readings) / len(readings))


@operation("sequence_end", takes="sequence:text crops_kg tundish_rest_kg")
def sequence_end(work: Work, message: Message) -> None:
    """The strands are out: crops and what stayed in the tundish close the balance of the sequence."""
    unit = work.unit
    sequence = find_named(work, unit, str(message.fields["sequence"]))
    if sequence is None:
        raise NotYet(f"No ladle of sequence {message.fields['sequence']} was told.")
    rest_g = int(message.fields["tundish_rest_kg"]) * G_PER_KG
    tell_sequence(
        work,
        sequence,
        when_ms=message.occurred.at_ms,
        ended_ms=message.occurred.at_ms,
        crops_told_g=int(message.fields["crops_kg"]) * G_PER_KG,
        rest_g=rest_g,
    )
    count(work, unit.code, {"tundish_rest_g": rest_g, "sequences": 1})
    close_if_over(work, sequence)


def plan_of(work: Work, unit: Unit, heat: Row[Any]) -> Line | None:
    """The schedule line of a heat on this caster."""
    return find_line(work.conn, work.plant.code, unit.code, heat.number)


def _assign(work: Work, heat: Row[Any], line: Line) -> None:
    """The heat serves what it is scheduled for; a heat nobody scheduled stays stock."""
    item = line.order_item or STOCK
    if item != heat.order_item:
        assigned = OrderAssigned(material_id=heat.material_id, order_item=item, reason=f"schedule of {line.unit}")
        work.record(assigned, [heat.material_id])
