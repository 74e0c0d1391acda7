"""What a plant that is asked has agreed to: until it says yes, it keeps what it runs."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from shared.standards.messages import Assigned
from shared.standards.queries import Adopted
from shared.standards.rollout_queries import Answer, list_answers

ACCEPTED, REJECTED = "accepted", "rejected"
Answers = Mapping[tuple[str, int], Answer]


def answers_of(conn: Connection, plant: str) -> dict[tuple[str, int], Answer]:
    """What the plant said: (id, version) -> its last word."""
    return {(said.standard_id, said.version): said for said in list_answers(conn, plant)}


def agreed_to(assigned: Assigned, old: Adopted | None, answers: Answers) -> Assigned | None:
    """The version as the plant takes it: from its own time where it accepted, also when it is asked no more; at once
    where it is not asked or runs it already; None while it is asked and has not said yes."""
    runs_it = old is not None and (old.version, old.sha256) == (assigned.version, assigned.sha256)
    said = answers.get((assigned.id, assigned.version))
    accepted = said is not None and said.answer == ACCEPTED
    if runs_it or (not assigned.answer_by_ms and not accepted):
        return assigned
    if said is None or not accepted:
        return None
    return msgspec.structs.replace(assigned, effective_from_ms=max(assigned.effective_from_ms, said.from_ms))
