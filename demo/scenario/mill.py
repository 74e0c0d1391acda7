"""Brackwell hot strip mill over OPC UA: charging, rolling and weighing of each slab, and what stops the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo.scenario.chance import Chance
from demo.scenario.moments import SECOND, at, minutes
from demo.scenario.orders import ROLLED
from demo.scenario.rolling import Rolled, Slab, roll
from demo.scenario.script import Line, Script, grams, piece_line, say, um

IN_FURNACE = minutes(170)
AIMS = {"ft_c": 880, "ct_c": 620}
PLAN_AHEAD = minutes(30)


@dataclass(frozen=True)
class Stop:
    """A stop of the mill; set-up counts as planned work (roll change)."""

    begins_ms: int
    minutes: int
    state: str
    reason: str

    @property
    def ends_ms(self) -> int:
        """When the mill runs again."""
        return self.begins_ms + minutes(self.minutes)


def day_stops() -> list[Stop]:
    """Day D: two roll changes, the cobble, 9 min of the table drive: APT 419 of PBT 480 min."""
    return [
        Stop(at("03-11 07:20"), 15, "SETUP", "PL-ROL"),
        Stop(at("03-11 08:12"), 22, "DOWN", "OP-COB"),
        Stop(at("03-11 10:05"), 15, "SETUP", "PL-ROL"),
        Stop(at("03-11 11:10"), 9, "DOWN", "ME-TAB"),
    ]


def slots(first_ms: int, count: int, pace_ms: int, stops: Sequence[Stop]) -> list[int]:
    """When each slab's bar leaves the finishing mill: one a pace, none while the mill stands (running time only
    counts)."""
    out, now = [], first_ms
    for _ in range(count):
        for stop in stops:
            if stop.begins_ms <= now < stop.ends_ms:
                now = stop.ends_ms + (now - stop.begins_ms)
        out.append(now)
        now += pace_ms
    return out


def play_stops(script: Script, stops: Sequence[Stop]) -> None:
    """State changes of the line."""
    for stop in stops:
        script.opc(
            stop.begins_ms,
            "BRK",
            "LINE.State",
            {"state": stop.state, "reason": stop.reason},
            {"what": "stop", "plant": "BRK", "unit": "LINE", "reason": stop.reason, "minutes": stop.minutes},
        )
        script.opc(stop.ends_ms, "BRK", "LINE.State", {"state": "RUN", "reason": ""})


def plan(script: Script, work: Sequence[tuple[int, Slab, str]], first_position: int = 1) -> None:
    """The planner's schedule lines for the mill, half an hour before each slab is charged, in lots of eight."""
    for start in range(0, len(work), 8):
        lot = work[start : start + 8]
        lines = [
            {
                "position": first_position + start + i,
                "piece": slab.number,
                "order_item": slab.order,
                "number": coil,
                "aims": {"thickness_um": um(ROLLED[slab.order][0]), "width_um": um(ROLLED[slab.order][1]), **AIMS},
            }
            for i, (_, slab, coil) in enumerate(lot)
        ]
        script.post(
            lot[0][0] - IN_FURNACE - PLAN_AHEAD, "BRK", "planner", "/api/v1/schedules", {"unit": "FM", "lines": lines}
        )


def charge(script: Script, out_ms: int, slab: Slab, position: int, chance: Chance) -> None:
    """Into the furnace, and out of it when it is due."""
    furnace = f"RF{position % 2 + 1}"
    discharge = out_ms - minutes(3.3)
    script.opc(
        discharge - IN_FURNACE,
        "BRK",
        f"{furnace}.Charge",
        {"slab": slab.number, "furnace": furnace, "row": position % 4 // 2 + 1, "temp_c": chance.whole(18, 60)},
        say("place", slab.piece, "BRK", place=furnace),
    )
    script.opc(
        discharge,
        "BRK",
        f"{furnace}.Discharge",
        {"slab": slab.number, "temp_c": chance.whole(1222, 1238), "minutes": 170},
    )


def roll_slab(
    script: Script,
    out_ms: int,
    slab: Slab,
    coil: str,
    position: int,
    chance: Chance,
    fixed: Mapping[str, float] | None = None,
) -> Rolled:
    """Roll one slab, whose tail leaves the finishing mill at out_ms, to the scale. fixed: kg, length_m of a named
    coil."""
    charge(script, out_ms, slab, position, chance)
    thickness, width = ROLLED[slab.order]
    named = fixed or {}
    kg = int(named["kg"]) if "kg" in named else None
    made = roll(slab, coil, thickness, width, chance.whole(-8, 8), kg, named.get("length_m"))
    _rough_and_finish(script, out_ms, made, chance)
    _coil(script, out_ms, made, position % 2 + 1, chance)
    return made


def _rough_and_finish(script: Script, out_ms: int, made: Rolled, chance: Chance) -> None:
    slab, finish = made.slab.number, chance.whole(872, 888)
    bar = {"slab": slab, "thickness_um": 32_000, "width_um": um(made.width_mm) + chance.whole(8, 16) * 1000}
    crops = {"slab": slab, "head_kg": made.head_kg, "tail_kg": made.tail_kg}
    tail_out: Line = {"slab": slab, "ft_avg_c": finish, "ft_min_c": finish - chance.whole(6, 12)}
    tail_out |= {"ft_max_c": finish + chance.whole(5, 11), "ft_in_window_pct": round(chance.between(97.0, 99.9), 1)}
    script.opc(out_ms - minutes(1.8), "BRK", "R1.Done", bar)
    script.opc(out_ms - minutes(1.1), "BRK", "CS1.Crop", crops)
    script.opc(out_ms, "BRK", "FM.TailOut", {**tail_out, "thickness_um": um(made.thickness_mm)})


def _coil(script: Script, out_ms: int, made: Rolled, coiler: int, chance: Chance) -> None:
    done: Line = {"slab": made.slab.number, "coil_no": made.coil, "coiler": f"DC{coiler}", "outside": "tail"}
    done |= {
        "thickness_um": um(made.thickness_mm),
        "width_um": um(made.width_mm),
        "length_mm": round(made.length_m * 1000),
    }
    done |= {"ct_c": chance.whole(612, 628), "ct_in_window_pct": round(chance.between(96.5, 99.8), 1)}
    gone, weight = say("consumed", made.slab.piece, "BRK"), grams(made.coil_kg)
    script.opc(out_ms + minutes(0.7), "BRK", f"DC{coiler}.CoilDone", done, gone, _coil_line(made, coiler))
    weighed = say("mass", made.coil, "BRK", basis="weighed", mass_g=weight, scale="CW1")
    script.opc(out_ms + minutes(2.7), "BRK", "CW1.Weight", {"coil_no": made.coil, "mass_kg": made.coil_kg}, weighed)


def _coil_line(made: Rolled, coiler: int) -> Line:
    return piece_line(
        made.coil,
        "coil",
        "BRK",
        f"DC{coiler}",
        grade=made.slab.grade,
        order=made.slab.order,
        origin="rolled",
        true_g=grams(made.coil_kg),
        weighed_g=grams(made.coil_kg),
        thickness_um=um(made.thickness_mm),
        width_um=um(made.width_mm),
        length_um=um(made.length_m * 1000),
        parents=[made.parent()],
    )


def cobble(script: Script, when_ms: int, slab: Slab, position: int, chance: Chance) -> None:
    """The bar is lost in F4: the slab is scrap, no coil comes of it."""
    charge(script, when_ms, slab, position, chance)
    script.opc(
        when_ms - minutes(1.8), "BRK", "R1.Done", {"slab": slab.number, "thickness_um": 32_000, "width_um": 1_282_000}
    )
    script.opc(
        when_ms + SECOND,
        "BRK",
        "LINE.Cobble",
        {"slab": slab.number, "mass_kg": slab.weighed_kg},
        say("scrapped", slab.piece, "BRK", mass_g=grams(slab.weighed_kg), reason="OP-COB"),
    )
