"""The mass balance of a production day: read it, explain what is open, close it by figures or by signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.performance import errors
from local_mes.performance.tolerances import tolerances
from local_mes.plant import Plant
from shared.clock import to_datetime
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.material.queries import find_operation
from shared.performance.balance import ClassBalance, Moved, StepSum, by_class
from shared.performance.balance_queries import changed_since, closes_of, open_imbalances, scrapped_g, sums_of_steps
from shared.performance.closing_facts import BalanceLine, DayClosed, ImbalanceSettled

IMBALANCES_MAX = 1_000
"""Operations of one day's work-list; the largest come first."""


@dataclass(frozen=True)
class DayBalance:
    """A production day by class of operation, what is open in it, and how often it was closed."""

    production_day: str
    from_ms: int
    to_ms: int
    sums: Sequence[StepSum]
    classes: Sequence[ClassBalance]
    open: Sequence[Row[Any]]
    scrapped: tuple[int, int]
    """Pieces that ended whole as scrap, and their grams."""
    closes: Sequence[Row[Any]]
    moved: Sequence[Moved]
    """What changed since the last close."""
    is_over: bool

    @property
    def outside(self) -> list[str]:
        """Classes of operation whose unexplained mass is outside their tolerance."""
        return [f"{c.operation} ({c.unit_class})" for c in self.classes if not c.closes]

    @property
    def state(self) -> str:
        """running | open | closed | signed | reopened."""
        if not self.is_over:
            return "running"
        if not self.closes:
            return "open"
        return "reopened" if self.moved else "signed" if self.closes[0].signed else "closed"


def read_day(conn: Connection, plant: Plant, day: str) -> DayBalance:
    """A day's balance as its operations say now."""
    try:
        from_ms, to_ms = plant.model.calendar.day_bounds(day)
    except ValueError:
        raise errors.bad_day(day) from None
    known = tolerances(plant.model)
    sums = sums_of_steps(conn, plant.code, from_ms, to_ms)
    closes = closes_of(conn, plant.code, day)
    return DayBalance(
        day,
        from_ms,
        to_ms,
        sums,
        by_class(sums, [(unit.code, unit.unit_class) for unit in plant.model.unit], known),
        open_imbalances(conn, plant.code, known, from_ms, to_ms, IMBALANCES_MAX),
        scrapped_g(conn, plant.code, from_ms, to_ms),
        closes,
        changed_since(conn, closes[0]) if closes else [],
        plant.clock.now_ms() >= to_ms,
    )


def close_day(plant: Plant, day: str, reason: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """Close a production day. Inside the tolerance of each class, without open imbalances, the figures close it; else
    the reason is a person's signature, and without one it is refused. Done once for a command id."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command_id)) is not None:
            return dict(earlier)
        found = read_day(tx.conn, plant, day)
        _check_open(plant, found)
        unexplained = bool(found.outside or found.open)
        if unexplained and not reason.strip():
            raise errors.day_unexplained(day, found.outside, len(found.open))
        fact = DayClosed(
            production_day=day,
            from_ms=found.from_ms,
            to_ms=found.to_ms,
            lines=_lines(plant, found.sums),
            open_imbalances=len(found.open),
            signed=unexplained,
            reason=reason.strip(),
            nth=len(found.closes) + 1,
        )
        _record(plant, tx, fact, (f"{plant.code}.day.{day}",), actor)
        result = {"production_day": day, "state": "signed" if unexplained else "closed", "again": bool(found.closes)}
        tx.done(command_id, result)
    return result


def _check_open(plant: Plant, found: DayBalance) -> None:
    if not found.is_over:
        offset = plant.model.calendar.offset_min(found.to_ms)
        until = to_datetime(found.to_ms + offset * 60_000).strftime("%Y-%m-%d %H:%M")
        raise errors.day_not_over(found.production_day, until)
    if found.state in ("closed", "signed"):
        raise errors.day_is_closed(found.production_day)


def _lines(plant: Plant, sums: Sequence[StepSum]) -> tuple[BalanceLine, ...]:
    classes = {unit.code: unit.unit_class for unit in plant.model.unit}
    known = tolerances(plant.model)
    names = ("unit", "operation", "operations", "charged_g", "added_g", "produced_g", "loss_g")
    return tuple(
        BalanceLine(
            unit_class=classes.get(one.unit, ""),
            tolerance_ppm=known.get(one.unit, 0),
            **{name: getattr(one, name) for name in names},
        )
        for one in sorted(sums, key=lambda s: (s.unit, s.operation))
    )


def settle_imbalance(plant: Plant, operation_id: str, reason: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """Explain an operation's unexplained mass, as it is now; when its figures change it is open again."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command_id)) is not None:
            return dict(earlier)
        if not reason.strip():
            raise errors.no_explanation()
        row = find_operation(tx.conn, plant.code, operation_id)
        if row is None:
            raise errors.unknown_operation(operation_id)
        if not row.unexplained_g:
            raise errors.no_imbalance()
        fact = ImbalanceSettled(operation_id=operation_id, unexplained_g=row.unexplained_g, reason=reason.strip())
        _record(plant, tx, fact, (operation_id,), actor)
        result = {"operation_id": operation_id, "unexplained_g": row.unexplained_g}
        tx.done(command_id, result)
    return result


def _record(plant: Plant, tx: Work, fact: Payload, subjects: tuple[str, ...], actor: str) -> None:
    now = tx.now_ms()
    tx.record(Draft(fact, subjects, actor, Occurred(now, "manual", plant.model.calendar.offset_min(now))))
