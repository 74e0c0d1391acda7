"""The days after the first: the same day again with a new seed for the bulk, later dates and other numbers on the
steel.

What the first day had from its pre-history comes in by a stock take-over, and so does its opening stock: the yards
are filled from
elsewhere, as in a group with more plants than the three that are shown. Standards and orders stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from demo.scenario.day import ENDS, Scenario, build
from demo.scenario.moments import DAY, MINUTE
from demo.scenario.morning import morning
from demo.scenario.script import Event, Line, say
from demo.scenario.steel import GRADES, as_e6
from demo.scenario.takeover import WHEN

STEPS = {"B6-": 500, "BS6-": 500, "C6-": 150, "G6-": 40, "": 250}
"""How far each kind of number moves on a day: more than a day uses of it."""
_COIL = re.compile(r"\b(BS6-|B6-|C6-|G6-)(\d{5})")
_HEAT = re.compile(r"(?<![-\d])([12]6)(\d{4})(?!\d)")
_LOAD = re.compile(r"\b(RT|RC|KT)-2603(\d\d)-(\d+)")
_SEQUENCE = re.compile(r"^44(17|18)$")
_COIL_STACK = re.compile(r"\b(CB[1-4])-(\d)-(\d+)\b")
EVENING_BEFORE = 10
"""Of March: the date of T1 and R1."""
ONCE_ONLY = {"standards", "wait_standards"}


def build_next(seed: int, day: int, size: str, caster: str) -> Scenario:
    """Day D + `day` (1, 2, ...), to be played after the day before it has ended."""
    first = build(seed + day, size, caster)
    begins = ENDS + (day - 1) * DAY + MINUTE
    before = [event for event in first.events if event.at_ms < WHEN]
    arrivals = morning(build(seed + day - 1, size, caster))
    events: list[list[Event]] = [_stand_in(before, begins)]
    events += [
        _shift(event, day, begins) for event in first.events if event.at_ms >= WHEN and event.via not in ONCE_ONLY
    ]
    named = [_renamed(event, day) for group in events for event in group]
    named += [_renamed(moved, day - 1) for event in arrivals for moved in _shift(event, day - 1, begins)]
    named.sort(key=lambda event: event.at_ms)
    return Scenario(seed + day, size, caster, begins, begins, ENDS + day * DAY, tuple(named))


def _renamed(event: Event, day: int) -> Event:
    if day == 0:
        return event  # of the first day itself: its names are as they are
    lines = tuple(_rename(line, day) for line in event.ledger)
    return replace(event, fields=_rename(event.fields, day), ledger=lines, name=_rename(event.name, day))


def _shift(event: Event, day: int, begins: int) -> list[Event]:
    """The same event a day later; what would lie in the day before happens as soon as it is over."""
    at_ms = max(event.at_ms + day * DAY, begins + MINUTE)
    claimed = event.claimed_ms + day * DAY if event.claimed_ms else 0
    fields = dict(event.fields)
    if "eta_ms" in fields:
        fields["eta_ms"] += day * DAY
    lines = tuple(line | {"day": day} if line["what"] == "end" else line for line in event.ledger)
    return [replace(event, at_ms=at_ms, claimed_ms=claimed, fields=fields, ledger=lines)]


def _stand_in(before: list[Event], begins: int) -> list[Event]:
    """Takes over, plant by plant, what the pre-history would have left there."""
    pieces: dict[str, Line] = {}
    where: dict[str, tuple[str | None, str]] = {}
    numbers: dict[str, str] = {}
    for event in before:
        for line in event.ledger:
            _follow(line, pieces, where, numbers)
    out = []
    for i, plant in enumerate(("ALD", "BRK", "CLD")):
        here = [name for name, (at, _) in where.items() if at == plant and pieces[name]["kind"] != "heat"]
        rows = [_row(pieces[name], numbers.get(name, name), where[name][1]) for name in here]
        lines = [_known(pieces[name], plant, where[name][1]) for name in here]
        lines += [say("number", name, plant, number=numbers[name], scheme="") for name in here if name in numbers]
        if rows:
            out.append(
                Event(
                    begins + i * 1000,
                    i,
                    plant,
                    "http",
                    "/api/v1/stock/import",
                    {"rows": rows},
                    tuple(lines),
                    who="planner",
                )
            )
    return out


def _known(piece: Line, plant: str, place: str) -> Line:
    return piece | {"plant": plant, "place": place, "origin": "migrated", "parents": []}


def _follow(
    line: Line, pieces: dict[str, Line], where: dict[str, tuple[str | None, str]], numbers: dict[str, str]
) -> None:
    name = line.get("piece", "")
    if line["what"] == "piece":
        pieces[name], where[name] = line, (line["plant"], line["place"])
    elif line["what"] == "place":
        where[name] = (line["plant"], line["place"])
    elif line["what"] == "number":
        numbers[name] = line["number"]
    elif line["what"] == "mass":
        pieces[name] = pieces[name] | {"weighed_g": line["mass_g"], "true_g": line["mass_g"]}
    elif line["what"] in ("consumed", "scrapped"):
        where.pop(name, None)


def _row(piece: Line, number: str, place: str) -> dict[str, Any]:
    basis = "weighed" if piece["weighed_g"] else "theoretical"
    return {
        "number": number,
        "kind": piece["kind"],
        "place": place,
        "grade": piece["grade"],
        "chemistry": as_e6(GRADES[piece["grade"]].aim),
        "mass_g": piece[f"{basis}_g"],
        "mass_basis": basis,
        "thickness_um": piece["thickness_um"],
        "width_um": piece["width_um"],
        "length_um": piece["length_um"],
        "order_item": piece["order"],
        "heat": number[:6] if number[0] in "12" else "",
        "supplier": "",
    }


def _load(kind: str, date: int, number: int, day: int) -> str:
    """What left on the evening before counts from 11, or it would bear the numbers of the evening's own loads."""
    return f"{kind}-2603{(date + day - 1) % 99 + 1:02d}-{number + (10 if date == EVENING_BEFORE else 0)}"


def _bed(yard: str, row: str, stack: str, day: int) -> str:
    """Where a day puts a coil: the first day fills row 1, so the second takes row 2; what was stock stands two high by
    then, and from the third day on there is room in the yard and nobody says in which stack."""
    if day > 1:
        return yard
    return f"{yard}-{2 if row == '1' else row}-{stack}"


def _rename(value: Any, day: int) -> Any:
    """Every number that is painted on steel or printed on a paper, wherever it stands."""
    if isinstance(value, str):
        text = _COIL.sub(lambda m: f"{m[1]}{(int(m[2]) + STEPS[m[1]] * day) % 100_000:05d}", value)
        text = _HEAT.sub(lambda m: f"{m[1]}{(int(m[2]) + STEPS[''] * day) % 10_000:04d}", text)
        text = _LOAD.sub(lambda m: _load(m[1], int(m[2]), int(m[3]), day), text)
        text = _COIL_STACK.sub(lambda m: _bed(m[1], m[2], m[3], day), text)
        return _SEQUENCE.sub(lambda m: str(4400 + (int(m[1]) + 2 * day) % 600), text)
    if isinstance(value, Mapping):
        return {key: _rename(part, day) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_rename(part, day) for part in value)
    return value
