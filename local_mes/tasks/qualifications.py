"""What people of this plant are qualified for, until when; given and ended by those who answer for it."""

from __future__ import annotations

import re

from local_mes.plant import Plant
from local_mes.tasks import errors
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Work
from shared.standards.documents import AnyStandard, Routing, Workflow
from shared.standards.work_kinds import Instruction
from shared.tasks.facts import QualificationEnded, QualificationGiven
from shared.tasks.queries import held_by
from shared.web.accounts import find_person

NAME = r"^[a-z][a-z0-9 _.-]{0,39}$"
"""How a qualification is written, as in the standards that ask for it."""
SOON_MS = 30 * 86_400_000
"""A qualification that ends within a month is shown as such: training takes weeks to arrange."""


def give(
    plant: Plant, person_id: str, qualification: str, until_ms: int, note: str, *, actor: str, command_id: str
) -> None:
    """A person holds a qualification from now until a time (0: without end); a later word replaces an earlier one."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        if not re.fullmatch(NAME, qualification):
            raise errors.no_such_name(qualification)
        if find_person(tx.conn, person_id) is None:
            raise errors.no_person(person_id)
        if until_ms and until_ms <= tx.now_ms():
            raise errors.run_out_already()
        fact = QualificationGiven(
            person_id=person_id, qualification=qualification, until_ms=until_ms, note=note.strip()
        )
        _record(tx, plant, fact, person_id, actor)
        tx.done(command_id, True)


def end(plant: Plant, person_id: str, qualification: str, reason: str, *, actor: str, command_id: str) -> None:
    """A person holds it no more."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        if qualification not in held_by(tx.conn, plant.code, person_id, tx.now_ms()):
            raise errors.never_given(qualification)
        fact = QualificationEnded(person_id=person_id, qualification=qualification, reason=reason.strip())
        _record(tx, plant, fact, person_id, actor)
        tx.done(command_id, True)


def demanded_by(document: AnyStandard) -> set[str]:
    """The qualifications that a standard asks for. Pure."""
    if isinstance(document, Workflow):
        asked = {action.qualification for action in document.actions}
    elif isinstance(document, Routing):
        asked = {step.qualification for step in document.steps}
    else:
        asked = {document.qualification} if isinstance(document, Instruction) else set()
    return asked - {""}


def _record(tx: Work, plant: Plant, fact: Payload, person_id: str, actor: str) -> None:
    now = tx.now_ms()
    occurred = Occurred(now, "manual", plant.model.calendar.offset_min(now))
    tx.record(Draft(payload=fact, subjects=(f"person:{person_id}",), actor=actor, occurred=occurred))
