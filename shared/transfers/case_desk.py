"""Reads of the case desk: cases with owner, turn and deadline in any order, and what was said about one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, literal, or_, select
from sqlalchemy import case as when

from shared.transfers.case_rules import (
    CONFIRMED,
    DEADLINE_HOURS,
    HOUR_MS,
    OBJECTED,
    OTHER_HOURS,
    plants_of,
)
from shared.transfers.tables import case_charge, case_word, transfer_case

NOBODY = "nobody"
SORTS = ("since_ms", "due_ms")


@dataclass(frozen=True)
class DeskFilter:
    """Which cases are wanted; empty means all.

    state   open | resolved | to_confirm (ended, a plant of it has not agreed) | objected
    owner   id of a person, or NOBODY; party: whose turn it is; overdue_at_ms: open ones that were due before it
    """

    state: str = ""
    kind: str = ""
    plant: str = ""
    q: str = ""
    owner: str = ""
    party: str = ""
    overdue_at_ms: int = 0


@dataclass(frozen=True)
class Standing:
    """What one plant of a case last said of its end. kind: confirmed | objected, empty while it said nothing."""

    plant: str
    kind: str = ""
    text: str = ""
    at_ms: int | None = None
    word: str = ""
    """Id of the fact that says so."""


@dataclass(frozen=True)
class Talk:
    """The conversation about a case, oldest word first, its charge in force or None, and where its plants stand."""

    words: Sequence[Row[Any]]
    charge: Row[Any] | None
    standings: tuple[Standing, ...]


def find_desk(
    conn: Connection,
    wanted: DeskFilter,
    *,
    sort: str = "since_ms",
    descending: bool = False,
    after: str = "",
    limit: int,
) -> list[Row[Any]]:
    """Cases with owner, party, due_ms and how many words were said, by age or deadline; one statement."""
    key = _DUE if sort == "due_ms" else transfer_case.c.since_ms
    query = _narrow(_desk_query(), wanted)
    if after:
        query = query.where(_beyond(key, after, descending))
    orders = (key, transfer_case.c.case_id)
    order = [column.desc() for column in orders] if descending else orders
    return list(conn.execute(query.order_by(*order).limit(limit)))


def find_on_desk(conn: Connection, case_id: str) -> Row[Any] | None:
    """One case with owner, party and due_ms."""
    return conn.execute(_desk_query().where(transfer_case.c.case_id == case_id)).first()


def cursor_of(row: Any, sort: str) -> str:
    """The cursor behind a row of find_desk."""
    return f"{row.due_ms if sort == 'due_ms' else row.since_ms}.{row.case_id}"


def count_desk(conn: Connection, now_ms: int, person: str) -> dict[str, int]:
    """Open cases: all, overdue, this person's, nobody's; and those that ended and are not agreed on by both plants."""
    charge = case_charge.c
    open_ = transfer_case.c.state == "open"

    def count(which: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(when((which, 1), else_=0)), 0)

    query = select(
        count(open_).label("open"),
        count(and_(open_, now_ms > _DUE)).label("overdue"),
        count(and_(open_, charge.owner == person)).label("mine"),
        count(and_(open_, func.coalesce(charge.owner, "") == "")).label("nobody"),
        count(_unconfirmed()).label("to_confirm"),
    ).select_from(_joined())
    return {name: int(value) for name, value in conn.execute(query).one()._mapping.items()}


def owners(conn: Connection) -> list[str]:
    """Ids of people who look after an open case."""
    query = select(case_charge.c.owner).join(transfer_case, _same_case()).where(transfer_case.c.state == "open")
    return sorted({str(owner) for owner in conn.execute(query.distinct()).scalars() if owner})


def read_talk(conn: Connection, case: Row[Any]) -> Talk:
    """Everything said about a case."""
    c = case_word.c
    words = conn.execute(
        select(case_word).where(c.case_id == case.case_id).order_by(c.recorded_at_ms, c.author, c.fact_id)
    ).all()
    charge = conn.execute(select(case_charge).where(case_charge.c.case_id == case.case_id)).first()
    plants = plants_of(case.from_plant, case.to_plant)
    return Talk(words, charge, tuple(_standing(plant, words, case.reopened) for plant in plants))


def _standing(plant: str, words: Sequence[Row[Any]], reopened: int) -> Standing:
    """What a plant says of the end that stands; its words on an end that was taken back are history."""
    said = next(
        (
            word
            for word in words
            if word.author == plant and word.kind in (CONFIRMED, OBJECTED) and word.reopened == reopened
        ),
        None,
    )
    return Standing(plant) if said is None else Standing(plant, said.kind, said.text, said.said_at_ms, said.fact_id)


def _same_case() -> ColumnElement[bool]:
    return and_(case_charge.c.case_id == transfer_case.c.case_id, case_charge.c.author == transfer_case.c.author)


def _joined() -> Any:
    return transfer_case.outerjoin(case_charge, _same_case())


_HOURS = when(
    *((transfer_case.c.kind == kind, hours) for kind, hours in DEADLINE_HOURS.items()), else_=literal(OTHER_HOURS)
)
_DUE = func.coalesce(
    case_charge.c.deadline_ms,
    func.nullif(transfer_case.c.due_at_ms, 0),
    transfer_case.c.opened_at_ms + _HOURS * HOUR_MS,
)
"""When a case is due: as a person set it, else by the group's standard of that time, else by its kind (case_rules.py)."""


def _desk_query() -> Select[Any]:
    said = select(func.count()).where(case_word.c.case_id == transfer_case.c.case_id).scalar_subquery()
    return select(
        transfer_case,
        func.coalesce(case_charge.c.owner, "").label("owner"),
        func.coalesce(case_charge.c.party, transfer_case.c.author).label("party"),
        _DUE.label("due_ms"),
        said.label("words"),
    ).select_from(_joined())


def _narrow(query: Select[Any], wanted: DeskFilter) -> Select[Any]:
    c = transfer_case.c
    states = {"to_confirm": _unconfirmed(), "objected": and_(c.state == "resolved", _said_last(OBJECTED, None))}
    if wanted.state:
        query = query.where(states.get(wanted.state, c.state == wanted.state))
    if wanted.kind:
        query = query.where(c.kind == wanted.kind)
    if wanted.plant:
        query = query.where(or_(c.from_plant == wanted.plant, c.to_plant == wanted.plant))
    if wanted.q:
        query = query.where(or_(c.piece_number.ilike(f"%{wanted.q}%"), c.shipment_number.ilike(f"%{wanted.q}%")))
    if wanted.owner:
        query = query.where(func.coalesce(case_charge.c.owner, "") == ("" if wanted.owner == NOBODY else wanted.owner))
    if wanted.party:
        query = query.where(func.coalesce(case_charge.c.party, c.author) == wanted.party)
    if wanted.overdue_at_ms:
        query = query.where(c.state == "open", wanted.overdue_at_ms > _DUE)
    return query


def _beyond(key: ColumnElement[int], after: str, descending: bool) -> ColumnElement[bool]:
    """What comes after a cursor; one that is no cursor begins anew."""
    at, _, case_id = after.partition(".")
    if not at.isdigit():
        return literal(True)
    mine, same = int(at), key == int(at)
    if descending:
        return or_(key < mine, and_(same, transfer_case.c.case_id < case_id))
    return or_(key > mine, and_(same, transfer_case.c.case_id > case_id))


def _unconfirmed() -> ColumnElement[bool]:
    """Ended, and a plant of it has not agreed."""
    c = transfer_case.c
    missing = [and_(plant != "", ~_said_last(CONFIRMED, plant)) for plant in (c.from_plant, c.to_plant)]
    return and_(c.state == "resolved", or_(*missing))


def _said_last(kind: str, plant: Any) -> ColumnElement[bool]:
    """Whether a plant's last word on the end that stands was this one (any plant's with None)."""
    w = case_word.c
    of_it = (w.case_id == transfer_case.c.case_id, w.reopened == transfer_case.c.reopened)
    said = select(literal(1)).where(*of_it, w.kind == kind)
    if plant is not None:
        said = said.where(w.author == plant)
    return said.correlate(transfer_case).exists()
