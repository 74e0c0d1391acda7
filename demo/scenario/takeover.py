"""The opening stock: what lay in the yards at the take-over and was not made in the pre-history (scenario section
1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.scenario.castplan import THICKNESS_MM, WIDTH_MM
from demo.scenario.chance import Chance, spread
from demo.scenario.moments import at
from demo.scenario.orders import DD11, DUCTING, PROFILES, S235, STOCK, TRAILER
from demo.scenario.rolling import Slab, slab_length_m
from demo.scenario.script import Line, Script, grams, piece_line, um
from demo.scenario.steel import as_e6, ladle_final
from demo.scenario.strip import COLD_MM, STRIP_MM, Coil

WHEN = at("03-10 16:00")
SUPPLIER = "Nordhavn Steel"
COBBLE_KG = 20_610
HOT_KG_M, COLD_KG_M = 24.9238, 7.4575
"""Strip of 2.50 x 1270 and 0.76 x 1250 mm at 7,850 kg/m3."""


@dataclass(frozen=True)
class Stocks:
    """What the rest of the day may use; `yard` are slabs at ALD as (number, theoretical kg)."""

    yard: list[tuple[str, int]]
    slabs: list[Slab]
    full_hard: list[Coil]
    hot: list[Coil]


@dataclass(frozen=True)
class Amounts:
    """How many pieces the take-over brings."""

    ald: int
    brk_slabs: int
    brk_bought: int
    brk_coils: int
    cld_hard: int
    cld_hot: int
    cobble: int
    """Index of the slab at BRK that the cobble will take."""


FULL = Amounts(60, 90, 30, 40, 30, 20, 35)
SMALL = Amounts(12, 6, 2, 2, 3, 2, 0)


def take_over(script: Script, amounts: Amounts, chance: Chance, t2: int, t3: int, sums_kg: tuple[int, int]) -> Stocks:
    """Import the stock of each plant; t2 and t3 slabs at ALD have the sums that the trains are to have."""
    mine = chance.purpose("take-over")
    yard = _ald(script, amounts, mine, (t2, t3), sums_kg)
    slabs = _brk(script, amounts, mine)
    hard, hot = _cld(script, amounts, mine)
    return Stocks(yard, slabs, hard, hot)


def _import(script: Script, plant: str, rows: Sequence[dict[str, Any]], lines: Sequence[Line]) -> None:
    offset = {"ALD": 0, "BRK": 1000, "CLD": 2000}[plant]
    script.post(WHEN + offset, plant, "planner", "/api/v1/stock/import", {"rows": list(rows)}, *lines)


def _row(
    number: str,
    kind: str,
    place: str,
    grade: str,
    kg: int,
    basis: str,
    size: tuple[float, float, float],
    order: str,
    heat: str,
    chance: Chance,
    supplier: str = "",
) -> dict[str, Any]:
    return {
        "number": number,
        "kind": kind,
        "place": place,
        "grade": grade,
        "chemistry": as_e6(ladle_final("", grade, chance.purpose(f"chemistry {heat}"))),
        "mass_g": grams(kg),
        "mass_basis": basis,
        "thickness_um": um(size[0]),
        "width_um": um(size[1]),
        "length_um": um(size[2] * 1000),
        "order_item": order,
        "heat": heat,
        "supplier": supplier,
    }


def _line(plant: str, row: dict[str, Any]) -> Line:
    told = {f"{row['mass_basis']}_g": row["mass_g"]}
    return piece_line(
        row["number"],
        row["kind"],
        plant,
        row["place"],
        grade=row["grade"],
        order=row["order_item"],
        origin="purchased" if row["supplier"] else "migrated",
        true_g=row["mass_g"],
        thickness_um=row["thickness_um"],
        width_um=row["width_um"],
        length_um=row["length_um"],
        **told,
    )


def _ald(
    script: Script, amounts: Amounts, chance: Chance, trains: tuple[int, int], sums: tuple[int, int]
) -> list[tuple[str, int]]:
    numbers = [
        f"{heat}-{s}-{c}"
        for i in range(10)
        for heat in (f"{1 + i % 2}618{15 + i // 2}",)
        for s in (1, 2)
        for c in (1, 2, 3)
    ]
    numbers = numbers[: amounts.ald]
    masses = spread(sums[0], [20_558] * trains[0], 11, chance, -2, 2) + spread(
        sums[1], [20_558] * trains[1], 11, chance, -2, 2
    )
    masses += [20_558] * (len(numbers) - len(masses))
    rows = []
    for i, (number, kg) in enumerate(zip(numbers, masses, strict=True)):
        grade, order = ("L06", DUCTING) if i < 48 else ("M15", S235)
        rows.append(
            _row(
                number,
                "slab",
                f"YA-{i % 3 + 1}-{i // 3 % 12 + 1}",
                grade,
                kg,
                "theoretical",
                (THICKNESS_MM, WIDTH_MM, slab_length_m(kg)),
                order,
                number[:6],
                chance,
            )
        )
    _import(script, "ALD", rows, [_line("ALD", row) for row in rows])
    return list(zip(numbers, masses, strict=True))


def _brk_orders(count: int) -> list[tuple[str, str]]:
    """Grade and order of the slabs at BRK in the order in which they will be rolled."""
    if count < 90:
        return [("M15", S235), ("H35", TRAILER), ("L06", DD11), ("L06", DUCTING), ("L06", STOCK), ("M15", S235)][:count]
    campaigns = (
        [("L06", DUCTING)] * 24
        + [("M15", S235)] * 24
        + [("H35", TRAILER)] * 6
        + [("L06", DD11)] * 8
        + [("L06", STOCK)] * 18
    )
    return campaigns + [("M15", S235)] * 2 + [("L06", DD11)] * 2 + [("L06", STOCK)] * 6


def _brk(script: Script, amounts: Amounts, chance: Chance) -> list[Slab]:
    rows, slabs = [], []
    orders = _brk_orders(amounts.brk_slabs)
    length = slab_length_m(20_558)
    size = (THICKNESS_MM, WIDTH_MM, length)
    for i, (grade, order) in enumerate(orders):
        bought = i >= len(orders) - amounts.brk_bought
        number, kg = f"BS6-{9021 + i:05d}", chance.whole(2048, 2072) * 10 if i != amounts.cobble else COBBLE_KG
        heat = f"N{48210 + i // 6}" if bought else f"{1 + i // 6 % 2}617{42 + i // 12:02d}"
        supplier = SUPPLIER if bought else ""
        rows.append(
            _row(
                number,
                "slab",
                f"YB-{i % 6 + 1}-{i // 6 % 12 + 1}",
                grade,
                kg,
                "weighed",
                size,
                order,
                heat,
                chance,
                supplier,
            )
        )
        slabs.append(Slab(number, number, kg, length, grade, order))
    for i in range(amounts.brk_coils):
        order = DUCTING if i % 2 else STOCK
        rows.append(
            _coil_row(
                _hot_coil(f"B6-{10611 + i}", order, chance),
                f"CB{i % 4 + 1}-3-{i // 4 % 14 + 1}",
                f"2617{60 + i // 6}",
                chance,
            )
        )
    _import(script, "BRK", rows, [_line("BRK", row) for row in rows])
    return slabs


def _hot_coil(number: str, order: str, chance: Chance) -> Coil:
    kg = chance.whole(2005, 2040) * 10
    return Coil(number, number, kg, round(kg / HOT_KG_M, 1), 2.50, 1270, "L06", order)


def _full_hard(number: str, order: str, chance: Chance) -> Coil:
    kg = chance.whole(19_450, 19_750)
    return Coil(number, number, kg, round(kg / COLD_KG_M, 1), COLD_MM, STRIP_MM, "L06", order)


def _coil_row(coil: Coil, place: str, heat: str, chance: Chance) -> dict[str, Any]:
    size = (coil.thickness_mm, coil.width_mm, coil.length_m)
    return _row(coil.number, "coil", place, coil.grade, round(coil.kg), "weighed", size, coil.order, heat, chance)


def _cld(script: Script, amounts: Amounts, chance: Chance) -> tuple[list[Coil], list[Coil]]:
    hard = [_full_hard(f"C6-{4351 + i:05d}-R", PROFILES if i < 8 else DUCTING, chance) for i in range(amounts.cld_hard)]
    hot = [_hot_coil(f"C6-{4411 + i:05d}", DUCTING, chance) for i in range(amounts.cld_hot)]
    rows = [
        _coil_row(coil, f"YC-{i // 14 % 2 + 1}-{i % 14 + 1}", f"1616{20 + i // 6}", chance)
        for i, coil in enumerate(hard)
    ]
    rows += [
        _coil_row(coil, f"YC-{i // 14 % 2 + 3}-{i % 14 + 1}", f"1616{30 + i // 6}", chance)
        for i, coil in enumerate(hot)
    ]
    _import(script, "CLD", rows, [_line("CLD", row) for row in rows])
    return hard, hot
