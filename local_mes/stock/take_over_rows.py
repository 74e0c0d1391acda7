"""Rows of an old system's files, cell by cell: what each column means, and what is wrong with a cell. Pure.

The columns are documented in docs/take-over.md; a row is what csv.DictReader or a JSON body gives: texts by column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

FILES = ("stock", "heats", "steps", "count")
_CHEMISTRY = re.compile(r"([A-Z][A-Za-z]{0,5})=([0-9.]{1,12})")


@dataclass(frozen=True, slots=True)
class Row:
    """A row with the line it stood in (the head is line 1)."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What cannot be taken over: where it stands, what is wrong, what to do."""

    file: str
    line: int
    column: str
    what: str
    todo: str


class BadCell(ValueError):
    """A cell that cannot be read; the text says why, `todo` what would do."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.todo = todo


Reader = Callable[[str, ZoneInfo], Any]


def _scaled(factor: int, unit: str, most: int) -> Reader:
    def read(text: str, _zone: ZoneInfo) -> int:
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise BadCell(f"{text!r} is no number", f"Write it in {unit} with a point, without thousands.") from None
        if not value.is_finite() or not 0 <= value <= most:
            raise BadCell(f"{text} {unit} cannot be", f"Write 0 to {most:,} {unit}.")
        return round(value * factor)

    return read


def _text(text: str, _zone: ZoneInfo) -> str:
    if len(text) > 64:
        raise BadCell(f"it has {len(text)} characters", "Use at most 64.")
    return text


def _words(text: str, _zone: ZoneInfo) -> str:
    return text[:200]


def _one_of(*allowed: str) -> Reader:
    def read(text: str, _zone: ZoneInfo) -> str:
        if text not in allowed:
            raise BadCell(f"{text!r} is not known", f"Write one of: {', '.join(allowed)}.")
        return text

    return read


def _time(text: str, zone: ZoneInfo) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadCell(f"{text!r} is no time", "Write it as 2026-03-11T06:30, local time of the plant.") from None
    return int((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)


def _numbers(text: str, zone: ZoneInfo) -> tuple[str, ...]:
    return tuple(_text(number, zone) for number in text.split())


def _chemistry(text: str, _zone: ZoneInfo) -> dict[str, int]:
    found = [_CHEMISTRY.fullmatch(part) for part in text.split()]
    if not all(found):
        raise BadCell(f"{text!r} is no analysis", "Write mass-% by symbol: C=0.045 Mn=0.21.")
    return {one[1]: round(Decimal(one[2]) * 10_000) for one in found if one}


KINDS = ("slab", "coil", "slit")
_KG, _MM, _M = _scaled(1000, "kg", 400_000), _scaled(1000, "mm", 10_000), _scaled(1_000_000, "m", 50_000)
_PIECE: dict[str, tuple[Reader, bool]] = {
    "number": (_text, True),
    "kind": (_one_of(*KINDS), True),
    "place": (_text, True),
    "grade": (_text, False),
    "mass_kg": (_KG, True),
    "mass_basis": (_one_of("theoretical", "weighed", "charged"), True),
    "thickness_mm": (_MM, False),
    "width_mm": (_MM, False),
    "length_m": (_M, False),
    "order_item": (_text, False),
    "heat": (_text, False),
    "made_at": (_time, False),
    "supplier": (_words, False),
    "also_numbers": (_numbers, False),
    "chemistry": (_chemistry, False),
}
COLUMNS: dict[str, dict[str, tuple[Reader, bool]]] = {
    "stock": _PIECE,
    "heats": {
        "heat": (_text, True),
        "grade": (_text, True),
        "mass_kg": (_KG, True),
        "state": (_one_of("open", "done"), True),
        "tapped_at": (_time, False),
        "order_item": (_text, False),
        "place": (_text, False),
        "chemistry": (_chemistry, False),
    },
    "steps": {
        "step": (_text, True),
        "operation": (_one_of("cast", "roll", "pickle", "cold_roll", "galvanise", "slit", "cut"), True),
        "unit": (_text, True),
        "ended_at": (_time, True),
        "parent": (_text, True),
        "child": (_text, True),
        "parent_kind": (_one_of("heat", *KINDS), False),
        "parent_grade": (_text, False),
        "parent_length_m": (_M, False),
        "from_m": (_M, False),
        "to_m": (_M, False),
        "child_from_m": (_M, False),
        "child_to_m": (_M, False),
        "mass_kg": (_KG, True),
    },
    "count": {"number": (_text, True), "place": (_text, False)},
}
"""File -> column -> how it is read, and whether a row must fill it."""


def read_rows(file: str, rows: Sequence[Row], zone: ZoneInfo) -> tuple[list[tuple[int, dict[str, Any]]], list[Fault]]:
    """(line, values by column; an empty cell is left out) of every row that can be read, and all faults."""
    needed = [name for name, (_, must) in COLUMNS[file].items() if must]
    found, faults = [], _heads(file, rows[0]) if rows else []
    for n, row in enumerate(rows):
        values, wrong = _cells(file, row, zone)
        if n and "" in row.cells:
            wrong.append(Fault(file, row.line, "", "more cells than the head line", "Quote cells that have a comma."))
        faults += wrong
        if not wrong and all(name in values for name in needed):
            found.append((row.line, values))
    return found, faults


def _cells(file: str, row: Row, zone: ZoneInfo) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults = []
    for column, (read, must) in COLUMNS[file].items():
        text = (row.cells.get(column) or "").strip()
        try:
            if text:
                values[column] = read(text, zone)
            elif must and column in row.cells:
                faults.append(Fault(file, row.line, column, "it is empty", "Fill it in."))
        except BadCell as bad:
            faults.append(Fault(file, row.line, column, str(bad), bad.todo))
    return values, faults


def _heads(file: str, first: Row) -> list[Fault]:
    columns = COLUMNS[file]
    missing = [name for name, (_, needed) in columns.items() if needed and name not in first.cells]
    strange = [name for name in first.cells if name not in columns]
    known = f"The columns are: {', '.join(columns)}."
    return [
        *(Fault(file, 1, name, "the column is missing", "Add it to the head line.") for name in missing),
        *(Fault(file, 1, str(name), "nobody knows this column", known) for name in strange),
    ]
