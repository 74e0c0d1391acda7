"""What people did of what standards ask of them: a workflow's action, a record of data, a checklist."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("TaskDone")
class TaskDone(Payload, frozen=True, kw_only=True):
    """Somebody did an action of the workflow that a failed check began; action counts from 1."""

    decision_id: str
    workflow_id: str
    action: int
    note: str = ""


@fact("DataCollected")
class DataCollected(Payload, frozen=True, kw_only=True):
    """What a data collection asks, of one heat or piece (material_id) or of a shift (of, e.g. 2026-03-11/early)."""

    record_id: str
    unit: str
    material_id: str
    of: str
    values: dict[str, int | str | bool]


@fact("ChecklistDone")
class ChecklistDone(Payload, frozen=True, kw_only=True):
    """A checklist or a handover was gone through; confirmed: numbers of its steps, from 1. note: why one is not."""

    record_id: str
    unit: str
    confirmed: tuple[int, ...]
    note: str = ""
