"""Who does something, when, within which transaction: the same for a person's command and for a message of Level 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from local_mes.level2.operations import Work as MessageWork
from local_mes.plant import Plant
from shared.ids import new_id
from shared.journal.bulk import record_many
from shared.journal.fact import Draft, Occurred, Payload, StandardRef
from shared.journal.journal import Work


@dataclass(frozen=True)
class Deed:
    """mint gives ids for what comes into being; for a message they derive from it, so that twice is once."""

    plant: Plant
    tx: Work
    actor: str
    occurred: Occurred
    mint: Callable[[], str]

    @property
    def conn(self) -> Connection:
        """For named reads."""
        return self.tx.conn

    def record(
        self,
        payload: Payload,
        subjects: Sequence[str],
        *,
        standard: StandardRef | None = None,
        causes: tuple[str, ...] = (),
    ) -> str:
        """Record one fact; returns its id."""
        return self.tx.record(self.draft(payload, subjects, standard=standard, causes=causes))[0]

    def draft(
        self,
        payload: Payload,
        subjects: Sequence[str],
        *,
        standard: StandardRef | None = None,
        causes: tuple[str, ...] = (),
    ) -> Draft[Any]:
        """A fact of this deed, still to be recorded."""
        return Draft(
            payload=payload,
            subjects=tuple(subjects),
            actor=self.actor,
            occurred=self.occurred,
            standard=standard,
            causes=causes,
        )

    def record_all(self, drafts: Sequence[Draft[Any]]) -> list[str]:
        """Record facts that do not hang on each other's rows, in a few statements; returns their ids."""
        return record_many(self.tx, drafts)


def by_person(plant: Plant, tx: Work, actor: str, at_ms: int | None = None) -> Deed:
    """A person's deed, now or at the time they say."""
    when = tx.now_ms() if at_ms is None else at_ms
    occurred = Occurred(when, "manual", plant.model.calendar.offset_min(when))
    return Deed(plant, tx, actor, occurred, lambda: new_id(plant.clock))


def by_message(work: MessageWork) -> Deed:
    """What a message of Level 2 tells, as a deed of its link."""
    return Deed(work.plant, work.tx, work.message.source, work.message.occurred, work.new_id)
