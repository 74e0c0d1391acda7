"""What the pages about outside parties show, read in one picture each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.dispatch import errors as dispatch_errors
from local_mes.outside import errors, queries
from local_mes.outside.domain import WAYS, WORDS
from shared.outside.queries import find_delivery, find_party, find_words
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.queries import find_shipment
from shared.transfers.showing import LINE_COLUMNS, line_row

LINES_SHOWN = 500
"""Pieces of one party on its page; the balance counts them all."""


def event_row(row: Row[Any], words: Mapping[str, str], signs: Mapping[str, str]) -> dict[str, Any]:
    """An entry as a row of a table."""
    return dict(row._mapping) | {
        "kind_words": WORDS.get(row.kind, row.kind),
        "way_words": WAYS.get(row.way, row.way),
        "state_words": words[row.state],
        "state_words_state": signs[row.state],
    }


def read_party(conn: Connection, here: str, code: str) -> dict[str, Any]:
    """A party with its pieces: on the way there, there, and on the way back; and its tokens."""
    party = find_party(conn, here, code)
    if party is None:
        raise dispatch_errors.unknown_party(code, here)
    lines = find_lines(conn, LineFilter(sender=here, receiver=code), limit=LINES_SHOWN)
    back = [line for line in lines if line.returned_at_ms is not None]
    gone = {(line.shipment_id, line.material_id) for line in back}
    coming = [
        word
        for word in find_words(conn, here, kind="shipped", party_code=code)
        if (word.shipment_id, word.material_id) not in gone
    ]
    on_the_way = {(word.shipment_id, word.material_id) for word in coming}
    there = [line for line in lines if _is_there(line) and (line.shipment_id, line.material_id) not in on_the_way]
    return {
        "party": party,
        "coming": coming,
        "columns": LINE_COLUMNS,
        "there": [line_row(line) for line in there],
        "tokens": queries.tokens_of(conn, code),
    }


def read_load(conn: Connection, here: str, number: str) -> dict[str, Any]:
    """A load to an outside party with its links and what was said of it."""
    load = find_shipment(conn, number, sender=here)
    party = find_party(conn, here, load.to_plant) if load is not None else None
    if load is None or party is None:
        raise errors.no_load(number)
    lines = find_lines(conn, LineFilter(sender=here, shipment_id=load.shipment_id))
    lines.sort(key=lambda line: (line.position, line.number))
    return {
        "load": load,
        "party": party,
        "note": find_delivery(conn, here, load.shipment_id),
        "columns": LINE_COLUMNS,
        "rows": [line_row(line) for line in lines],
        "links": queries.links_of(conn, load.shipment_id),
    }


def _is_there(line: TransferLine) -> bool:
    return not line.withdrawn and line.returned_at_ms is None and line.state not in ("short", "written_off")
