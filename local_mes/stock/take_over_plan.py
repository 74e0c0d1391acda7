"""What a take-over would record, checked as a whole: numbers, places, steps, and against a count. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from local_mes.stock.take_domain import Booked, Counted, Difference, differences
from local_mes.stock.take_over_rows import FILES, Fault, Row, read_rows

LENGTH_SLACK_UM = 50_000
"""By how much an interval may stand over the parent's length: old systems round."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece that is to be taken over. live: it is here now; else it was used up by a step. values: cells by column."""

    number: str
    kind: str
    live: bool
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """An operation of the old system: lines of one step in the order of the file."""

    name: str
    lines: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that would be recorded, in its order, and what speaks against it."""

    pieces: Sequence[Piece] = ()
    steps: Sequence[Step] = ()
    faults: Sequence[Fault] = ()
    counted: Sequence[Difference] = ()
    totals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings:
    """What the plant knows: places by their beginning, numbers that live here, its zone, now (UTC ms)."""

    is_place: Callable[[str], bool]
    taken: Collection[str]
    zone: ZoneInfo
    now_ms: int


Lines = list[tuple[int, dict[str, Any]]]


def make_plan(files: Mapping[str, Sequence[Row]], around: Surroundings) -> Plan:
    """The whole of it; a plan with faults is not to be recorded."""
    read: dict[str, Lines] = {}
    faults: list[Fault] = []
    for file in FILES:
        read[file], wrong = read_rows(file, files.get(file, ()), around.zone)
        faults += wrong
    faults += _places(read, around) + _numbers(read, around) + _steps(read, around) + _done_heats(read)
    pieces = _pieces(read)
    steps = _grouped(read["steps"])
    totals = {
        "stock": len(read["stock"]),
        "heats": len(read["heats"]),
        "used_up": sum(not piece.live for piece in pieces),
        "steps": len(steps),
        "mass_g": sum(values["mass_kg"] for _, values in read["stock"]),
    }
    faults.sort(key=lambda one: (FILES.index(one.file), one.line, one.column))
    return Plan(pieces, steps, faults, _against_count(read), totals)


def _places(read: Mapping[str, Lines], around: Surroundings) -> list[Fault]:
    return [
        Fault(file, line, "place", f"{values['place']!r} is no place of this plant", "Begin with a unit or area.")
        for file in ("stock", "heats", "count")
        for line, values in read[file]
        if values.get("place") and not around.is_place(values["place"])
    ]


def _numbers(read: Mapping[str, Lines], around: Surroundings) -> list[Fault]:
    faults, seen = [], dict[str, int]()
    for file, column in (("heats", "heat"), ("stock", "number")):
        for line, values in read[file]:
            for number in (values[column], *values.get("also_numbers", ())):
                if number in around.taken:
                    faults.append(Fault(file, line, column, f"{number} lives here already", "Leave the row out."))
                elif number in seen:
                    what = f"{number} stands in line {seen[number]} too"
                    faults.append(Fault(file, line, column, what, "A number names one piece: leave one out."))
                seen[number] = line
    return faults


def _steps(read: Mapping[str, Lines], around: Surroundings) -> list[Fault]:
    faults, children = [], {values["child"] for _, values in read["steps"]}
    kinds = {values["number"]: values["kind"] for _, values in read["stock"]}
    kinds |= {values["heat"]: "heat" for _, values in read["heats"]}
    kinds |= {values["parent"]: values["parent_kind"] for _, values in read["steps"] if "parent_kind" in values}
    lengths = _lengths(read)

    def wrong(line: int, column: str, what: str, todo: str) -> None:
        faults.append(Fault("steps", line, column, what, todo))

    for line, values in read["steps"]:
        for column in ("parent", "child"):
            if values[column] not in kinds:
                wrong(
                    line,
                    column,
                    f"{values[column]} is in no file",
                    "Add it to stock or heats, or give its parent_kind.",
                )
        if values["ended_at"] > around.now_ms:
            wrong(line, "ended_at", "it is in the future", "Give the time of the step.")
        if values.get("to_m", 0) < values.get("from_m", 0):
            wrong(line, "to_m", "it ends before it begins", "Give from and to along the parent.")
        length = lengths.get(values["parent"], 0)
        if length and values.get("to_m", 0) > length + LENGTH_SLACK_UM:
            what = f"{values['parent']} is {length / 1e6:,.2f} m long"
            wrong(line, "to_m", what, "Give metres along the parent, not along the strip before it.")
    return faults + _overlaps(read["steps"]) + _cycles(read["steps"], children)


def _done_heats(read: Mapping[str, Lines]) -> list[Fault]:
    used = {values["parent"] for _, values in read["steps"]}
    return [
        Fault(
            "heats", line, "state", f"{values['heat']} is done, and no step used it", "Leave it out, or add its steps."
        )
        for line, values in read["heats"]
        if values["state"] == "done" and values["heat"] not in used
    ]


def _lengths(read: Mapping[str, Lines]) -> dict[str, int]:
    known = {values["number"]: values.get("length_m", 0) for _, values in read["stock"]}
    return known | {
        values["parent"]: values["parent_length_m"] for _, values in read["steps"] if "parent_length_m" in values
    }


def _overlaps(lines: Lines) -> list[Fault]:
    """Children that were cut across one parent cannot have been the same metres of it; slits are side by side."""
    faults = []
    cuts: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for line, values in lines:
        if values["operation"] in ("cut", "roll") and "to_m" in values:
            cuts[values["parent"]].append((values.get("from_m", 0), values["to_m"], line))
    for parent, spans in cuts.items():
        spans.sort()
        for (_, end, _), (begin, _, line) in pairwise(spans):
            if begin < end - LENGTH_SLACK_UM:
                what = f"{begin / 1e6:,.2f} m of {parent} went into another piece already"
                faults.append(Fault("steps", line, "from_m", what, "Children share out the parent's length."))
    return faults


def _cycles(lines: Lines, children: Collection[str]) -> list[Fault]:
    """Nothing is made of itself: takes away what has no parents until nothing more goes."""
    parents: dict[str, set[str]] = defaultdict(set)
    for _, values in lines:
        parents[values["child"]].add(values["parent"])
    left = set(children)
    while done := {child for child in left if not parents[child] & left}:
        left -= done
    return [
        Fault("steps", line, "child", f"{values['child']} is made of itself", "Break the circle of parents.")
        for line, values in lines
        if values["child"] in left and values["parent"] in left
    ]


def _pieces(read: Mapping[str, Lines]) -> list[Piece]:
    heats = [Piece(v["heat"], "heat", v["state"] == "open", v) for _, v in read["heats"]]
    stock = [Piece(v["number"], v["kind"], True, v) for _, v in read["stock"]]
    known = {piece.number for piece in (*heats, *stock)}
    used: dict[str, Piece] = {}
    for _, values in read["steps"]:
        number = values["parent"]
        if number not in known and "parent_kind" in values:
            told = {"length_m": values.get("parent_length_m", 0), "grade": values.get("parent_grade", "")}
            used.setdefault(number, Piece(number, values["parent_kind"], False, told))
    return [*heats, *used.values(), *stock]


def _grouped(lines: Lines) -> list[Step]:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for _, values in lines:
        groups[values["step"]].append(values)
    return [Step(name, rows) for name, rows in groups.items()]


def _against_count(read: Mapping[str, Lines]) -> list[Difference]:
    """The old system's stock against what people counted in the yard; nothing where nobody counted."""
    if not read["count"]:
        return []
    booked = [Booked(v["number"], v["number"], v["place"], 0) for _, v in read["stock"]]
    known = {piece.number: piece for piece in booked}
    for _, values in read["stock"]:
        known |= {number: known[values["number"]] for number in values.get("also_numbers", ())}
    counted = [Counted(v["number"], v.get("place", ""), 1) for _, v in read["count"]]
    found = differences("", 1, booked, counted, known)
    return [one for one in found if one.kind != "elsewhere" or one.found_place]
