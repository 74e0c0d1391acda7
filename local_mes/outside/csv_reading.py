"""The CSV template of outside parties: a row says one thing of one piece. Read whole before anything is taken.

A row's event id follows from what it is about (kind, load, piece, time), not from the file: a file that broke off, or
was corrected in some rows, is simply sent again, and what was taken stays as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation

from local_mes.outside import errors
from local_mes.outside.domain import Said, Statement

ROWS_MAX = 2_000
"""Rows of one file: a month of a small processor; a second file takes the rest."""
FIELD_MAX = 64
KG_MAX = 400_000
NAMES = ("what", "load", "piece", "own_number", "mass_kg", "damage", "at", "order_item", "note")
WHAT = ("received", "missed", "shipped", "reapplied")
EXAMPLE = (
    ("received", "CL-000017", "G6-00412", "S-1001", "10120", "", "2026-03-11T14:05", "", ""),
    ("received", "CL-000017", "G6-00413", "", "", "edge bent at the outer wrap", "2026-03-11T14:09", "", ""),
    ("missed", "CL-000017", "G6-00414", "", "", "", "2026-03-11T14:30", "", "not on the truck"),
)


@dataclass(frozen=True)
class CsvRow:
    """A row of the file: its line, and what it says or why it cannot be taken."""

    line: int
    piece: str
    statement: Statement | None
    problem: str = ""


def template() -> str:
    """The empty file with three rows to overwrite."""
    out = io.StringIO()
    csv.writer(out).writerows((NAMES, *EXAMPLE))
    return out.getvalue()


def read_csv(content: bytes, zone: tzinfo) -> list[CsvRow]:
    """Every row with its statement or its problem. Times without zone are the plant's. BadInput: no such file at all."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.not_csv("it is not UTF-8 text") from None
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as why:
        raise errors.not_csv(str(why)) from None
    given = set(rows[0]) if rows else {name.strip() for name in head.split(delimiter)}
    missing = [name for name in ("what", "piece") if name not in given]
    if missing:
        raise errors.not_csv(f"it has no column {' and no column '.join(missing)}")
    if len(rows) > ROWS_MAX:
        raise errors.too_many("rows", ROWS_MAX)
    return [_row(line, row, zone, delimiter) for line, row in enumerate(rows, start=2)]


def _row(line: int, row: Mapping[str | None, object], zone: tzinfo, delimiter: str) -> CsvRow:
    values = {name: str(row.get(name) or "").strip() for name in NAMES}
    problem = "it has more cells than the head" if None in row else _problem(values)
    mass_g, at_ms = 0, 0
    if not problem:
        mass_g, problem = _mass(values["mass_kg"], delimiter)
    if not problem:
        at_ms, problem = _moment(values["at"], zone)
    if problem:
        return CsvRow(line, values["piece"][:FIELD_MAX], None, problem)
    said = Said(
        piece=values["piece"],
        own_number=values["own_number"],
        mass_g=mass_g,
        damage=values["damage"],
        note=values["note"],
    )
    statement = Statement(
        event_id="csv:" + "|".join((values["what"], values["load"], values["piece"], values["at"])),
        kind=values["what"],
        at_ms=at_ms,
        pieces=(said,),
        load="" if values["what"] == "shipped" else values["load"],
        number=values["load"] if values["what"] == "shipped" else "",
        order_item=values["order_item"],
    )
    return CsvRow(line, values["piece"], statement)


def _problem(values: Mapping[str, str]) -> str:
    if values["what"] not in WHAT:
        return f"what is {values['what'][:20]!r}, not one of {', '.join(WHAT)}"
    if not values["piece"]:
        return "piece is empty"
    long = [name for name, value in values.items() if len(value) > (200 if name in ("damage", "note") else FIELD_MAX)]
    return f"{long[0]} is too long" if long else ""


def _mass(text: str, delimiter: str) -> tuple[int, str]:
    """Grams, or a problem; a comma is a decimal point where semicolons part the cells."""
    if not text:
        return 0, ""
    try:
        kilograms = Decimal(text.replace(",", ".") if delimiter == ";" else text)
    except InvalidOperation:
        return 0, f"mass_kg {text[:20]!r} is no number"
    if not kilograms.is_finite() or not 0 < kilograms <= KG_MAX:
        return 0, f"mass_kg {text[:20]} is not above 0 and at most {KG_MAX}"
    return int(kilograms * 1000), ""


def _moment(text: str, zone: tzinfo) -> tuple[int, str]:
    if not text:
        return 0, "at is empty: say when, such as 2026-03-11T14:05"
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return 0, f"at {text[:30]!r} is no time such as 2026-03-11T14:05"
    at_ms = int((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)
    return (at_ms, "") if at_ms >= 0 else (0, f"at {text[:30]} is no possible time")
