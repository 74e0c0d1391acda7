"""How the old MES's daily file is read and compared: one TOML file, named by the setting `pilot` (docs/pilot.md)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from local_mes.level2.drivers.records import Column, FileError, Record, read_csv, read_fixed, read_xml
from shared.errors import BadSetup

BYTES_MAX = 64 << 20
TEXTS = ("number", "kind", "heat", "order", "grade", "place", "state", "made_at")
NUMBERS = {
    "mass_g": ("mass", 1),
    "mass_kg": ("mass", 1_000),
    "mass_t": ("mass", 1_000_000),
    "thickness_um": ("thickness", 1),
    "thickness_mm": ("thickness", 1_000),
    "width_um": ("width", 1),
    "width_mm": ("width", 1_000),
    "length_um": ("length", 1),
    "length_mm": ("length", 1_000),
    "length_m": ("length", 1_000_000),
}
"""Names of columns that are figures: what is compared, and how many g or um one of theirs is."""
UNITS = {"mass": ("kg", 1_000), "thickness": ("mm", 1_000), "width": ("mm", 1_000), "length": ("mm", 1_000)}
"""How people read a figure, and how many g or um that is; tolerances are in it too."""
KINDS = ("heat", "slab", "coil", "strip", "piece")


class Rewrite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that matches the pattern as a whole becomes `to`, with \\1 and so on; the first that matches counts."""

    pattern: str
    to: str

    def __post_init__(self) -> None:
        re.compile(self.pattern)


class PilotColumn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of their file. source: its name there (XML: child or @attribute); at, width: of fixed width, from 0."""

    name: Literal[
        "number", "kind", "heat", "order", "grade", "place", "state", "made_at",
        "mass_g", "mass_kg", "mass_t", "thickness_um", "thickness_mm", "width_um", "width_mm",
        "length_um", "length_mm", "length_m",
    ]  # fmt: skip
    source: str = ""
    at: Annotated[int, Meta(ge=0)] = 0
    width: Annotated[int, Meta(ge=0, le=4_000)] = 0
    rewrite: tuple[Rewrite, ...] = ()


class Tolerance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is no difference: so much (kg, mm), or so much of their value; the larger counts."""

    absolute: Annotated[float, Meta(ge=0)] = 0
    percent: Annotated[float, Meta(ge=0, le=100)] = 0


class PilotRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file.

    scope      made: their file lists what was made that day; stock: all that is there
    day        pattern of the file's name that finds the production day, as YYYY, MM and DD in three groups; left out:
               the production day before the file came
    due        local time by which the file of the day before is expected
    kinds      what their file lists
    states     their word -> ours (live, consumed, scrapped, shipped, held)
    """

    folder: str
    format: Literal["csv", "xml", "fixed"]
    columns: Annotated[tuple[PilotColumn, ...], Meta(min_length=1)]
    kinds: Annotated[tuple[str, ...], Meta(min_length=1)]
    pattern: str = "*"
    day: str = ""
    due: Annotated[str, Meta(pattern=r"^[0-2]\d:[0-5]\d$")] = "07:00"
    scope: Literal["made", "stock"] = "made"
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ";"
    encoding: Literal["utf-8", "ascii", "latin-1", "cp1250", "cp1252", "cp037", "cp500"] = "utf-8"
    record: str = ""
    settled_s: Annotated[float, Meta(ge=0, le=3600)] = 5
    states: dict[str, Literal["live", "consumed", "scrapped", "shipped", "held"]] = {}
    tolerance: dict[str, Tolerance] = {}

    def __post_init__(self) -> None:
        """What msgspec's types cannot say."""
        names = [one.name for one in self.columns]
        if "number" not in names:
            raise ValueError("no column is the piece's `number`")
        bases = [NUMBERS[name][0] if name in NUMBERS else name for name in names]
        doubled = sorted({base for base in bases if bases.count(base) > 1})
        if doubled:
            raise ValueError(f"two columns give {doubled[0]}")
        if self.format == "xml" and not self.record:
            raise ValueError("XML needs `record`, the element that is one")
        if self.format == "fixed" and not all(one.width for one in self.columns):
            raise ValueError("fixed width needs `at` and `width` of each column")
        if strange := sorted(set(self.tolerance) - set(UNITS)):
            raise ValueError(f"a tolerance of {strange[0]}: possible are {', '.join(UNITS)}")
        if self.day and re.compile(self.day).groups != 3:
            raise ValueError("`day` needs three groups: year, month, day")

    @property
    def compared(self) -> tuple[str, ...]:
        """The fields that are compared, by our names."""
        names = (NUMBERS[one.name][0] if one.name in NUMBERS else one.name for one in self.columns)
        return tuple(name for name in names if name not in ("number", "made_at"))


@dataclass(frozen=True)
class TheirPiece:
    """A piece as the old MES says; figures in g and um, state in our words. problem: why the line cannot be read."""

    line: int
    number: str
    values: dict[str, Any]
    problem: str = ""


def load_rules(file: Path) -> PilotRules:
    """Read and check; BadSetup says what is wrong."""
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), PilotRules)
    except (OSError, ValueError, re.error) as error:
        raise BadSetup(
            "pilot.bad_rules",
            f"The rules of the comparison {file} cannot be used: {error}.",
            todo="docs/pilot.md describes them.",
        ) from error


def read_pieces(rules: PilotRules, content: bytes) -> list[TheirPiece]:
    """The pieces of a file; FileError when it cannot be read at all, a problem where a line cannot."""
    columns = tuple(
        Column(name=one.name, source=one.source, at=one.at, width=one.width, type=_type_of(one.name))
        for one in rules.columns
    )
    if len(content) > BYTES_MAX:
        raise FileError(f"it has more than {BYTES_MAX >> 20} MiB")
    if rules.format == "xml":
        records = read_xml(content, rules.record, columns)
    else:
        try:
            text = content.decode("utf-8-sig" if rules.encoding == "utf-8" else rules.encoding)
        except UnicodeDecodeError as error:
            raise FileError(f"it is not {rules.encoding}: {error.reason} at byte {error.start}") from error
        records = read_csv(text, columns, rules.delimiter) if rules.format == "csv" else read_fixed(text, columns)
    return [_piece(rules, record) for record in records]


def _type_of(name: str) -> Literal["text", "number"]:
    return "number" if name in NUMBERS else "text"


def _piece(rules: PilotRules, record: Record) -> TheirPiece:
    if record.problem:
        return TheirPiece(record.number, "", {}, record.problem)
    values: dict[str, Any] = {}
    for column in rules.columns:
        value = record.fields[column.name]
        if column.name in NUMBERS:
            base, factor = NUMBERS[column.name]
            values[base] = None if value is None else round(value * factor)
        else:
            values[column.name] = _rewritten(column, value)
    number = values.pop("number")
    if not number:
        return TheirPiece(record.number, "", {}, f"Record {record.number}: it has no number.")
    if "state" in values:
        theirs = values["state"]
        if theirs not in rules.states:
            return TheirPiece(
                record.number, number, {}, f"Record {record.number}: the state {theirs!r} is not in [states]."
            )
        values["state"] = rules.states[theirs]
    return TheirPiece(record.number, number, values)


def _rewritten(column: PilotColumn, value: str) -> str:
    for one in column.rewrite:
        found = re.fullmatch(one.pattern, value)
        if found:
            return found.expand(one.to)
    return value
