"""Words about lines that are not judged yet, and what they say together with the line and its receipt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from central_hub.transfers.domain import Contradiction, KnownLine, KnownReceipt
from central_hub.transfers.floors import in_open_spans, recent
from central_hub.transfers.reading import find_line, not_judged, read_receipts
from central_hub.transfers.tables import judged
from central_hub.transfers.word_domain import (
    Said,
    judge_back_and_received,
    judge_diverted_and_received,
    judge_found_again,
    judge_paper,
    judge_used,
)
from shared.db.bulk import among
from shared.db.prepared import Prepared
from shared.material.queries import rows_of
from shared.material.trace import trace
from shared.transfers.tables import receipt, transfer_word
from shared.transfers.words import find_words

JUDGED = ("differs", "taken", "lost", "returned", "diverted")
ORIGIN_UNKNOWN = "no_origin"
"""Judged so far: the piece of this receipt came from something that nobody has told of; (origin, id) once settled."""


def judge_words(conn: Connection) -> Iterator[tuple[Row[Any], Contradiction | None]]:
    """(word, what it contradicts) of every word that can be judged; one whose line is not here waits."""
    for word in _unjudged(conn):
        line = find_line(conn, word.shipment_id, word.material_id)
        if line is not None:
            yield word, _judge(conn, word, line)


def find_denied_by_receipt(conn: Connection, line: KnownLine, taken_in: KnownReceipt) -> Contradiction | None:
    """What a receipt means for a line that both sides had given up, or that its sender has back or sent elsewhere."""
    about = {"shipment_id": line.shipment_id, "material_id": line.material_id}
    back = [_said(word) for word in find_words(conn, "returned", author=line.sender, **about)]
    if back:
        return judge_back_and_received(line, back[0], taken_in)
    diverted = [_said(word) for word in find_words(conn, "diverted", author=line.sender, **about)]
    if diverted:
        return judge_diverted_and_received(line, diverted[0], taken_in)
    return judge_found_again(line, [_said(word) for word in find_words(conn, "lost", **about)], taken_in)


def find_unknown(conn: Connection, line: KnownLine) -> Sequence[str]:
    """Of the piece and everything it was made from, what no author has a row of."""
    found = trace(conn, line.material_id, "backward")
    ids = {line.material_id} | {edge.parent_id for edge in found.edges}
    known = {row.material_id for row in rows_of(conn, sorted(ids)) if row.material_id != line.material_id}
    # the receiver's own row of the piece says nothing of where it comes from: only its sender's does
    known |= {row.material_id for row in rows_of(conn, [line.material_id]) if row.author == line.sender}
    return sorted(ids - known)


def find_without_origin(conn: Connection) -> list[KnownReceipt]:
    """Receipts that were noted as of unknown origin and are not settled."""
    noted = select(judged.c.ref).where(judged.c.kind == ORIGIN_UNKNOWN, not_settled("origin", judged.c.ref))
    return read_receipts(conn, receipt.c.receipt_id.in_(conn.execute(noted).scalars().all()))


def not_settled(kind: str, ref: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a noted matter was not settled since."""
    later = judged.alias()
    return ~select(later.c.ref).where(later.c.kind == kind, later.c.ref == ref).exists()


def _unjudged(conn: Connection) -> list[Row[Any]]:
    c = transfer_word.c
    ids = [row[0] for row in in_open_spans(conn, UNJUDGED)]
    if not ids:
        return []
    query = select(transfer_word).where(among(conn, c.fact_id, ids))
    return list(conn.execute(query.order_by(c.recorded_at_ms, c.fact_id)))


def _unjudged_ids() -> Select[Any]:
    c = transfer_word.c
    judged_kind = or_(*(c.kind == kind for kind in JUDGED))
    return select(c.fact_id).where(recent(transfer_word), judged_kind, not_judged("word", c.fact_id))


UNJUDGED = Prepared(lambda _database: _unjudged_ids())


def _judge(conn: Connection, word: Row[Any], line: KnownLine) -> Contradiction | None:
    if word.kind == "differs":
        return judge_paper(line, _said(word))
    if word.kind == "taken":
        used = msgspec.json.decode(word.detail)["used"]
        return judge_used(line, _said(word), word.about) if used else None
    c = receipt.c
    here = and_(c.shipment_id == line.shipment_id, c.material_id == line.material_id, c.author == line.receiver)
    return next((find_denied_by_receipt(conn, line, found) for found in read_receipts(conn, here)), None)


def _said(word: Row[Any]) -> Said:
    return Said(word.fact_id, word.author, word.note, word.recorded_at_ms)
