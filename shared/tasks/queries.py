"""Named reads of people's work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.quality.tables import decision
from shared.tasks.tables import checklist, collected, qualification, task_acknowledged, task_done

FAILED = ("hold", "mark", "case")
"""Outcomes of a check that may begin a workflow."""


def failed_checks(conn: Connection, plant: str, since_ms: int, limit: int, rules: Sequence[str]) -> list[Row[Any]]:
    """Decisions of these rules with such an outcome, the youngest first."""
    found: list[Row[Any]] = []
    for outcome in FAILED:
        where = (decision.c.author == plant, decision.c.outcome == outcome, decision.c.decided_at_ms >= since_ms)
        query = (
            select(decision)
            .where(*where, decision.c.rule_id.in_(sorted(rules)))
            .order_by(decision.c.decided_at_ms.desc())
            .limit(limit)
        )
        found += conn.execute(query).all()
    return sorted(found, key=lambda row: (-row.decided_at_ms, row.decision_id))[:limit]


def done_of(conn: Connection, plant: str, decision_ids: Sequence[str]) -> dict[tuple[str, int], Row[Any]]:
    """Actions done: (decision, action) -> row."""
    query = select(task_done).where(task_done.c.author == plant, task_done.c.decision_id.in_(sorted(decision_ids)))
    return {(row.decision_id, row.action): row for row in conn.execute(query)} if decision_ids else {}


def list_collected(conn: Connection, plant: str, material_id: str = "", limit: int = 50) -> Sequence[Row[Any]]:
    """Records of a plant, the youngest first; of one piece where it is named."""
    query = select(collected).where(collected.c.author == plant)
    query = query.where(collected.c.material_id == material_id) if material_id else query
    return conn.execute(query.order_by(collected.c.at_ms.desc(), collected.c.record_id).limit(limit)).all()


def list_checklists(conn: Connection, plant: str, limit: int = 50) -> Sequence[Row[Any]]:
    """Checklists of a plant, the youngest first."""
    query = select(checklist).where(checklist.c.author == plant)
    return conn.execute(query.order_by(checklist.c.at_ms.desc(), checklist.c.record_id).limit(limit)).all()


def acknowledged_of(conn: Connection, plant: str, decision_ids: Sequence[str]) -> dict[tuple[str, int], Row[Any]]:
    """Actions that somebody said they are on: (decision, action) -> row."""
    of = task_acknowledged.c
    query = select(task_acknowledged).where(of.author == plant, of.decision_id.in_(sorted(decision_ids)))
    return {(row.decision_id, row.action): row for row in conn.execute(query)} if decision_ids else {}


def list_qualifications(conn: Connection, plant: str, person_id: str = "") -> Sequence[Row[Any]]:
    """Qualifications of a plant's people, ended ones too, by name; of one person where it is named."""
    query = select(qualification).where(qualification.c.author == plant)
    query = query.where(qualification.c.person_id == person_id) if person_id else query
    return conn.execute(query.order_by(qualification.c.name, qualification.c.person_id)).all()


def is_held(row: Row[Any], now_ms: int) -> bool:
    """Whether a qualification counts at a time: not ended, not run out. Pure."""
    return row.ended_ms is None and (row.until_ms == 0 or now_ms < row.until_ms)


def held_by(conn: Connection, plant: str, person_id: str, now_ms: int) -> frozenset[str]:
    """The qualifications that a person holds at a time."""
    rows = list_qualifications(conn, plant, person_id) if person_id else ()
    return frozenset(row.name for row in rows if is_held(row, now_ms))
