"""Trying a rule on a day that was: it is asked about every piece that was judged then, with the inputs of then.

The journal keeps the inputs of each decision, and pieces judged at one moment were judged at one event; so the day is
played through the rule without a second plant, and nothing is recorded. What a rule asks that no rule of that day asked
is not known of then: it says so as "pending".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.plant import Plant
from shared.errors import BadInput
from shared.material.tables import material
from shared.quality.tables import decision
from shared.rules.evaluate import Stored, evaluate
from shared.standards.documents import AnyStandard, QualityRule
from shared.standards.queries import find_document

SHOWN_MAX = 50
CHECKS_MAX = 20_000
"""Checks of one day that are read: several times what a large plant judges a day, and some seconds of work."""
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
    checks = _checks(conn, plant, *bounds(plant, day))
    moments = _moments(conn, document, checks[:CHECKS_MAX])
    for (material_id, at_ms), moment in moments.items():
        said = evaluate(document.rule, moment.inputs)
        outcomes[said.outcome] += 1
        now = str(said.action) if said.violated else "in order"
        if said.outcome in ("in_order", "violated") and now != moment.was:
            differ.append(TriedPiece(material_id, "", at_ms, moment.was, now, said.reason))
    counted = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(outcomes.items()))
    text = f"{day}: asked {len(moments)} times: {counted or 'nothing'}; {len(differ)} come out otherwise than then"
    if len(checks) > CHECKS_MAX:
        text += f"; of the day only the first {CHECKS_MAX:,} checks"
    return Trial(day, len(moments), dict(outcomes), _numbered(conn, plant, differ[:SHOWN_MAX]), text)


def bounds(plant: Plant, day: str) -> tuple[int, int]:
    """Begin and end of a production day (ms); BadInput for what is none."""
    try:
        return plant.model.calendar.day_bounds(day)
    except (ValueError, OverflowError) as error:
        raise BadInput("standards.day", f"{day!r} is no production day.", todo="Write it as 2026-03-31.") from error


def _checks(conn: Connection, plant: Plant, from_ms: int, to_ms: int) -> Sequence[Row[Any]]:
    """What was judged in the time, in its order; one more than is tried shows that there is more."""
    c = decision.c
    columns = [c.rule_id, c.rule_version, c.rule_hash, c.material_id, c.outcome, c.inputs, c.decided_at_ms]
    where = (c.author == plant.code, c.decided_at_ms >= from_ms, c.decided_at_ms < to_ms)
    query = select(*columns).where(*where).order_by(c.decided_at_ms, c.decision_id)
    return conn.execute(query.limit(CHECKS_MAX + 1)).all()


def _moments(conn: Connection, tried: QualityRule, checks: Sequence[Row[Any]]) -> dict[tuple[str, int], _Moment]:
    """What was known of each piece at each event that the tried rule asks at, and the gravest that followed then."""
    rules = {(row.rule_id, row.rule_version, row.rule_hash) for row in checks}
    asking = {rule for rule in rules if _asks_with(find_document(conn, *rule), tried)}
    found: dict[tuple[str, int], _Moment] = {}
    for row in checks:
        if (row.rule_id, row.rule_version, row.rule_hash) in asking:
            moment = found.setdefault((row.material_id, row.decided_at_ms), _Moment({}, "in order"))
            moment.inputs |= json.loads(row.inputs)
            if row.outcome in ACTIONS and moment.was != "hold":
                moment.was = row.outcome
    return found


def _asks_with(rule: AnyStandard | None, tried: QualityRule) -> bool:
    return isinstance(rule, QualityRule) and bool(set(rule.rule.when) & set(tried.rule.when))


def _numbered(conn: Connection, plant: Plant, pieces: list[TriedPiece]) -> tuple[TriedPiece, ...]:
    ids = sorted({piece.material_id for piece in pieces})
    query = select(material.c.material_id, material.c.number)
    rows = conn.execute(query.where(material.c.author == plant.code, material.c.material_id.in_(ids))) if ids else ()
    numbers = {row.material_id: row.number for row in rows}
    return tuple(
        TriedPiece(p.material_id, numbers.get(p.material_id, ""), p.at_ms, p.was, p.now, p.why) for p in pieces
    )
