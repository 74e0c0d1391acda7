"""Arc furnace: a heat starts, is charged, melted and tapped into a ladle."""

from __future__ import annotations

from local_mes.level2.operations import BadMessage, Message, Work, operation
from local_mes.orders.service import STOCK
from local_mes.production.counting import count, count_run
from local_mes.production.heats import find_heat, get_flowing_heat, tell_heat, told_of
from shared.material.facts import Mass, MaterialCreated, MaterialWeighed, NewAlias, NewMaterial
from shared.orders.queries import find_line
from shared.units import G_PER_KG


@operation("heat_start", takes="heat:text grade:text ladle?:text")
def heat_start(work: Work, message: Message) -> None:
    """A heat begins: it exists from here on, with nothing in it."""
    number, ladle = str(message.fields["heat"]), str(message.fields.get("ladle") or "")
    heat_id = work.new_id()
    known = find_heat(work, number)
    if known is not None and known.state == "live" and known.material_id != heat_id:
        raise BadMessage(f"Heat {number} is in work already; the number would name two heats.", "heat")
    new = NewMaterial(
        material_id=heat_id,
        kind="heat",
        aliases=(NewAlias(f"{work.plant.code}.heat", number),),
        mass=Mass(0, "charged", message.unit, message.occurred.at_ms),
        grade=str(message.fields["grade"]),
        order_item=planned_order(work, number) or STOCK,
        place=message.unit,
        heat_number=number,
        attributes={"furnace": message.unit, "ladle": ladle},
    )
    work.record(MaterialCreated(material=new, origin="made", heat_number=number), [heat_id])
    tell_heat(work, heat_id, heat=number, started_ms=message.occurred.at_ms)


def planned_order(work: Work, heat: str) -> str:
    """The order item that a caster's schedule gives this heat, empty when it has none."""
    for unit in work.plant.model.units_of("slab_caster"):
        line = find_line(work.conn, work.plant.code, unit.code, heat)
        if line is not None:
            return line.order_item
    return ""


@operation("heat_charge", takes="heat:text basket[type?:text kg]")
def heat_charge(work: Work, message: Message) -> None:
    """A basket of scrap: types and kg."""
    heat = get_flowing_heat(work, message.fields["heat"])
    kg = sum(int(part["kg"]) for part in message.fields["basket"])
    if kg <= 0:
        raise BadMessage(f"A basket of {kg} kg for heat {heat.number}.", "basket")
    told = told_of(work, heat.material_id)
    tell_heat(work, heat.material_id, scrap_kg=told.get("scrap_kg", 0) + kg, baskets=told.get("baskets", 0) + 1)
    count_run(work, message.unit)
    count(work, message.unit, {"charged_g": kg * G_PER_KG})


@operation("heat_power_on", takes="heat:text")
def heat_power_on(work: Work, message: Message) -> None:
    """The arc burns."""
    heat = get_flowing_heat(work, message.fields["heat"])
    tell_heat(work, heat.material_id, power_on_ms=message.occurred.at_ms)


@operation("heat_power_off", takes="heat:text kwh")
def heat_power_off(work: Work, message: Message) -> None:
    """Melted; the energy it took."""
    heat = get_flowing_heat(work, message.fields["heat"])
    told = told_of(work, heat.material_id)
    kwh = int(message.fields["kwh"])
    tell_heat(work, heat.material_id, energy_kwh=told.get("energy_kwh", 0) + kwh)
    since = told.get("power_on_ms")
    melting = max(0, message.occurred.at_ms - since) if since is not None else 0
    count_run(work, message.unit)
    count(work, message.unit, {"energy_kwh": kwh, "power_on_ms": melting})


@operation("heat_temperature", takes="heat:text temp_c o2_ppm?")
def heat_temperature(work: Work, message: Message) -> None:
    """A temperature of the bath or the ladle; the last one of each place is kept with the heat."""
    heat = get_flowing_heat(work, message.fields["heat"])
    if work.plant.model.get_unit(message.unit).unit_class == "eaf":
        tell_heat(work, heat.material_id, tap_temp_c=message.fields["temp_c"], tap_o2_ppm=message.fields["o2_ppm"])
    else:
        tell_heat(work, heat.material_id, ladle_temp_c=message.fields["temp_c"])


@operation("heat_tap", takes="heat:text tap_kg temp_c")
def heat_tap(work: Work, message: Message) -> None:
    """The steel is in the ladle: its first real mass, by the ladle car's scale."""
    heat = get_flowing_heat(work, message.fields["heat"])
    tapped_g = int(message.fields["tap_kg"]) * G_PER_KG
    if tapped_g <= 0:
        raise BadMessage(f"Heat {heat.number} tapped with {message.fields['tap_kg']} kg.", "tap_kg")
    mass = Mass(tapped_g, "ladle", message.unit, message.occurred.at_ms)
    work.record(MaterialWeighed(material_id=heat.material_id, mass=mass, reason="tapped"), [heat.material_id])
    tell_heat(
        work, heat.material_id, tapped_g=tapped_g, tap_temp_c=message.fields["temp_c"], tapped_ms=message.occurred.at_ms
    )
    count_run(work, message.unit)
    count(work, message.unit, {"tapped_g": tapped_g, "heats": 1})
