"""Aldermoor, furnace to ladle: two EAFs and two ladle furnaces over OPC UA, the laboratory by telegram (times:
scenario section 6)."""

from __future__ import annotations

from demo.scenario.castplan import HEAT_T, Ladle
from demo.scenario.chance import Chance
from demo.scenario.moments import minutes
from demo.scenario.script import SAMPLE_TO_RESULT, Line, Script, grams, piece_line
from demo.scenario.steel import FIXED, as_lab, earlier, ladle_final

TAPPED_KG = 127_500
TAP_BEFORE_OPEN = minutes(70)
FINAL_BEFORE_OPEN = minutes(20)
LAB = "ALD-LAB"


def play_heat(script: Script, ladle: Ladle, ladle_no: int, order: str, chance: Chance) -> dict[str, float]:
    """Furnace, ladle furnace and laboratory of one heat; gives its LF final analysis."""
    mine = chance.purpose(f"heat {ladle.heat}")
    final = ladle_final(ladle.heat, ladle.grade, mine)
    _furnace(script, ladle, ladle_no, order, mine)
    _ladle_furnace(script, ladle, ladle_no, mine)
    tap, opens = ladle.opens_ms - TAP_BEFORE_OPEN, ladle.opens_ms
    for place, taken in (
        ("EAF", tap - minutes(12)),
        ("LFA", opens - minutes(56)),
        ("LFF", opens - FINAL_BEFORE_OPEN),
        ("TUN", opens + minutes(12)),
    ):
        values = final if place == "LFF" else earlier(place, final, mine.purpose(place))
        results = as_lab(values)
        script.telegram(
            taken + SAMPLE_TO_RESULT,
            "ALD",
            LAB,
            "LB1010",
            {
                "sample": f"{ladle.heat}{place}1",
                "heat": ladle.heat,
                "place": place,
                "count": len(results),
                "results": results,
            },
            *_held(ladle, place),
        )
    return final


def _held(ladle: Ladle, place: str) -> tuple[Line, ...]:
    """161843 fails both rules with its final analysis: the heat is held before a slab of it exists."""
    if place != "LFF" or ladle.heat not in FIXED or FIXED[ladle.heat]["Cu"] <= 0.22:
        return ()
    return tuple(
        {"what": "hold", "piece": ladle.heat, "plant": "ALD", "rule": rule} for rule in ("QR-CHE-01", "QR-RES-01")
    )


def _furnace(script: Script, ladle: Ladle, ladle_no: int, order: str, chance: Chance) -> None:
    unit, heat, tap = f"EAF{ladle.heat[0]}", ladle.heat, ladle.opens_ms - TAP_BEFORE_OPEN
    script.opc(tap - minutes(48), "ALD", f"{unit}.HeatStart", {"heat": heat, "grade": ladle.grade, "ladle": ladle_no})
    for basket, (before, kg) in enumerate(((47, 82_000), (30, 61_000)), 1):
        heavy = chance.whole(38, 46) * kg // 100
        script.opc(
            tap - minutes(before),
            "ALD",
            f"{unit}.Charge",
            {
                "heat": heat,
                "basket": [{"type": "E3" if basket == 1 else "E40", "kg": heavy}, {"type": "E8", "kg": kg - heavy}],
            },
        )
    script.opc(tap - minutes(45), "ALD", f"{unit}.PowerOn", {"heat": heat})
    script.opc(tap - minutes(12), "ALD", f"{unit}.Sample", {"heat": heat, "sample": f"{heat}EAF1", "place": "EAF"})
    script.opc(tap - minutes(6), "ALD", f"{unit}.PowerOff", {"heat": heat, "kwh": chance.whole(47_500, 51_500)})
    script.opc(
        tap - minutes(5),
        "ALD",
        f"{unit}.Temp",
        {"heat": heat, "temp_c": chance.whole(1628, 1648), "o2_ppm": chance.whole(380, 620)},
    )
    script.opc(
        tap,
        "ALD",
        f"{unit}.Tap",
        {"heat": heat, "tap_kg": TAPPED_KG, "temp_c": chance.whole(1618, 1632)},
        piece_line(
            heat,
            "heat",
            "ALD",
            unit,
            grade=ladle.grade,
            order=order,
            origin="tapped",
            true_g=grams(TAPPED_KG),
            weighed_g=grams(TAPPED_KG),
        ),
    )


def _ladle_furnace(script: Script, ladle: Ladle, ladle_no: int, chance: Chance) -> None:
    unit, heat, opens = f"LF{ladle.heat[0]}", ladle.heat, ladle.opens_ms
    script.opc(opens - minutes(58), "ALD", f"{unit}.Arrive", {"heat": heat, "ladle": ladle_no})
    script.opc(opens - minutes(56), "ALD", f"{unit}.Sample", {"heat": heat, "sample": f"{heat}LFA1", "place": "LFA"})
    for before, material, low, high in ((52, "FeMn", 250, 400), (46, "Al", 120, 190), (40, "CaO", 700, 1000)):
        script.opc(
            opens - minutes(before),
            "ALD",
            f"{unit}.Addition",
            {"heat": heat, "material": material, "kg": chance.whole(low, high)},
        )
    script.opc(
        opens - minutes(28),
        "ALD",
        f"{unit}.Temp",
        {"heat": heat, "temp_c": chance.whole(1578, 1590), "o2_ppm": chance.whole(2, 6)},
    )
    script.opc(
        opens - FINAL_BEFORE_OPEN, "ALD", f"{unit}.Sample", {"heat": heat, "sample": f"{heat}LFF1", "place": "LFF"}
    )
    script.opc(
        opens - minutes(18),
        "ALD",
        f"{unit}.Depart",
        {"heat": heat, "kg": round(HEAT_T * 1000) + 1_500, "temp_c": chance.whole(1574, 1584)},
    )
