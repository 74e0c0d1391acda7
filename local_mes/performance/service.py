"""Use cases of figures: the shift's figures by the plant's calendar, the reason of a stop, the handover note."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from local_mes.model.calendar import Shift
from local_mes.performance import errors
from local_mes.plant import Plant
from local_mes.standards.service import find_reasons
from shared.journal.fact import Draft, Occurred
from shared.performance.facts import HandoverNoted, StopRecorded
from shared.performance.figures import Figures, figures_of
from shared.performance.queries import delay_ms, find_stop, sums

REASON = re.compile(r"(EL|ME|OP|EX|PL)(-[A-Z0-9]{1,12})?")
"""The tree of delay reasons: electrical, mechanical, operation, external (waiting), planned; then a leaf."""


@dataclass(frozen=True)
class UnitFigures:
    """One unit over one production day or shift."""

    unit: str
    unit_class: str
    figures: Figures
    delays_ms: dict[str, int]

    @property
    def delay_ms(self) -> int:
        """All stops together."""
        return sum(self.delays_ms.values())


def production_day(plant: Plant, at_ms: int | None = None) -> str:
    """The plant's production day (06:00 to 06:00 in its zone, as the model says) of a moment, by default of now."""
    return plant.model.calendar.production_day(plant.clock.now_ms() if at_ms is None else at_ms)


def shift_at(plant: Plant, at_ms: int | None = None) -> Shift:
    """The shift of a moment, by default of now."""
    return plant.model.calendar.at(plant.clock.now_ms() if at_ms is None else at_ms)


def figures(conn: Connection, plant: Plant, day: str, shift: str = "") -> list[UnitFigures]:
    """Figures of every unit that counted or stood still, in the order of the plant model."""
    counted = sums(conn, author=plant.code, days=[day], shift=shift)
    delays = delay_ms(conn, author=plant.code, days=[day], shift=shift)
    found = []
    for unit in plant.model.unit:
        key = (plant.code, unit.code)
        if key in counted or key in delays:
            found.append(UnitFigures(unit.code, unit.unit_class, figures_of(counted.get(key, {})), delays.get(key, {})))
    return found


def reasons(conn: Connection) -> list[tuple[str, str]]:
    """Code and text of the reasons that people choose for a stop, by the tree in force; empty without one."""
    tree = find_reasons(conn, "delay")
    return [(leaf.code, leaf.text) for leaf in tree.leaves] if tree else []


def _checked_reason(conn: Connection, reason: str) -> str:
    """A leaf of the tree in force; without one, the built-in branches and any leaf, however they were typed."""
    known = [code for code, _ in reasons(conn)]
    if known and reason not in known:
        raise errors.unknown_reason(reason, known)
    if known:
        return reason
    if not REASON.fullmatch(reason.upper()):
        raise errors.bad_reason(reason)
    return reason.upper()


def correct_stop(plant: Plant, stop_id: str, reason: str, note: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """Give a stop its reason; the stop keeps its time, the record before stays in the journal."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command_id)) is not None:
            return dict(earlier)
        reason = _checked_reason(tx.conn, reason)
        row = find_stop(tx.conn, plant.code, stop_id)
        if row is None:
            raise errors.unknown_stop(stop_id)
        fact = StopRecorded(
            stop_id=stop_id,
            unit=row.unit,
            from_ms=row.from_ms,
            to_ms=row.to_ms,
            reason=reason,
            note=note.strip(),
            production_day=row.production_day,
            shift=row.shift,
        )
        now = tx.now_ms()
        tx.record(
            Draft(
                payload=fact,
                subjects=(stop_id, f"{plant.code}.{row.unit}"),
                actor=actor,
                occurred=Occurred(now, "manual", plant.model.calendar.offset_min(now)),
            )
        )
        result = {"stop_id": stop_id, "unit": row.unit, "reason": reason, "was": row.reason}
        tx.done(command_id, result)
    return result


def note_handover(plant: Plant, text: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """A shift lead's note for the next shift."""
    if not text.strip():
        raise errors.empty_note()
    with plant.journal.work() as tx:
        if (earlier := tx.once(command_id)) is not None:
            return dict(earlier)
        now = tx.now_ms()
        shift = plant.model.calendar.at(now)
        fact = HandoverNoted(production_day=shift.production_day, shift=shift.name, text=text.strip())
        tx.record(
            Draft(
                payload=fact,
                subjects=(f"{plant.code}.handover",),
                actor=actor,
                occurred=Occurred(now, "manual", plant.model.calendar.offset_min(now)),
            )
        )
        result = {"production_day": shift.production_day, "shift": shift.name}
        tx.done(command_id, result)
    return result
