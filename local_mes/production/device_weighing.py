"""What scales say: a piece weighed wherever it lies, a vehicle weighed loaded and empty.

A weighing with a calibration that had expired is recorded all the same, marked in its reason, and raises a deviation:
what was weighed cannot be refused, and nobody must mistake it for a good one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from local_mes.level2.operations import BadMessage, Message, Work, operation
from local_mes.production.in_work import find_told, forget, tell
from local_mes.production.pieces import get_live, get_made
from local_mes.production.weighing import weigh_product
from shared.material.facts import DeviationRaised, Mass, MaterialWeighed
from shared.material.queries import MaterialFilter, list_materials
from shared.transfers.facts import VehicleWeighed
from shared.transfers.queries import find_shipments

WEIGHBRIDGE = "WEIGHBRIDGE"
"""Where vehicles wait for their second weighing (see in_work.py)."""
BETWEEN_MS = 72 * 3_600_000
"""A vehicle whose second weighing comes later begins anew: it was here before on another errand."""
LOAD_MS = 14 * 24 * 3_600_000
LOADS_LOOKED_AT = 10


@operation(
    "piece_weighed",
    takes="piece?:text mass_g tare_g? basis?:text scale:text calibrated_until:text line?:text test?:flag",
)
def piece_weighed(work: Work, message: Message) -> None:
    """A scale's word on a piece: its mass from now on, net of a tare; the balance too, where the scale is a line's."""
    f = message.fields
    if f.get("test"):
        return
    piece = get_live(work, str(f["piece"]), "piece") if f.get("piece") else _on_scale(work)
    remark = _expired(work, f)
    if f.get("line"):
        piece, made = get_made(work, piece.number, str(f["line"]))
        weigh_product(work, piece, made, int(f["mass_g"]), str(f["scale"]))
    else:
        where = message.unit or message.link
        tare = f", net of {int(f['tare_g']) / 1000:,.0f} kg tare" if f.get("basis") == "net" else ""
        mass = Mass(int(f["mass_g"]), "weighed", str(f["scale"]), message.occurred.at_ms)
        reason = f"weighed at {where}{tare}{f'; {remark}' if remark else ''}"
        work.record(MaterialWeighed(material_id=piece.material_id, mass=mass, reason=reason), [piece.material_id])
    if remark:
        _deviate(work, "calibration", f"{piece.number} was weighed although {remark}.", piece.material_id)


def _on_scale(work: Work) -> Row[Any]:
    """The one piece that lies at the scale's unit; BadMessage when there is none or several."""
    unit = work.message.unit or work.message.link
    here = MaterialFilter(author=work.plant.code, state="live", place=unit)
    rows, _ = list_materials(work.conn, here, limit=2)
    if len(rows) != 1:
        which = "no piece" if not rows else "more than one piece"
        raise BadMessage(f"A load was weighed at {unit}, and {which} is booked there: say which it was.", "piece")
    return rows[0]


@operation(
    "vehicle_weighed",
    takes="ticket:text vehicle:text mass_g scale:text calibrated_until:text shipment?:text tolerance_g?",
)
def vehicle_weighed(work: Work, message: Message) -> None:
    """One of a vehicle's two weighings; with the second one its net mass is known, and compared with its load."""
    f, vehicle = message.fields, "".join(str(message.fields["vehicle"]).upper().split())
    now = message.occurred.at_ms
    here = {"g": int(f["mass_g"]), "weighed_ms": now, "ticket": str(f["ticket"]), "remark": _expired(work, f)}
    first = find_told(work.conn, WEIGHBRIDGE, vehicle)
    if first is None or abs(now - first["weighed_ms"]) > BETWEEN_MS:
        tell(work.conn, WEIGHBRIDGE, vehicle, now, scale=f["scale"], shipment=str(f.get("shipment", "")), **here)
        return
    if first["g"] == here["g"]:
        raise BadMessage(f"{vehicle} weighs {first['g'] / 1000:,.0f} kg both times: one of the two is wrong.", "mass_g")
    weighings: tuple[dict[str, Any], ...] = (first, here)
    tare, gross = sorted(weighings, key=lambda one: int(one["g"]))
    load = _load_of(work, vehicle, str(f.get("shipment") or first["shipment"]))
    weighed = VehicleWeighed(
        weighing_id=work.new_id(),
        ticket=str(f["ticket"]),
        vehicle=str(f["vehicle"]),
        gross_g=gross["g"],
        tare_g=tare["g"],
        net_g=gross["g"] - tare["g"],
        gross_at_ms=gross["weighed_ms"],
        tare_at_ms=tare["weighed_ms"],
        scale=str(f["scale"]),
        shipment_number=load.number if load else "",
        remark=str(first["remark"] or here["remark"]),
    )
    work.record(weighed, [weighed.weighing_id])
    forget(work.conn, WEIGHBRIDGE, vehicle)
    _check_load(work, weighed, load)


def _check_load(work: Work, weighed: VehicleWeighed, load: Row[Any] | None) -> None:
    if weighed.remark:
        _deviate(work, "calibration", f"{weighed.vehicle} was weighed although {weighed.remark}.")
    off_g = weighed.net_g - int(load.mass_g) if load is not None else 0
    if abs(off_g) > int(work.message.fields.get("tolerance_g", 0)):
        text = f"{weighed.vehicle} carries {weighed.net_g / 1000:,.0f} kg, the pieces of {weighed.shipment_number}"
        _deviate(work, "weighbridge", f"{text} weigh {off_g / 1000:+,.0f} kg less (ticket {weighed.ticket}).")


def _load_of(work: Work, vehicle: str, number: str) -> Row[Any] | None:
    """The load named on the ticket, else the vehicle's last one from or to this plant."""
    now = work.message.occurred.at_ms
    for row in find_shipments(work.conn, q=number or str(work.message.fields["vehicle"]), limit=LOADS_LOOKED_AT):
        ours = work.plant.code in (row.author, row.to_plant) and abs(now - row.departed_at_ms) <= LOAD_MS
        same = row.number == number if number else "".join(row.vehicle.upper().split()) == vehicle
        if ours and same:
            return row
    return None


def _expired(work: Work, fields: dict[str, Any]) -> str:
    """What is to be said of the scale's calibration on the local day of the weighing; nothing when it was good."""
    until = date.fromisoformat(str(fields["calibrated_until"]))
    moment = datetime.fromtimestamp(work.message.occurred.at_ms / 1000, UTC)
    day = moment.astimezone(ZoneInfo(work.plant.model.plant.zone)).date()
    return f"the calibration of {fields['scale']} had expired on {until.isoformat()}" if day > until else ""


def _deviate(work: Work, rule: str, text: str, material_id: str = "") -> None:
    raised = DeviationRaised(deviation_id=work.new_id(), rule=rule, text=text, material_id=material_id)
    work.record(raised, [material_id or raised.deviation_id])
