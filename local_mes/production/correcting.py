"""Correcting what was recorded: a fact that names the wrong one; or a case, where pieces that went on stand on it."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.production import errors
from local_mes.production.correction_deciding import decide
from local_mes.production.correction_domain import Asked, Counted, Decided
from local_mes.production.correction_placing import PLACINGS, Placing, decide_placing
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.material.correction_facts import (
    Change,
    CorrectionBlocked,
    CorrectionSettled,
    FactCorrected,
    MarkCorrected,
)
from shared.material.correction_queries import find_case
from shared.performance.facts import MeasureCounted

SETTLED = {"stands": "The record stands", "otherwise": "Settled otherwise, see the note"}
"""How a person ends a case without carrying the correction out."""


def correct(plant: Plant, asked: Asked, *, actor: str, command_id: str) -> dict[str, Any]:
    """Correct a recorded statement, or open a case when children that moved, left or were used stand on it.

    The answer says which: {"state": "corrected" | "case", ...}. Done once for a command id.
    """
    with plant.journal.work() as tx:
        if (earlier := tx.once(command_id)) is not None:
            return dict(earlier)
        desk = _Desk(plant, tx, actor, command_id)
        if asked.what in PLACINGS:
            result = desk.put_right(decide_placing(tx.conn, plant, asked))
            tx.done(command_id, result)
            return result
        decided = decide(tx.conn, plant.code, asked)
        result = desk.open_case(asked, decided) if decided.blockers else desk.carry_out(asked, decided)
        tx.done(command_id, result)
    return result


def settle(plant: Plant, case_id: str, how: str, note: str, *, actor: str, command_id: str) -> dict[str, Any]:
    """End a case: carry the correction out, now that nothing stands in its way (refused while something does), or let
    the record stand. Done once for a command id."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command_id)) is not None:
            return dict(earlier)
        case = _open_case(tx.conn, plant.code, case_id)
        desk, result = _Desk(plant, tx, actor, command_id), {"case_id": case_id, "how": how}
        if how == "carried_out":
            asked = msgspec.json.decode(case.asked, type=Asked)
            decided = decide(tx.conn, plant.code, asked)
            if decided.corrects != case.corrects:
                raise errors.bad_correction(
                    "What the case is about was stated anew since.", "Let this case stand; correct it as it is now."
                )
            if decided.blockers:
                raise errors.still_blocked("; ".join(f"{b.number} {b.why}" for b in decided.blockers[:5]))
            result |= desk.carry_out(asked, decided, case_id)
        elif how not in SETTLED or not note.strip():
            raise errors.bad_correction(
                "A case ends with how and why.", f"Use carried_out, {', '.join(SETTLED)}, and write a note."
            )
        desk.record(CorrectionSettled(case_id=case_id, how=how, note=note.strip()), (case_id,), causes=(case.fact_id,))
        tx.done(command_id, result)
    return result


def _open_case(conn: Connection, plant: str, case_id: str) -> Row[Any]:
    case = find_case(conn, plant, case_id)
    if case is None:
        raise errors.unknown_case(case_id)
    if case.state != "open":
        raise errors.case_settled(case.how)
    return case


class _Desk:
    """One person's correction on its way to facts."""

    def __init__(self, plant: Plant, tx: Work, actor: str, command_id: str) -> None:
        self.plant, self.tx, self.actor, self.command_id = plant, tx, actor, command_id
        now = tx.now_ms()
        self.occurred = Occurred(now, "manual", plant.model.calendar.offset_min(now))

    def carry_out(self, asked: Asked, decided: Decided, case_id: str = "") -> dict[str, Any]:
        """The correcting fact, and what it moves in the figures of the day that was wrong."""
        fact = FactCorrected(
            corrects=decided.corrects,
            type=decided.type,
            reason=asked.reason.strip(),
            withdrawn=decided.withdrawn,
            changes=decided.changes,
            pieces=decided.pieces,
            weighed=decided.weighed,
            operation=decided.operation,
            case_id=case_id,
        )
        fact_id = self.record(fact, decided.subjects, causes=(decided.corrects,))
        for counted in decided.counted:
            self._count(counted, fact_id)
        return {"state": "corrected", "fact_id": fact_id, "corrects": decided.corrects, "changes": _told(decided)}

    def put_right(self, fact: Placing) -> dict[str, Any]:
        """A move or a mark as it was."""
        about = (fact.material_id, fact.mark_id) if isinstance(fact, MarkCorrected) else (fact.material_id,)
        fact_id = self.record(fact, about, causes=(fact.corrects,))
        now = fact.now if isinstance(fact, MarkCorrected) else fact.place or "not moved"
        what = "mark" if isinstance(fact, MarkCorrected) else "place"
        changes = [msgspec.structs.asdict(Change(fact.material_id, what, fact.was, now))]
        return {"state": "corrected", "fact_id": fact_id, "corrects": fact.corrects, "changes": changes}

    def open_case(self, asked: Asked, decided: Decided) -> dict[str, Any]:
        """Not carried out: what stands in its way is put on the list."""
        case_id = derived_id(self.occurred.at_ms, self.plant.code, "correction", self.command_id)
        fact = CorrectionBlocked(
            case_id=case_id,
            corrects=decided.corrects,
            type=decided.type,
            reason=asked.reason.strip(),
            changes=decided.changes,
            blockers=decided.blockers,
            asked=msgspec.json.encode(asked, order="deterministic").decode(),
        )
        self.record(fact, (case_id, *decided.subjects), causes=(decided.corrects,))
        blockers = [msgspec.structs.asdict(blocker) for blocker in decided.blockers]
        return {"state": "case", "case_id": case_id, "corrects": decided.corrects, "blockers": blockers}

    def record(self, payload: Payload, subjects: tuple[str, ...], causes: tuple[str, ...]) -> str:
        """One fact of this person."""
        return self.tx.record(Draft(payload, subjects, self.actor, self.occurred, causes=causes))[0]

    def _count(self, counted: Counted, fact_id: str) -> None:
        shift = self.plant.model.calendar.at(counted.at_ms)
        measures = {name: value for name, value in counted.measures.items() if value}
        if measures:
            moved = MeasureCounted(
                unit=counted.unit,
                production_day=shift.production_day,
                shift=shift.name,
                measures=measures,
                collected="manual",
            )
            self.record(moved, (f"{self.plant.code}.{counted.unit}",), causes=(fact_id,))


def _told(decided: Decided) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(change) for change in decided.changes]
