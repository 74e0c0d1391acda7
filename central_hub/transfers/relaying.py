"""What a plant must know goes down its stream: departures, corrections, cases that concern it, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, String, and_, bindparam, case, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from central_hub.hub import downlink
from central_hub.transfers.floors import in_open_spans, recent
from shared.db.prepared import Prepared
from shared.journal.tables import entry
from shared.outside.queries import list_parties
from shared.transfers.gate_facts import ReceiptsSwapped
from shared.transfers.plan_tables import load_announcement
from shared.transfers.tables import case_word, departure_correction, shipment, transfer_case, transfer_word
from shared.transfers.words import load_of_word
from sync.understanding import reads_fact

TOLD = ("refused", "returned", "diverted", "lost", "amended", "taken", "differs", "pictured", "swapped")
"""Words that the other side of the lane must know; a bundle's new number only finds pieces here and at its receiver."""
YOUNG = {"swapped": ReceiptsSwapped.__name__}
"""Words that the release before does not read, with their facts: parked there, such a one would hold up all that its author
says of those pieces afterwards. So it goes down once its reader has said that it reads it, as of the last weeks."""


def find_unrelayed(conn: Connection, hub: str) -> list[tuple[str, str]]:
    """(fact id, stream) still to be appended, loads before their corrections, in the order they were recorded.

    What lies below an author's floor went down before the floor was raised over it. Outside parties have no stream: the
    plant that answers for them is told.
    """
    prefix = downlink(hub, "")
    loads = sorted(in_open_spans(conn, LOADS, prefix=prefix), key=lambda row: (row[2], row[0]))
    announced = in_open_spans(conn, ANNOUNCED, prefix=prefix)
    corrections = conn.execute(_corrections(), {"prefix": prefix})
    words = _readable(conn, in_open_spans(conn, WORDS, prefix=prefix))
    cases = [row for query in _cases(hub) for row in conn.execute(query, {"prefix": prefix})]
    talk = in_open_spans(conn, TALK, prefix=prefix, hub=hub)
    outside = {party.code for party in list_parties(conn)}
    found = (*announced, *loads, *corrections, *words, *cases, *talk)
    return [(row[0], prefix + row[1]) for row in found if row[1] not in outside]


def _loads() -> Select[Any]:
    """(fact, plant, when it was recorded)"""
    c = shipment.c
    return select(c.fact_id, c.to_plant, c.recorded_at_ms).where(recent(shipment), _missing(c.fact_id, c.to_plant))


def _announced() -> Select[Any]:
    """The last word of a load that is to leave: what is on it, or that it does not leave."""
    c = load_announcement.c
    return select(c.fact_id, c.to_plant).where(recent(load_announcement), _missing(c.fact_id, c.to_plant))


def _corrections() -> Select[Any]:
    c, s = departure_correction.c, shipment.c
    return (
        select(c.fact_id, s.to_plant.label("plant"))
        .join_from(departure_correction, shipment, and_(s.author == c.author, s.shipment_id == c.shipment_id))
        .where(_missing(c.fact_id, s.to_plant))
        .order_by(c.recorded_at_ms, c.fact_id)
    )


def _words() -> Select[Any]:
    """What one side says of a line concerns the other one; an author's words above its floor."""
    w, s = transfer_word.c, shipment.c
    other = case((w.author == s.author, s.to_plant), else_=s.author)
    told = or_(*(w.kind == kind for kind in TOLD))
    return (
        select(w.fact_id, other, w.kind)
        .join_from(transfer_word, shipment, load_of_word())
        .where(recent(transfer_word), told, _missing(w.fact_id, other))
        .order_by(w.recorded_at_ms, w.fact_id)
    )


def _readable(conn: Connection, words: Sequence[Any]) -> list[Any]:
    """(fact, plant, kind) of those that their reader knows."""
    young = {(row[1], row[2]) for row in words if row[2] in YOUNG}
    unread = {one for one in young if not reads_fact(conn, one[0], YOUNG[one[1]])}
    return [row for row in words if (row[1], row[2]) not in unread]


def _talk() -> Select[Any]:
    """What one plant says of a case, its other plant reads; what the hub says goes down as it is said."""
    w, c = case_word.c, transfer_case.c
    other = case((w.author == c.from_plant, c.to_plant), else_=c.from_plant)
    return (
        select(w.fact_id, other)
        .join_from(case_word, transfer_case, and_(w.case_id == c.case_id, c.author == bindparam("hub")))
        .where(recent(case_word), other != "", other != w.author, _missing(w.fact_id, other))
        .order_by(w.recorded_at_ms, w.fact_id)
    )


TALK = Prepared(lambda _database: _talk())
LOADS = Prepared(lambda _database: _loads())
ANNOUNCED = Prepared(lambda _database: _announced())
WORDS = Prepared(lambda _database: _words())


def _cases(hub: str) -> list[Select[Any]]:
    c = transfer_case.c
    return [
        select(c.fact_id, plant.label("plant"))
        .where(c.author == hub, plant != "", _missing(c.fact_id, plant))
        .order_by(c.opened_at_ms, c.case_id)
        for plant in (c.from_plant, c.to_plant)
    ]


def _missing(fact_id: ColumnElement[str], plant: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a fact is not on the stream to a plant; `prefix` is how the streams of this hub begin."""
    there = and_(entry.c.fact_id == fact_id, entry.c.stream == bindparam("prefix", type_=String) + plant)
    return ~select(literal(1)).select_from(entry).where(there).exists()
