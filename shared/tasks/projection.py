"""Facts of people's work to rows; each is written once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.tasks import tables
from shared.tasks.facts import ChecklistDone, DataCollected, TaskDone


def register(appliers: Appliers) -> None:
    """Hand the journal every applier of people's work."""
    appliers.add(TaskDone, apply_done)
    appliers.add(DataCollected, apply_collected)
    appliers.add(ChecklistDone, apply_checklist)


def apply_done(conn: Connection, group: Sequence[AppliedFact[TaskDone]]) -> None:
    """An action done; the first word counts."""
    rows = [
        {
            "author": f.author,
            "decision_id": f.payload.decision_id,
            "action": f.payload.action,
            "workflow_id": f.payload.workflow_id,
            "note": f.payload.note,
            "done_by": f.actor,
            "done_ms": f.recorded_at_ms,
        }
        for f in group
    ]
    upsert(conn, tables.task_done, rows)


def apply_collected(conn: Connection, group: Sequence[AppliedFact[DataCollected]]) -> None:
    """A record of data."""
    rows = [
        {
            **_stamp(f),
            "material_id": f.payload.material_id,
            "of": f.payload.of,
            "values": json.dumps(f.payload.values, sort_keys=True, ensure_ascii=False),
        }
        for f in group
    ]
    upsert(conn, tables.collected, rows)


def apply_checklist(conn: Connection, group: Sequence[AppliedFact[ChecklistDone]]) -> None:
    """A checklist gone through."""
    rows = [
        {**_stamp(f), "confirmed": f" {' '.join(map(str, f.payload.confirmed))} ", "note": f.payload.note}
        for f in group
    ]
    upsert(conn, tables.checklist, rows)


def _stamp(f: AppliedFact[Any]) -> dict[str, Any]:
    return {
        "author": f.author,
        "record_id": f.payload.record_id,
        "standard_id": f.standard.id if f.standard else "",
        "standard_version": f.standard.version if f.standard else 0,
        "unit": f.payload.unit,
        "said_by": f.actor,
        "at_ms": f.occurred.at_ms,
    }
