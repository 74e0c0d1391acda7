"""Waves, ways back and plants' answers become rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from shared.db.upsert import upsert
from shared.journal.fact import AppliedFact
from shared.standards import facts, tables
from shared.standards.rows import change

ROLLOUT_COLUMNS = ("state", "waves", "back_to", "reason", "planned_by", "planned_ms", "ended_ms")


def apply_planned(conn: Connection, group: Sequence[AppliedFact[facts.RolloutPlanned]]) -> None:
    """A plan; none of its waves has begun."""
    for f in group:
        waves = json.dumps([{**msgspec.to_builtins(wave), "started_ms": 0} for wave in f.payload.waves])
        _write(conn, f, state="planned", waves=waves, planned_by=f.actor, planned_ms=f.recorded_at_ms)


def apply_advanced(conn: Connection, group: Sequence[AppliedFact[facts.RolloutAdvanced]]) -> None:
    """A wave began. One that the plan does not have changes nothing but the state."""
    for f in group:
        row = conn.execute(_row(f)).first()
        waves = json.loads(row.waves) if row else []
        if 0 < f.payload.wave <= len(waves):
            waves[f.payload.wave - 1]["started_ms"] = f.recorded_at_ms
        change(conn, tables.rollout, f, _key(f), state="running", waves=json.dumps(waves))


def apply_completed(conn: Connection, group: Sequence[AppliedFact[facts.RolloutCompleted]]) -> None:
    """The waves are over, the version is everybody's."""
    for f in group:
        change(conn, tables.rollout, f, _key(f), state="completed", ended_ms=f.recorded_at_ms)


def apply_rolled_back(conn: Connection, group: Sequence[AppliedFact[facts.StandardRolledBack]]) -> None:
    """Taken back: the version is withdrawn, and what comes in its place is kept with it."""
    for f in group:
        row, now = conn.execute(_row(f)).first(), f.recorded_at_ms
        ended = {"state": "rolled_back", "back_to": f.payload.back_to, "reason": f.payload.reason, "ended_ms": now}
        if row is None:
            _write(conn, f, waves="[]", **ended)
        else:
            change(conn, tables.rollout, f, _key(f), **ended)
        withdrawn = {"status": "withdrawn", "withdrawn_ms": now, "note": f.payload.reason}
        change(conn, tables.standard_version, f, _key(f), **withdrawn)


def apply_answered(conn: Connection, group: Sequence[AppliedFact[facts.StandardAnswered]]) -> None:
    """The plant's last word on a version."""
    for f in group:
        p = f.payload
        said = {"answer": p.answer, "from_ms": p.from_ms, "reason": p.reason}
        by = {"answered_by": f.actor, "answered_ms": f.recorded_at_ms}
        row = {"author": f.author, **_key(f), **said, **by}
        upsert(conn, tables.answer, [row], update=tuple((said | by).keys()))


def _key(f: AppliedFact[Any]) -> dict[str, Any]:
    return {"standard_id": f.payload.standard_id, "version": f.payload.version}


def _row(f: AppliedFact[Any]) -> Any:
    table = tables.rollout
    return select(table).where(
        table.c.author == f.author,
        table.c.standard_id == f.payload.standard_id,
        table.c.version == f.payload.version,
    )


def _write(conn: Connection, f: AppliedFact[Any], **values: Any) -> None:
    empty = {"back_to": 0, "reason": "", "planned_by": "", "planned_ms": None, "ended_ms": None}
    upsert(conn, tables.rollout, [{"author": f.author, **_key(f), **empty, **values}], update=ROLLOUT_COLUMNS)
