"""What a plant does by itself about the hub's cases: holds a piece taken in twice, renames one of two of one number."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.model.numbers import next_number
from local_mes.plant import Plant
from local_mes.transfers.checking import ACTOR
from shared.db.engine import read
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.journal.tables import command, fact
from shared.material.facts import AliasGiven, NewAlias
from shared.material.queries import find_material
from shared.quality.facts import HoldPlaced, HoldReleased
from shared.quality.queries import find_hold
from shared.transfers.tables import receipt, transfer_case

TWICE_RULE = "T-TWICE"
RELABEL = "relabel:"


def heed_cases(plant: Plant) -> int:
    """Do what open and ended cases ask of this plant; returns how many asked for something. Nothing to do writes nothing.

    Both plants hold a piece that two took in (row 11) until a person has ended the case; the second of two pieces of
    one number gets another one (row 27), whose label has to be put on.
    """
    with read(plant.node.engine) as conn:
        if not _due(conn, plant.code):
            return 0
    with plant.journal.work() as tx:
        due = _due(tx.conn, plant.code)
        for case in due:
            _heed(plant, tx, case)
        return len(due)


def _due(conn: Connection, here: str) -> list[Row[Any]]:
    kinds = ("double_receipt", "number_reuse")
    rows = conn.execute(
        select(transfer_case).where(transfer_case.c.kind.in_(kinds)).order_by(transfer_case.c.case_id)
    ).all()
    return [row for row in rows if here in (row.from_plant, row.to_plant) and _asks(conn, here, row)]


def _asks(conn: Connection, here: str, case: Row[Any]) -> bool:
    if case.kind == "number_reuse":
        done = select(command.c.command_id).where(command.c.command_id == RELABEL + case.case_id)
        return case.state == "open" and conn.execute(done).first() is None
    if _over(conn, here, case):
        return True
    return case.state == "open" and _is_unheld(conn, here, case)


def _is_unheld(conn: Connection, here: str, case: Row[Any]) -> bool:
    """Whether the piece came here and was not held since the case was opened, or opened again."""
    return find_hold(conn, _hold_id(here, case, case.reopened)) is None and _is_here(conn, here, case.material_id)


def _over(conn: Connection, here: str, case: Row[Any]) -> list[str]:
    """Holds of ends of a case that have come, still open here; the hub may have ended it and opened it again in between."""
    ends = case.reopened + (case.state == "resolved")
    holds = [find_hold(conn, _hold_id(here, case, count)) for count in range(ends)]
    return [hold.hold_id for hold in holds if hold is not None and hold.released_at_ms is None]


def _is_here(conn: Connection, here: str, material_id: str) -> bool:
    """Whether this plant is one of those that took the piece in."""
    c = receipt.c
    mine = select(c.receipt_id).where(c.author == here, c.material_id == material_id)
    return conn.execute(mine).first() is not None


def _heed(plant: Plant, tx: Work, case: Row[Any]) -> None:
    if case.kind == "number_reuse":
        _rename(plant, tx, case)
        return
    if case.state == "open" and _is_unheld(tx.conn, plant.code, case):
        _hold(plant, tx, case)
    for hold_id in _over(tx.conn, plant.code, case):
        _release(tx, case, hold_id)


def _hold(plant: Plant, tx: Work, case: Row[Any]) -> None:
    hold_id = _hold_id(plant.code, case, case.reopened)
    hold = HoldPlaced(hold_id=hold_id, material_id=case.material_id, reason=case.summary, rule_id=TWICE_RULE)
    _record(tx, hold, hold.hold_id, case)


def _release(tx: Work, case: Row[Any], hold_id: str) -> None:
    note = case.note or "the case was opened again"
    released = HoldReleased(hold_id=hold_id, material_id=case.material_id, disposition="prime", note=note)
    _record(tx, released, released.hold_id, case)


def _record(tx: Work, payload: HoldPlaced | HoldReleased, hold_id: str, case: Row[Any]) -> None:
    occurred = Occurred(tx.now_ms(), ACTOR)
    tx.record(Draft(payload, (case.material_id, hold_id), ACTOR, occurred, causes=(case.fact_id,)))


def _rename(plant: Plant, tx: Work, case: Row[Any]) -> None:
    row = _known_now(tx.conn, plant.code, case.material_id)
    scheme = plant.model.find_scheme(f"{plant.code}.{row.kind}") if row is not None else None
    number = ""
    fact_id = derived_id(case.since_ms, plant.code, "relabel", case.case_id)
    if row is not None and scheme is not None and not _is_recorded(tx.conn, fact_id):
        number = next_number(tx, scheme)
        given = AliasGiven(material_id=row.material_id, alias=NewAlias(scheme.code, number))
        occurred = Occurred(tx.now_ms(), ACTOR)
        tx.record(Draft(given, (row.material_id,), ACTOR, occurred, fact_id=fact_id, causes=(case.fact_id,)))
    tx.done(RELABEL + case.case_id, {"number": number})


def _known_now(conn: Connection, here: str, material_id: str) -> Row[Any] | None:
    """The piece under the identity that it has here by now: since the case was opened its sender's data may have come."""
    row = find_material(conn, here, material_id)
    known = find_material(conn, here, row.identified_as) if row is not None and row.identified_as else None
    return known or row


def _is_recorded(conn: Connection, fact_id: str) -> bool:
    """Whether it got its number already, and a restore took only the memory of the command."""
    return conn.execute(select(fact.c.fact_id).where(fact.c.fact_id == fact_id)).first() is not None


def _hold_id(here: str, case: Row[Any], count: int) -> str:
    """The hold of a case that was opened again so often: each time it has another one, for the last one is released."""
    again = (count,) if count else ()
    return derived_id(case.since_ms, here, "case", case.case_id, *again)
