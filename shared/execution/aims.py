"""What a step aims at, with where each figure comes from: schedule, practice, route, plant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.standards.product_kinds import Column, Practice
from shared.standards.route_steps import Step

Value = int | str


@dataclass(frozen=True)
class Aim:
    """One figure to reach. low and high: its bounds where the source gives them; source: a standard's id or `schedule`,
    version 0 where it has none; over: what it stands in place of, in words."""

    name: str
    value: Value
    unit: str = ""
    low: int | None = None
    high: int | None = None
    source: str = ""
    version: int = 0
    over: tuple[str, ...] = ()

    @property
    def said_by(self) -> str:
        """Source with its version."""
        return f"{self.source} v{self.version}" if self.version else self.source


@dataclass(frozen=True)
class Open:
    """A practice that has no single row for the piece yet, and why."""

    practice: str
    version: int
    why: str


def practice_aims(practice: Practice, known: Mapping[str, Value]) -> tuple[list[Aim], Open | None]:
    """The aims of the row that fits what is known of the piece; else why there is none.

    A figure that is not known leaves several rows: what all of them say alike is an aim all the same. A word where the
    practice asks for a range bounds nothing: it is not known as a figure.
    """
    words = {str(c.of) for c in practice.columns if c.role in ("from", "to") and isinstance(known.get(str(c.of)), str)}
    known = {name: value for name, value in known.items() if name not in words}
    rows = [dict(zip((c.name for c in practice.columns), row, strict=True)) for row in practice.rows]
    unknown = sorted({_asked(c) for c in practice.columns if c.role in ("key", "from", "to")} - set(known))
    fitting = [row for row in rows if _fits(practice.columns, row, known)]
    if not fitting:
        told = ", ".join(f"{name} {known[name]}" for name in sorted(_keys(practice) & set(known)))
        return [], Open(practice.id, practice.version, f"no row for {told or 'this piece'}")
    alike = [aim for aim in _aims(practice, fitting[0]) if all(aim in _aims(practice, row) for row in fitting[1:])]
    why = f"depends on {', '.join(unknown)}, which is not known yet" if len(fitting) > 1 else ""
    return alike, Open(practice.id, practice.version, why) if why else None


def _keys(practice: Practice) -> set[str]:
    return {_asked(c) for c in practice.columns if c.role in ("key", "from", "to")}


def _asked(column: Column) -> str:
    return column.name if column.role == "key" else str(column.of)


def _fits(columns: Sequence[Column], row: Mapping[str, Value], known: Mapping[str, Value]) -> bool:
    for column in columns:
        value = known.get(_asked(column)) if column.role in ("key", "from", "to") else None
        if value is None:
            continue
        said = row[column.name]
        if column.role == "key" and value != said:
            return False
        if column.role == "from" and int(value) < int(said):
            return False
        if column.role == "to" and int(value) >= int(said):
            return False
    return True


def _aims(practice: Practice, row: Mapping[str, Value]) -> list[Aim]:
    bounds = {(c.of, c.role): int(row[c.name]) for c in practice.columns if c.role in ("min", "max")}
    return [
        Aim(
            c.name,
            row[c.name],
            c.unit,
            bounds.get((c.name, "min")),
            bounds.get((c.name, "max")),
            practice.id,
            practice.version,
        )
        for c in practice.columns
        if c.role == "aim"
    ]


def step_aims(step: Step, route: str, version: int) -> list[Aim]:
    """What the route itself aims at in a step; `NAME_window_UNIT` gives the bounds of `NAME_UNIT`."""
    found = []
    for name, value in step.aims.items():
        if "_window" in name:
            continue
        stem, _, unit = name.rpartition("_")
        window = step.aims.get(f"{stem}_window_{unit}")
        low, high = (value - window, value + window) if window else (None, None)
        found.append(Aim(name, value, "", low, high, route, version))
    return found


def settle(sources: Iterable[Iterable[Aim]]) -> list[Aim]:
    """One aim a name: that of the first source that has it, with what it stands in place of. In order of first mention."""
    found: dict[str, Aim] = {}
    for source in sources:
        for aim in source:
            had = found.get(aim.name)
            if had is None:
                found[aim.name] = aim
            elif had.value != aim.value:
                over = (*had.over, f"{aim.said_by}: {aim.value}")
                found[aim.name] = _with_bounds(had, aim, over)
            elif had.low is None and had.high is None:
                found[aim.name] = _with_bounds(had, aim, had.over)
    return list(found.values())


def _with_bounds(aim: Aim, other: Aim, over: tuple[str, ...]) -> Aim:
    """Bounds of a practice count for a scheduled aim as well."""
    low, high = (aim.low, aim.high) if (aim.low, aim.high) != (None, None) else (other.low, other.high)
    return Aim(aim.name, aim.value, aim.unit or other.unit, low, high, aim.source, aim.version, over)
