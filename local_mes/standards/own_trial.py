"""Trying a rule on a day that was: it is asked about every piece that was judged then, with the inputs of then.

The journal keeps the inputs of each decision, and pieces judged at one moment were judged at one event; so the day is
played through the rule without a second plant, and nothing is recorded. What a rule asks that no rule of that day asked
is not known of then: it says so as "pending".
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.plant import Plant
from shared.material.tables import material
from shared.quality.tables import decision
from shared.rules.evaluate import Stored, evaluate
from shared.standards.documents import AnyStandard, QualityRule
from shared.standards.queries import find_document

SHOWN_MAX = 50
ACTIONS = ("hold", "mark", "case")


@dataclass(frozen=True)
class TriedPiece:
    """A piece for which the tried rule says something else than the rules of then. was, now: what follows."""

    material_id: str
    number: str
    at_ms: int
    was: str
    now: str
    why: str


@dataclass(frozen=True)
class Trial:
    """A day played through a version. outcomes: how often it says what; text: the same in a sentence, for the record."""

    day: str
    asked: int
    outcomes: dict[str, int]
    pieces: tuple[TriedPiece, ...]
    text: str


@dataclass
class _Moment:
    inputs: dict[str, Stored]
    was: str


def try_on_day(conn: Connection, plant: Plant, document: AnyStandard, day: str) -> Trial:
    """Ask the version about the pieces of a production day; only a quality rule says anything of pieces."""
    if not isinstance(document, QualityRule):
        return Trial(day, 0, {}, (), "only a quality rule can be tried on a day")
    outcomes: Counter[str] = Counter()
    differ: list[TriedPiece] = []
    moments = _moments(conn, plant, document, *plant.model.calendar.day_bounds(day))
    for (material_id, at_ms), moment in moments.items():
        said = evaluate(document.rule, moment.inputs)
        outcomes[said.outcome] += 1
        now = str(said.action) if said.violated else "in order"
        if said.outcome in ("in_order", "violated") and now != moment.was:
            differ.append(TriedPiece(material_id, "", at_ms, moment.was, now, said.reason))
    counted = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(outcomes.items()))
    text = f"{day}: asked {len(moments)} times: {counted or 'nothing'}; {len(differ)} come out otherwise than then"
    return Trial(day, len(moments), dict(outcomes), _numbered(conn, plant, differ[:SHOWN_MAX]), text)


def _moments(
    conn: Connection, plant: Plant, tried: QualityRule, from_ms: int, to_ms: int
) -> dict[tuple[str, int], _Moment]:
    """What was known of each piece at each event that the tried rule asks at, and the gravest that followed then."""
    c = decision.c
    where = (c.author == plant.code, c.decided_at_ms >= from_ms, c.decided_at_ms < to_ms)
    found: dict[tuple[str, int], _Moment] = {}
    for row in conn.execute(select(decision).where(*where).order_by(c.decided_at_ms, c.decision_id)):
        rule = find_document(conn, row.rule_id, row.rule_version, row.rule_hash)
        if isinstance(rule, QualityRule) and set(rule.rule.when) & set(tried.rule.when):
            moment = found.setdefault((row.material_id, row.decided_at_ms), _Moment({}, "in order"))
            moment.inputs |= json.loads(row.inputs)
            if row.outcome in ACTIONS and moment.was != "hold":
                moment.was = row.outcome
    return found


def _numbered(conn: Connection, plant: Plant, pieces: list[TriedPiece]) -> tuple[TriedPiece, ...]:
    ids = sorted({piece.material_id for piece in pieces})
    query = select(material.c.material_id, material.c.number)
    rows = conn.execute(query.where(material.c.author == plant.code, material.c.material_id.in_(ids))) if ids else ()
    numbers = {row.material_id: row.number for row in rows}
    return tuple(
        TriedPiece(p.material_id, numbers.get(p.material_id, ""), p.at_ms, p.was, p.now, p.why) for p in pieces
    )
