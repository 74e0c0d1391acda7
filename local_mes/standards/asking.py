"""A version that the group asks this plant to take: what it would change here, and the plant's yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.plant import Plant
from local_mes.standards.adopt import document_of, equipment, readopt, trusted_assignment
from local_mes.standards.consent import ACCEPTED, REJECTED, agreed_to, answers_of
from local_mes.standards.tables import standards_trust
from shared.errors import BadInput, NotFound, Refused
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.standards import facts
from shared.standards.binding import bind
from shared.standards.diff import Change, differences
from shared.standards.documents import AnyStandard
from shared.standards.queries import Adopted, find_document, list_deviations, list_in_force
from shared.standards.rollout_queries import Answer
from shared.standards.trust import TrustError

LATER_MS_MAX = 90 * 86_400_000
"""A plant that wants to begin later than in a quarter says no, and why."""


@dataclass(frozen=True)
class Asked:
    """One version the plant is asked about.

    present    what runs here now, None when nothing does; differences: from that to the version asked about
    missing    what it would need and is not here; such a version cannot be accepted
    answer     the plant's last word, None when it has not answered
    """

    document: AnyStandard
    answer_by_ms: int
    present: Adopted | None
    differences: Sequence[Change]
    missing: tuple[str, ...]
    answer: Answer | None


def list_asked(conn: Connection, plant: Plant) -> list[Asked]:
    """What waits for this plant's word, rejected versions too as long as they are asked for."""
    if conn.execute(select(standards_trust.c.plant)).first() is None:
        return []
    try:
        found = trusted_assignment(conn, plant.code)
    except TrustError:  # the catalogue has moved on and its assignment was refused: the refusal is shown by itself
        return []
    if found is None:
        return []
    trusted, assignment = found
    present = {adopted.standard_id: adopted for adopted in list_in_force(conn, plant.code)}
    answers, now = answers_of(conn, plant.code), plant.clock.now_ms()
    asked = []
    for assigned in assignment.standards:
        old = present.get(assigned.id)
        agreed = agreed_to(assigned, old, answers)
        if agreed is not None and (not assigned.answer_by_ms or agreed.effective_from_ms <= now):
            continue
        try:
            document = document_of(conn, trusted, assigned)
        except TrustError:  # its body did not come, or takes a newer release: one such question hides no other
            continue
        before = find_document(conn, old.standard_id, old.version, old.sha256) if old else None
        changes = differences(before, document) if before else []
        missing = bind(document, plant.code, equipment(plant), list_deviations(conn, plant.code, now)).missing
        said = answers.get((assigned.id, assigned.version))
        asked.append(Asked(document, assigned.answer_by_ms, old, changes, missing, said))
    return asked


def accept(plant: Plant, standard_id: str, version: int, from_ms: int, actor: str, command_id: str) -> None:
    """Take the version, now (from_ms 0) or from a time on; Refused when it does not fit this plant's equipment."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        asked = _get(tx, plant, standard_id, version)
        if asked.missing:
            raise Refused(
                "standards.missing",
                f"{standard_id} v{version} does not fit here: {'; '.join(asked.missing)}.",
                todo="Mend the plant model, or reject it with this reason.",
            )
        if from_ms and not tx.now_ms() <= from_ms <= tx.now_ms() + LATER_MS_MAX:
            raise BadInput(
                "standards.begin", "It must begin between now and in 90 days.", todo="Give another time, or reject it."
            )
        _answer(tx, plant, standard_id, version, (ACCEPTED, from_ms, ""), actor)
        tx.done(command_id, True)


def reject(plant: Plant, standard_id: str, version: int, reason: str, actor: str, command_id: str) -> None:
    """Say no, and why; what runs here stays, and the group reads the reason."""
    with plant.journal.work() as tx:
        if tx.once(command_id) is None:
            _get(tx, plant, standard_id, version)
            _answer(tx, plant, standard_id, version, (REJECTED, 0, reason), actor)
            tx.done(command_id, True)


def _get(tx: Work, plant: Plant, standard_id: str, version: int) -> Asked:
    for asked in list_asked(tx.conn, plant):
        if (asked.document.id, asked.document.version) == (standard_id, version):
            return asked
    raise NotFound(
        "standards.not_asked", f"This plant is not asked about {standard_id} v{version}.", todo="Look in the list."
    )


def _answer(tx: Work, plant: Plant, standard_id: str, version: int, said: tuple[str, int, str], actor: str) -> None:
    answer, from_ms, reason = said
    payload = facts.StandardAnswered(
        standard_id=standard_id, version=version, answer=answer, from_ms=from_ms, reason=reason
    )
    subjects = (f"effective:{plant.code}",)
    tx.record(Draft(payload=payload, subjects=subjects, actor=actor, occurred=Occurred(tx.now_ms(), "manual")))
    readopt(tx, plant, actor)
