"""By which key an order goes between a plant and its edge: made of its cause and of nothing else, so that it lasts.

A plant's spool that was put back to an older state asks for the same once more: under the key of then, the edge knows
it. Primary data that was withdrawn sets its cause free (`primary_data`), and what is queued again under it is another
order: it counts how often the cause was set free before. Older releases gave an order by its cause alone, in a fact
whose id was of its time; such an order keeps the key it went by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from local_mes.level2.down import CONFIRMED, REFUSED, SENT, WITHHELD
from local_mes.level2.edge.facts import Level2OrderSettled
from local_mes.level2.edge.recording import settled_id
from local_mes.level2.spool_tables import down
from shared.db.engine import read
from shared.ids import derived_id
from shared.journal.archived import bodies_of
from shared.journal.fact import decode
from shared.journal.journal import Journal


@dataclass(frozen=True)
class Named:
    """An order and its key; is_older: it was given by an older release."""

    key: str
    row: Any
    is_older: bool


def name_orders(journal: Journal, spool: Engine, rows: Sequence[Any]) -> list[Named]:
    """The keys of open orders; one that is sent already and of no older release has its key, and is not named again."""
    older = {derived_id(row.queued_ms, journal.code, "order", row.key): row.down_id for row in rows}
    with read(journal.engine) as conn:
        given = {older[fact_id]: decode(body).payload.key for fact_id, body in bodies_of(conn, older).items()}
    named = list[Named]()
    with read(spool) as conn:
        for row in rows:
            if row.down_id in given:
                named.append(Named(given[row.down_id], row, is_older=True))
            elif row.state != SENT:
                key = derived_id(0, journal.code, "order", row.key, _times_freed(conn, row))
                named.append(Named(key, row, is_older=False))
    return named


def read_told(conn: Connection, edge: str, keys: Sequence[str]) -> list[Level2OrderSettled]:
    """What the edge has told of orders, by the journal at which it calls; of each in the order of its states."""
    ids = [settled_id(edge, key, state) for key in keys for state in (SENT, REFUSED, WITHHELD, CONFIRMED)]
    bodies = bodies_of(conn, ids)
    return [decode(bodies[one]).payload for one in ids if one in bodies]


def _times_freed(conn: Connection, row: Any) -> int:
    """How many orders of the same cause were withdrawn before this one: each has its own number behind its key."""
    c = down.c
    of_cause = (c.key > f"{row.key}:", c.key < f"{row.key};", c.down_id < row.down_id)
    found = conn.execute(select(c.key, c.down_id).where(*of_cause))
    return sum(key == f"{row.key}:{down_id}" for key, down_id in found)
