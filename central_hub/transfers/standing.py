"""Lines that have not ended, and those that ended since a time, found without reading what ended years ago.

What was recorded below an author's floor is judged (floors.py): it was taken in, or taken back, or a case was opened, or
somebody said what became of it. So a line that stands lies above the floor, in a case, or under a word.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, literal, select

from central_hub.transfers.floors import DAY_MS, in_open_spans, recent
from shared.db.prepared import Prepared
from shared.outside.tables import party_word
from shared.transfers.lines import TransferLine, lines_of
from shared.transfers.tables import departure_correction, receipt, shipment_line, transfer_case, transfer_word
from sync.peers import list_peers

ENDED = ("received", "received_with_exceptions", "did_not_occur", "returned", "diverted", "delivered", "written_off")
"""States from which a line goes nowhere any more."""
LOST = ("lost",)
"""Ends of a case that say nobody will see the piece again."""
SAID = ("refused", "returned", "lost", "diverted")


def find_standing(conn: Connection) -> list[TransferLine]:
    """Lines that are on the way, at a gate, short or on their way back, the oldest departure first."""
    lost = given_up(conn)
    lines = [x for x in _read(conn, _open_loads(conn)) if x.state not in ENDED and key_of(x) not in lost]
    return sorted(lines, key=lambda line: (line.departed_at_ms, line.key))


def find_since(conn: Connection, from_ms: int) -> list[TransferLine]:
    """Lines that stood at from_ms or left since then, whatever became of them; by load."""
    loads = _open_loads(conn) | _ended_since(conn, from_ms)
    return [line for line in _read(conn, loads) if (end := ended_at(line)) is None or end >= from_ms]


def key_of(line: TransferLine) -> tuple[str, str]:
    """Load and piece."""
    return line.shipment_id, line.material_id


def given_up(conn: Connection) -> dict[tuple[str, str], int]:
    """(load, piece) -> when the person who ended its case declared it lost (UTC ms)."""
    c = transfer_case.c
    query = select(c.shipment_id, c.material_id, c.resolved_at_ms).where(c.kind == "short", c.resolution.in_(LOST))
    return {(row.shipment_id, row.material_id): row.resolved_at_ms for row in conn.execute(query)}


def ended_at(line: TransferLine) -> int | None:
    """When a line ended (UTC ms): taken in, back, sent on, written off, declared never to have left; None while it stands."""
    if line.received_at_ms is not None:
        return line.received_at_ms
    if line.withdrawn:
        return line.withdrawn_at_ms
    if line.state == "delivered":
        return line.departed_at_ms
    return line.returned_at_ms if line.returned_at_ms is not None else line.lost_at_ms


def _read(conn: Connection, loads: Iterable[str]) -> list[TransferLine]:
    by_load = lines_of(conn, sorted(loads))
    return [line for load in sorted(by_load) for line in by_load[load]]


def _open_loads(conn: Connection) -> set[str]:
    """Loads with a line that nobody took in: above the floors, in a case, under a word."""
    c, w = transfer_case.c, transfer_word.c
    found = {row[0] for row in in_open_spans(conn, NOT_TAKEN)}
    found |= set(conn.execute(select(c.shipment_id).where(c.kind == "short", ~_taken(transfer_case))).scalars())
    found |= set(conn.execute(select(w.shipment_id).where(w.kind.in_(SAID), ~_taken(transfer_word))).scalars())
    return found


def _ended_since(conn: Connection, from_ms: int) -> set[str]:
    """Loads of which something was recorded since a day before: a receipt, or a word that takes a line back."""
    found: set[str] = set()
    for peer in list_peers(conn):
        given = {"author": peer.code, "from_ms": from_ms - DAY_MS}
        for statement in (CAME, SAID_SINCE, TOLD, CORRECTED):
            found |= {row[0] for row in statement.rows(conn, **given)}
    return found


def _taken(table: Any) -> ColumnElement[bool]:
    r = receipt.c
    same = and_(r.shipment_id == table.c.shipment_id, r.material_id == table.c.material_id)
    return select(literal(1)).select_from(receipt).where(same).correlate(table).exists()


def _not_taken(_database: str) -> Select[Any]:
    c = shipment_line.c
    stands = and_(recent(shipment_line), c.withdrawn == bindparam("no", False), ~_taken(shipment_line))
    return select(c.shipment_id).where(stands).distinct()


def _loads_of(table: Table, _database: str) -> Select[Any]:
    return select(table.c.shipment_id).where(recent(table)).distinct()


NOT_TAKEN = Prepared(_not_taken)
CAME, SAID_SINCE, TOLD, CORRECTED = (
    Prepared(partial(_loads_of, table)) for table in (receipt, transfer_word, party_word, departure_correction)
)
