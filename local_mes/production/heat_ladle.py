"""Ladle furnace: the ladle arrives, is treated, sampled and leaves."""

from __future__ import annotations

from local_mes.level2.operations import BadMessage, Message, Work, operation
from local_mes.production.counting import count, count_run
from local_mes.production.heats import get_flowing_heat, tell_heat, told_of
from local_mes.production.pieces import move
from shared.units import G_PER_KG


@operation("ladle_arrive", takes="heat:text ladle?")
def ladle_arrive(work: Work, message: Message) -> None:
    """The ladle is in the ladle furnace."""
    heat = get_flowing_heat(work, message.fields["heat"])
    move(work, heat, message.unit)
    tell_heat(work, heat.material_id, treated_from_ms=message.occurred.at_ms)
    count_run(work, message.unit)


@operation("ladle_addition", takes="heat:text material:text kg")
def ladle_addition(work: Work, message: Message) -> None:
    """Alloy, aluminium or lime."""
    heat = get_flowing_heat(work, message.fields["heat"])
    kg = int(message.fields["kg"])
    if kg <= 0:
        raise BadMessage(f"{kg} kg of {message.fields['material']} for heat {heat.number}.", "kg")
    told = told_of(work, heat.material_id)
    tell_heat(work, heat.material_id, additions_kg=told.get("additions_kg", 0) + kg)
    count(work, message.unit, {"added_g": kg * G_PER_KG})


@operation("ladle_depart", takes="heat:text kg temp_c")
def ladle_depart(work: Work, message: Message) -> None:
    """Treated: the ladle leaves for the caster. kg is what its crane weighs; the tapped mass stays the heat's."""
    heat = get_flowing_heat(work, message.fields["heat"])
    tell_heat(work, heat.material_id, ladle_temp_c=message.fields["temp_c"], ladle_kg=message.fields["kg"])
    count_run(work, message.unit)
    count(work, message.unit, {"treated_g": int(message.fields["kg"]) * G_PER_KG, "heats": 1})
