"""Named reads of words about standards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from shared.standards.documents import AnyStandard
from shared.standards.queries import equipment_of
from shared.standards.talk_tables import comment, proposal, proposal_answer

SHOWN_MAX = 200
"""Proposals or mentions on one page; older ones are answered or forgotten."""


@dataclass(frozen=True)
class Proposal:
    """A plant's proposal; answer "" as long as the office has not said anything. drafted: the version made of it."""

    plant: str
    proposal_id: str
    standard_id: str
    version: int
    parameter: str
    value: str
    since_ms: int
    reason: str
    proposed_by: str
    proposed_ms: int
    answer: str
    drafted: int
    why: str

    @property
    def is_own(self) -> bool:
        """Whether a standard of the plant's own is proposed as a whole."""
        return not self.parameter

    @property
    def group_id(self) -> str:
        """The group's id of what is proposed: an own standard's without its plant's code."""
        rest = self.standard_id.removeprefix(f"{self.plant}-")
        return rest if not self.is_own or rest[:1].isalpha() else f"S-{rest}"


def list_proposals(conn: Connection, plant: str | None = None) -> list[Proposal]:
    """Of one plant or all, the youngest first."""
    query = _proposals()
    query = query.where(proposal.c.author == plant) if plant else query
    rows = conn.execute(query.order_by(proposal.c.proposed_ms.desc(), proposal.c.proposal_id).limit(SHOWN_MAX))
    return [_proposal(row) for row in rows]


def find_proposal(conn: Connection, proposal_id: str) -> Proposal | None:
    """One proposal."""
    row = conn.execute(_proposals().where(proposal.c.proposal_id == proposal_id)).first()
    return _proposal(row) if row else None


def list_comments(conn: Connection, author: str, standard_id: str, version: int) -> Sequence[Row[Any]]:
    """What was said of a version, in order."""
    c = comment.c
    query = select(comment).where(c.author == author, c.standard_id == standard_id, c.version == version)
    return conn.execute(query.order_by(c.said_ms, c.comment_id)).all()


def list_mentions(conn: Connection, author: str, person_id: str) -> Sequence[Row[Any]]:
    """Comments that a person is to read, the youngest first."""
    query = select(comment).where(comment.c.author == author, comment.c.mentions.contains(f" {person_id} "))
    return conn.execute(query.order_by(comment.c.said_ms.desc(), comment.c.comment_id).limit(SHOWN_MAX)).all()


def classes_spoken_of(conn: Connection, plant: str, document: AnyStandard, parameter: str = "") -> set[str]:
    """The equipment classes whose figures a document may change at a plant; of a parameter ("UNIT.name") its unit's."""
    if parameter:
        found = equipment_of(conn, plant).get(parameter.partition(".")[0])
        return {found} if found else set()
    return {*document.needs, *(p.of for p in document.parameters)}


def _proposals() -> Any:
    a = proposal_answer.c
    said = and_(a.proposal_id == proposal.c.proposal_id, a.plant == proposal.c.author)
    return select(proposal, a.answer, a.version.label("drafted"), a.reason.label("why")).outerjoin(
        proposal_answer, said
    )


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(
        row.author,
        row.proposal_id,
        row.standard_id,
        row.version,
        row.parameter,
        row.value,
        row.since_ms,
        row.reason,
        row.proposed_by,
        row.proposed_ms,
        row.answer or "",
        row.drafted or 0,
        row.why or "",
    )
