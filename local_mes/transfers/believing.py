"""Departures to this plant that count as their sender's word: not told under a key that is revoked from there on."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from local_mes.passports.keys import find_keys, is_fact_disowned
from local_mes.plant import Plant
from shared.passports.keys import KeyList
from shared.transfers.domain import Candidate
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import find_candidates


def find_believed(conn: Connection, plant: Plant, printed: Iterable[str]) -> list[Candidate]:
    """Lines to this plant that bear one of these printed numbers and are their sender's own."""
    found = find_candidates(conn, printed, plant.code)
    keys = find_keys(conn, plant) if found else None
    return [line for line in found if keys is None or not _is_disowned(conn, keys, line)]


def _is_disowned(conn: Connection, keys: KeyList, line: Candidate) -> bool:
    if not keys.revoked_of(line.sender):
        return False
    wanted = LineFilter(sender=line.sender, shipment_id=line.shipment_id, material_id=line.material_id)
    return is_fact_disowned(conn, keys, find_lines(conn, wanted)[0].sent_fact, line.sender)
