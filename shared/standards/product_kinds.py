"""Standards of what is made and how: products, practices (tables of aims), and which grade may serve for which."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.standards.frame import Document, EquipmentClass, ParameterName, StandardId, Strict

Grade = Annotated[str, Field(min_length=1, max_length=40)]
Unit = Annotated[str, Field(max_length=16)]


class Range(Strict):
    """A figure in whole stored units of its name (um, MPa, ppm ...); None: no bound on that side."""

    name: ParameterName
    unit: Unit
    min: int | None = None
    max: int | None = None

    @model_validator(mode="after")
    def _has_a_sense(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError(f"{self.name} has neither a least nor a greatest value")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"{self.name} begins at {self.min} and ends at {self.max}")
        return self


class TestDemand(Strict):
    """A test that must be done: so many samples for each heat, coil or lot."""

    name: str = Field(min_length=2, max_length=60)
    method: str = Field("", max_length=60)
    per: Literal["heat", "slab", "coil", "lot"]
    samples: int = Field(1, ge=1, le=100)


class Product(Document):
    """A product: grades, the dimensions it comes in, required properties, tests, and the routes that make it."""

    kind: Literal["product"] = "product"
    grades: tuple[Grade, ...] = Field(min_length=1, max_length=100)
    dimensions: tuple[Range, ...] = Field(max_length=20)
    properties: tuple[Range, ...] = Field((), max_length=50)
    tests: tuple[TestDemand, ...] = Field((), max_length=50)
    certificate: Literal["none", "2.1", "2.2", "3.1", "3.2"] = "none"
    mass_basis: Literal["weighed", "theoretical"] = "weighed"
    routes: tuple[StandardId, ...] = Field((), max_length=20)
    source: str = Field("", max_length=300)

    @model_validator(mode="after")
    def _names_are_used_once(self) -> Self:
        for ranges in (self.dimensions, self.properties):
            _once("property", [r.name for r in ranges])
        return self


class Column(Strict):
    """A column of a practice: a key that chooses the row, or an aim with its bounds beside it."""

    name: ParameterName
    unit: Unit
    role: Literal["key", "from", "to", "aim", "min", "max"]
    of: ParameterName | None = None


class Practice(Document):
    """A casting, heating, rolling or annealing table: rows chosen by grade and dimension, with aims and their bounds.

    A column of role `from` or `to` bounds the figure it is `of` (from <= figure < to); `min` and `max` bound the aim
    they are `of`. Of two rows that fit, there is none: rows may not overlap.
    """

    kind: Literal["practice"] = "practice"
    at: EquipmentClass
    columns: tuple[Column, ...] = Field(min_length=2, max_length=40)
    rows: tuple[tuple[int | str, ...], ...] = Field(min_length=1, max_length=2_000)

    @model_validator(mode="after")
    def _rows_fit_the_columns(self) -> Self:
        _once("column", [column.name for column in self.columns])
        names = {column.name for column in self.columns}
        for column in self.columns:
            if column.role in ("min", "max") and column.of not in names:
                raise ValueError(f"{column.name} bounds {column.of}, which is no column")
            if column.role in ("from", "to") and not column.of:
                raise ValueError(f"{column.name} does not say which figure it bounds")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} values for {len(self.columns)} columns")
            _check_bounds(self, number, dict(zip(names_of(self), row, strict=True)))
        _check_apart(self)
        return self


def names_of(practice: Practice) -> list[str]:
    """The practice's columns by name."""
    return [column.name for column in practice.columns]


def _check_bounds(practice: Practice, number: int, row: dict[str, int | str]) -> None:
    for column in practice.columns:
        value = row[column.name]
        if column.role != "key" and not isinstance(value, int):
            raise ValueError(f"row {number}: {column.name} is {value!r}, a whole number is needed")
        if column.role in ("min", "max"):
            aim, bound = row[str(column.of)], value
            low, high = (bound, aim) if column.role == "min" else (aim, bound)
            if int(low) > int(high):
                raise ValueError(f"row {number}: {column.of} {aim} is beyond its {column.role} {bound}")


def _check_apart(practice: Practice) -> None:
    """No two rows of the same keys fit the same figures: else the table would have two answers."""
    keys = [i for i, column in enumerate(practice.columns) if column.role == "key"]
    spans = _spans(practice)
    alike: dict[tuple[int | str, ...], list[tuple[int, tuple[int | str, ...]]]] = {}
    for number, row in enumerate(practice.rows, start=1):
        others = alike.setdefault(tuple(row[i] for i in keys), [])
        for earlier, other in others:
            if all(row[a] < other[b] and other[a] < row[b] for a, b in spans):  # type: ignore[operator]
                raise ValueError(f"rows {earlier} and {number} both fit")
        others.append((number, row))


def _spans(practice: Practice) -> list[tuple[int, int]]:
    """Positions of the `from` and `to` columns of each figure."""
    ends = {(column.of, column.role): i for i, column in enumerate(practice.columns)}
    bounded = sorted({str(column.of) for column in practice.columns if column.role in ("from", "to")})
    missing = [figure for figure in bounded if (figure, "from") not in ends or (figure, "to") not in ends]
    if missing:
        raise ValueError(f"{missing[0]} needs both a from and a to column")
    return [(ends[figure, "from"], ends[figure, "to"]) for figure in bounded]


class Substitute(Strict):
    """One grade that may serve for another; order 1 is tried first."""

    grade: Grade
    by: Grade
    order: int = Field(ge=1, le=100)
    downgrade: bool = False
    note: str = Field("", max_length=300)


class Substitution(Document):
    """Which grade may serve for which, in what order; downgrade: only with the loss of its own name."""

    kind: Literal["substitution"] = "substitution"
    substitutes: tuple[Substitute, ...] = Field(min_length=1, max_length=1_000)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        _once("substitute", [f"{s.grade} by {s.by}" for s in self.substitutes])
        _once("order", [f"{s.grade}, order {s.order}" for s in self.substitutes])
        same = [s.grade for s in self.substitutes if s.grade == s.by]
        if same:
            raise ValueError(f"{same[0]} cannot stand in for itself")
        return self


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} twice: {', '.join(twice)}")
