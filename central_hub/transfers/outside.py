"""Loads to outside parties: what a party said is in the stream of the plant that answers for it, and is judged from there.

A party that need not confirm is not waited for: its lines are settled when they are seen. One that confirms is judged like
a plant whose watermark is its answering plant's. What either says is judged for itself: missing, damaged, another mass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from central_hub.transfers.domain import (
    IN_ORDER,
    Contradiction,
    KnownLine,
    KnownReceipt,
    Sight,
    Verdict,
    judge_mass,
    judge_missing,
)
from central_hub.transfers.floors import in_open_spans, recent
from central_hub.transfers.reading import find_line, not_judged
from shared.db.prepared import Prepared
from shared.outside.queries import list_parties
from shared.outside.tables import party_word
from shared.transfers.domain import compare_mass
from shared.transfers.limits import mass_limits
from shared.transfers.tables import shipment_line

JUDGED = "party"
"""Kind under which a party's word is remembered as judged, by its fact."""
SAID = ("received", "missed")
IDS_A_QUERY = 500


@dataclass(frozen=True)
class Parties:
    """(answering plant, party) -> whether it tells what came."""

    confirms: Mapping[tuple[str, str], bool]

    def has(self, line: KnownLine) -> bool:
        """Whether the line left the group."""
        return (line.sender, line.receiver) in self.confirms


def read_parties(conn: Connection) -> Parties:
    """Everybody outside that any plant answers for, ended dealings included."""
    return Parties({(row.author, row.code): bool(row.confirms) for row in list_parties(conn)})


def judge_outside_lines(
    conn: Connection, lines: Sequence[KnownLine], parties: Parties, sight: Sight
) -> list[tuple[KnownLine, Verdict]]:
    """Whether a piece that left the group is missing there, for lines to parties alone."""
    outside = [line for line in lines if parties.has(line)]
    answered = _answered(conn, outside)
    return [
        (line, _judge(line, answered.get((line.shipment_id, line.material_id)), parties, sight)) for line in outside
    ]


def judge_party_words(conn: Connection) -> list[tuple[str, list[Contradiction]]]:
    """(fact id, what contradicts) for every word of a party that was not judged yet."""
    judged = []
    for fact_id, shipment_id, material_id in in_open_spans(conn, WORDS):
        word = conn.execute(select(party_word).where(party_word.c.fact_id == fact_id)).first()
        line = find_line(conn, shipment_id, material_id)
        if word is not None and line is not None:
            judged.append((fact_id, _word(conn, word, line)))
    return judged


def _judge(line: KnownLine, answered_at_ms: int | None, parties: Parties, sight: Sight) -> Verdict:
    if not parties.confirms[line.sender, line.receiver]:
        return IN_ORDER
    through = {**sight.through, line.receiver: sight.through.get(line.sender, 0)}
    return judge_missing(line, None, answered_at_ms, replace(sight, through=through))


def _word(conn: Connection, word: Row[Any], line: KnownLine) -> list[Contradiction]:
    if word.kind == "missed":
        return [_missed(word, line)]
    found = [_damaged(word, line)] if word.damage else []
    if word.mass_g:
        limits = mass_limits(conn, line.sender, f"{line.sender}-{line.receiver}", word.recorded_at_ms)
        basis = _basis_of(conn, line)
        compared = compare_mass(line.mass_g, basis, word.mass_g, word.mass_basis, limits)
        differs = judge_mass(line, _as_receipt(word, line), compared)
        found += [differs] if differs else []
    return found


def _missed(word: Row[Any], line: KnownLine) -> Contradiction:
    note = f": {word.note}" if word.note else ""
    text = (
        f"{line.number} left {line.sender} with {line.shipment_number} ({line.mass_g / 1000:,.0f} kg); "
        f"{word.party} says that it did not come{note}."
    )
    key = (line.sender, line.shipment_id, line.material_id)
    return _about("short", word, line, key, text, {"sender_g": line.mass_g})


def _damaged(word: Row[Any], line: KnownLine) -> Contradiction:
    text = f"{line.number} came to {word.party} damaged: {word.damage}."
    return _about("damage", word, line, (word.party, word.fact_id), text, {"sender_g": line.mass_g})


def _about(
    kind: str, word: Row[Any], line: KnownLine, key: tuple[str, ...], text: str, values: Mapping[str, int]
) -> Contradiction:
    return Contradiction(
        kind,
        word.recorded_at_ms,
        key,
        (line.sender, line.receiver),
        text,
        line.shipment_id,
        line.shipment_number,
        line.material_id,
        line.number,
        evidence=(line.fact_id, word.fact_id),
        values=values,
    )


def _as_receipt(word: Row[Any], line: KnownLine) -> KnownReceipt:
    """A party's word in the form in which receipts are judged."""
    return KnownReceipt(
        receiver=word.party,
        receipt_id=word.fact_id,
        from_plant=line.sender,
        shipment_id=line.shipment_id,
        shipment_number=line.shipment_number,
        material_id=line.material_id,
        taken_in_as=line.material_id,
        custody_no=word.custody_no,
        provisional=False,
        came_unlisted=False,
        printed_number=word.printed_number,
        own_number=word.own_number,
        mass_g=word.mass_g,
        received_at_ms=word.said_at_ms,
        recorded_at_ms=word.recorded_at_ms,
        matched_at_ms=0,
        fact_id=word.fact_id,
        damage=word.damage,
    )


def _basis_of(conn: Connection, line: KnownLine) -> str:
    c = shipment_line.c
    mine = (c.author == line.sender, c.shipment_id == line.shipment_id, c.material_id == line.material_id)
    return str(conn.execute(select(c.mass_basis).where(*mine)).scalar_one())


def _answered(conn: Connection, lines: Sequence[KnownLine]) -> dict[tuple[str, str], int]:
    """(shipment, material) -> when its party first said anything of it."""
    found: dict[tuple[str, str], int] = {}
    loads, c = sorted({line.shipment_id for line in lines}), party_word.c
    for at in range(0, len(loads), IDS_A_QUERY):
        query = select(c.shipment_id, c.material_id, func.min(c.recorded_at_ms))
        query = query.where(c.shipment_id.in_(loads[at : at + IDS_A_QUERY]), c.kind.in_(SAID))
        for load, piece, said_ms in conn.execute(query.group_by(c.shipment_id, c.material_id)):
            found[load, piece] = int(said_ms)
    return found


def _open_words() -> Select[Any]:
    c = party_word.c
    said = or_(*(c.kind == kind for kind in SAID))
    return select(c.fact_id, c.shipment_id, c.material_id).where(
        recent(party_word), said, not_judged(JUDGED, c.fact_id)
    )


WORDS = Prepared(lambda _database: _open_words())
