"""Facts of people's work to rows; each is written once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from shared.db.bulk import update_each
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.tasks import tables
from shared.tasks.facts import (
    ChecklistDone,
    DataCollected,
    QualificationEnded,
    QualificationGiven,
    TaskAcknowledged,
    TaskDone,
)


def register(appliers: Appliers) -> None:
    """Hand the journal every applier of people's work."""
    appliers.add(TaskDone, apply_done)
    appliers.add(DataCollected, apply_collected)
    appliers.add(ChecklistDone, apply_checklist)
    appliers.add(TaskAcknowledged, apply_acknowledged)
    appliers.add(QualificationGiven, apply_qualification_given)
    appliers.add(QualificationEnded, apply_qualification_ended)


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


def apply_acknowledged(conn: Connection, group: Sequence[AppliedFact[TaskAcknowledged]]) -> None:
    """Somebody is on it; the first word counts."""
    rows = [
        {
            "author": f.author,
            "decision_id": f.payload.decision_id,
            "action": f.payload.action,
            "workflow_id": f.payload.workflow_id,
            "said_by": f.actor,
            "at_ms": f.recorded_at_ms,
        }
        for f in group
    ]
    upsert(conn, tables.task_acknowledged, rows)


def apply_qualification_given(conn: Connection, group: Sequence[AppliedFact[QualificationGiven]]) -> None:
    """A person holds it from now on; an earlier end of it counts no more."""
    rows = [
        {
            "author": f.author,
            "person_id": f.payload.person_id,
            "name": f.payload.qualification,
            "from_ms": f.occurred.at_ms,
            "until_ms": f.payload.until_ms,
            "note": f.payload.note,
            "given_by": f.actor,
            "ended_ms": None,
            "ended_by": "",
            "reason": "",
        }
        for f in group
    ]
    changing = ["from_ms", "until_ms", "note", "given_by", "ended_ms", "ended_by", "reason"]
    upsert(conn, tables.qualification, rows, update=changing)


def apply_qualification_ended(conn: Connection, group: Sequence[AppliedFact[QualificationEnded]]) -> None:
    """A person holds it no more; the end of one that nobody gave changes nothing."""
    rows = [
        {
            "author": f.author,
            "person_id": f.payload.person_id,
            "name": f.payload.qualification,
            "ended_ms": f.occurred.at_ms,
            "ended_by": f.actor,
            "reason": f.payload.reason,
        }
        for f in group
    ]
    update_each(conn, tables.qualification, ("author", "person_id", "name"), rows)


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
