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


@fact("TaskAcknowledged")
class TaskAcknowledged(Payload, frozen=True, kw_only=True):
    """Somebody said that they are on an action of a workflow; action counts from 1."""

    decision_id: str
    workflow_id: str
    action: int


@fact("QualificationGiven")
class QualificationGiven(Payload, frozen=True, kw_only=True):
    """A person (by the plant's id of them) holds a qualification until a time, 0 without end; a later word replaces it."""

    person_id: str
    qualification: str
    until_ms: int
    note: str = ""


@fact("QualificationEnded")
class QualificationEnded(Payload, frozen=True, kw_only=True):
    """A person does not hold a qualification any more."""

    person_id: str
    qualification: str
    reason: str
