"""Plants that were put back to a backup: the cause that a case names, and numbers given twice since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, and_, literal, or_, select

from central_hub.transfers.domain import Contradiction
from central_hub.transfers.floors import DAY_MS
from central_hub.transfers.tables import floor
from central_hub.transfers.word_domain import judge_reuse
from shared.journal.archived import bodies_of
from shared.journal.fact import decode_envelope
from shared.journal.position import applied_to
from shared.journal.reading import Life, lives
from shared.journal.tables import entry, epoch, fact
from shared.material.tables import alias, material
from shared.transfers.tables import receipt, transfer_case

LOOK_BACK_MS = 30 * DAY_MS
"""A restore this long before a case may be why something is missing: longer than a load is on its way."""
FACTS_A_LOOK = 5_000
CURSOR = "reuse:"
BIRTHS = ("MaterialCreated", "MaterialTransformed", "MaterialReceived", "ReceiptMatched", "AliasGiven")
"""Facts that give a piece a number."""


@dataclass(frozen=True)
class Looked:
    """Numbers given twice, and how far each life of restored plants was looked through; more: that is to be kept, for there
    is more to look at or it was the first look."""

    found: Sequence[Contradiction]
    cursors: Mapping[str, int]
    more: bool


def name_cause(conn: Connection, found: Contradiction) -> Contradiction:
    """Say in a case of something missing that one of its plants was put back to a backup shortly before (row 26)."""
    if found.kind not in ("short", "unannounced"):
        return found
    for row in _restores(conn, found.at_ms - LOOK_BACK_MS):
        if row.stream in found.plants and row.opened_at_ms <= found.at_ms:
            why = f" {row.stream} was put back to a backup before; what it recorded last may be lost: look there first."
            values = dict(found.values) | {"restored_at_ms": row.opened_at_ms}
            return replace(found, summary=found.summary + why, values=values)
    return found


def look_for_reuse(conn: Connection, through: Mapping[str, int]) -> Looked:
    """Numbers of a restored plant's own schemes that two of its pieces bear, as far as its facts are here.

    Each of its lives is looked through in its own order: what was carried over from an earlier one comes after younger
    facts, and with its old time.
    """
    found: list[Contradiction] = []
    cursors: dict[str, int] = {}
    more = False
    restored = {row.stream: row for row in _restores(conn, 0)}
    for author, restore in sorted(restored.items()):
        if through.get(author, 0) > restore.opened_at_ms + LOOK_BACK_MS:
            continue  # counters have long passed what was lost
        for life in lives(conn, author):
            cursor, until = CURSOR + life.epoch, applied_to(conn, author, life.epoch)
            kept = conn.execute(select(floor.c.from_ms).where(floor.c.author == cursor)).scalar()
            after = _place_before(conn, life, restore.opened_at_ms - LOOK_BACK_MS) if kept is None else kept
            rows = _births(conn, life, after, until)
            found += _twice(conn, author, _pieces(conn, rows))
            is_full = len(rows) == FACTS_A_LOOK
            cursors[cursor] = rows[-1].seq if is_full else until
            more = more or is_full or kept is None
    return Looked(found, cursors, more)


def _restores(conn: Connection, since_ms: int) -> list[Row[Any]]:
    """Lives of plants that began from an earlier one, oldest first."""
    c = epoch.c
    query = select(epoch).where(c.parent_epoch.is_not(None), c.opened_at_ms >= since_ms, ~c.stream.contains(">"))
    return list(conn.execute(query.order_by(c.opened_at_ms, c.epoch)))


def _place_before(conn: Connection, life: Life, since_ms: int) -> int:
    """The last place of a life whose fact was recorded before a time: times rise, but for what was carried over."""
    low, high = 0, life.seq
    while low < high:
        middle = (low + high + 1) // 2
        at = entry.c.stream == life.stream, entry.c.epoch == life.epoch, entry.c.seq == middle
        query = select(fact.c.recorded_at_ms).join_from(entry, fact, entry.c.fact_id == fact.c.fact_id).where(*at)
        if conn.execute(query).scalar_one() < since_ms:
            low = middle
        else:
            high = middle - 1
    return low


def _births(conn: Connection, life: Life, after: int, until: int) -> list[Row[Any]]:
    here = entry.c.stream == life.stream, entry.c.epoch == life.epoch, entry.c.seq.between(after + 1, until)
    query = select(entry.c.seq, fact.c.fact_id).join_from(entry, fact, entry.c.fact_id == fact.c.fact_id)
    query = query.where(*here, fact.c.type.in_(BIRTHS), fact.c.author == life.stream)
    return list(conn.execute(query.order_by(entry.c.seq).limit(FACTS_A_LOOK)))


def _pieces(conn: Connection, rows: Sequence[Row[Any]]) -> list[str]:
    bodies = bodies_of(conn, [row.fact_id for row in rows])
    return sorted({subject.id for body in bodies.values() for subject in decode_envelope(body).subjects})


def _twice(conn: Connection, author: str, pieces: Sequence[str]) -> Iterator[Contradiction]:
    """Pairs of pieces under one number of the author's own, at least one of them among these, earlier one first."""
    for at in range(0, len(pieces), 500):
        for row in conn.execute(_pairs(author, pieces[at : at + 500])).all():
            told = sorted(((row.one_ms, row.one_id), (row.two_ms, row.two_id)))
            (first_ms, first), (second_ms, second) = told
            if second_ms - first_ms < LOOK_BACK_MS and not _is_told(conn, author, row.value, (first, second)):
                evidence = row.one_fact if second == row.one_id else row.two_fact
                yield judge_reuse(author, row.value, (first, first_ms), (second, second_ms), evidence)


def _is_told(conn: Connection, author: str, number: str, pieces: tuple[str, str]) -> bool:
    """Whether there is a case of one of the two, under the identity that it has now or the one that it came in under."""
    c, r = transfer_case.c, receipt.c
    known_as = select(r.taken_in_as).where(r.author == author, r.material_id.in_(pieces))
    of_number = c.kind == "number_reuse", c.from_plant == author, c.piece_number == number
    query = select(c.case_id).where(*of_number, or_(c.material_id.in_(pieces), c.material_id.in_(known_as)))
    return conn.execute(query).first() is not None


def _pairs(author: str, pieces: Sequence[str]) -> Any:
    one, two, one_row, two_row = alias.alias(), alias.alias(), material.alias(), material.alias()
    same = and_(two.c.author == one.c.author, two.c.value == one.c.value, two.c.scheme == one.c.scheme)
    ours = [
        and_(row.c.author == name.c.author, row.c.material_id == name.c.material_id, row.c.state != "identified")
        for name, row in ((one, one_row), (two, two_row))
    ]
    return (
        select(
            one.c.value,
            one.c.material_id.label("one_id"),
            one.c.given_at_ms.label("one_ms"),
            one_row.c.last_fact.label("one_fact"),
            two.c.material_id.label("two_id"),
            two.c.given_at_ms.label("two_ms"),
            two_row.c.last_fact.label("two_fact"),
        )
        .join_from(one, two, same)
        .join(one_row, ours[0])
        .join(two_row, ours[1])
        .where(
            one.c.author == author,
            one.c.scheme.startswith(author + "."),
            one.c.material_id.in_(pieces),
            or_(two.c.material_id.not_in(pieces), one.c.material_id < two.c.material_id),
            two.c.material_id != one.c.material_id,
            ~_is_one(one, two),
        )
        .order_by(one.c.value, one.c.material_id, two.c.material_id)
    )


def _is_one(one: FromClause, two: FromClause) -> ColumnElement[bool]:
    """Whether a receipt of the author says that the one is the other: it was taken in before its sender's data came.

    The piece is renamed by the fact after that, which may be in the next batch, or lost where the plant was restored.
    """
    r, both = receipt.c, (one.c.material_id, two.c.material_id)
    tied = and_(r.author == one.c.author, r.material_id.in_(both), r.taken_in_as.in_(both))
    return select(literal(1)).where(tied, r.material_id != r.taken_in_as).exists()
