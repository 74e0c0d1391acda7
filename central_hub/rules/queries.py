"""Named reads of the rules over arriving facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, distinct, func, select

from central_hub.hub import Hub
from central_hub.rules.tables import asked_to, hit
from shared.errors import BadInput
from shared.logs import get
from shared.standards.documents import AnyStandard, Workflow
from shared.standards.group_rule import COUNT_MAX, GROUP_RULE, GroupRule
from shared.standards.own_tables import group_decision
from shared.standards.queries import document_of
from shared.standards.rollout_queries import list_rollouts
from shared.standards.tables import standard_version

log = get("group rules")

COUNTED_MAX = 50
"""Facts that a decision names one by one; how many there were stands in its inputs."""
LATER_MAX = 10
"""Facts of later times that are judged again when an older one is told after them: each costs a count."""


@dataclass(frozen=True)
class InForce:
    """A rule as it is asked now. from_ms: since when it is published and in force."""

    document: GroupRule
    sha256: str
    from_ms: int

    @property
    def name(self) -> str:
        """ID:version, under which its facts are counted."""
        return f"{self.document.id}:{self.document.version}"


@dataclass(frozen=True)
class Place:
    """The last entry of a life that was asked about. joined: it came after asking had begun."""

    seq: int = 0
    joined: int = 1


@dataclass(frozen=True)
class Window:
    """What counted within a window."""

    count: int
    plants: int
    pieces: int
    facts: tuple[str, ...]


def rules_in_force(conn: Connection, hub: Hub) -> list[InForce]:
    """The highest published version of each, whose day has come and that is not on its way in waves."""
    found = {row.standard_id: row for row in conn.execute(_published(conn, hub, GROUP_RULE))}
    documents = ((_document(row), row) for row in found.values())
    return [
        InForce(document, row.sha256, max(row.published_ms, row.effective_from_ms))
        for document, row in documents
        if isinstance(document, GroupRule)
    ]


def find_workflow(conn: Connection, hub: Hub, workflow_id: str) -> tuple[Workflow, str] | None:
    """The published version of a workflow now, with its hash."""
    rows = [row for row in conn.execute(_published(conn, hub, "workflow")) if row.standard_id == workflow_id]
    document = _document(rows[-1]) if rows else None
    return (document, str(rows[-1].sha256)) if isinstance(document, Workflow) else None


def _document(row: Row[Any]) -> AnyStandard | None:
    """None for one that this version cannot read: it holds up no other."""
    try:
        return document_of(row.body)
    except BadInput as error:
        log.warning("a standard cannot be read", standard=f"{row.standard_id} v{row.version}", reason=str(error)[:300])
        return None


def _published(conn: Connection, hub: Hub, kind: str) -> Select[Any]:
    """Versions by id and number, the one that counts last."""
    table = standard_version
    where = [table.c.author == hub.code, table.c.kind == kind, table.c.status == "published"]
    going_out = [(r.standard_id, r.version) for r in list_rollouts(conn, hub.code, "planned", "running")]
    where += [~((table.c.standard_id == code) & (table.c.version == version)) for code, version in going_out]
    due = table.c.effective_from_ms <= hub.clock.now_ms()
    return select(table).where(*where, due).order_by(table.c.standard_id, table.c.version)


def asked_places(conn: Connection) -> dict[tuple[str, str], Place]:
    """Stream and epoch -> how far it was asked about."""
    return {(row.stream, row.epoch): Place(row.seq, row.joined) for row in conn.execute(select(asked_to))}


def window_of(conn: Connection, rule: str, key: str, after_ms: int, to_ms: int) -> Window:
    """What counted after a moment, up to another: of more than COUNT_MAX the youngest."""
    where = (hit.c.rule == rule, hit.c.key == key, hit.c.at_ms > after_ms, hit.c.at_ms <= to_ms)
    youngest = select(hit).where(*where).order_by(hit.c.at_ms.desc(), hit.c.fact_id).limit(COUNT_MAX).subquery()
    c = youngest.c
    sums = select(func.count(c.fact_id), func.count(distinct(c.plant)), func.count(distinct(c.piece)))
    count, plants, pieces = conn.execute(sums).one()
    named = select(c.fact_id).order_by(c.at_ms.desc(), c.fact_id).limit(COUNTED_MAX)
    return Window(count, plants, pieces, tuple(conn.execute(named).scalars()))


def counted_later(conn: Connection, rule: str, key: str, after_ms: int, before_ms: int) -> list[Row[Any]]:
    """What counted between two moments, without either: the first ones, and the youngest."""
    where = (hit.c.rule == rule, hit.c.key == key, hit.c.at_ms > after_ms, hit.c.at_ms < before_ms)
    found = list(conn.execute(select(hit).where(*where).order_by(hit.c.at_ms, hit.c.fact_id).limit(LATER_MAX)))
    if len(found) == LATER_MAX:
        youngest = conn.execute(select(hit).where(*where).order_by(hit.c.at_ms.desc(), hit.c.fact_id.desc()).limit(1))
        found[-1] = youngest.one()
    return found


def spoke_within(conn: Connection, hub: Hub, rule_id: str, key: str, at_ms: int, quiet_ms: int) -> bool:
    """Whether the rule spoke of the same less than so long before or after a moment."""
    table = group_decision
    where = (table.c.author == hub.code, table.c.rule_id == rule_id, table.c.key == key)
    query = select(table.c.decision_id).where(
        *where, table.c.at_ms > at_ms - quiet_ms, table.c.at_ms < at_ms + quiet_ms
    )
    return conn.execute(query.limit(1)).first() is not None


def list_decisions(conn: Connection, hub: Hub, limit: int, rule_id: str = "") -> Sequence[Row[Any]]:
    """What the rules said, the youngest first."""
    table = group_decision
    query = select(table).where(table.c.author == hub.code)
    query = query.where(table.c.rule_id == rule_id) if rule_id else query
    return conn.execute(query.order_by(table.c.decided_ms.desc(), table.c.decision_id).limit(limit)).all()


def find_decision(conn: Connection, hub: Hub, decision_id: str) -> Row[Any] | None:
    """One decision."""
    table = group_decision
    return conn.execute(select(table).where(table.c.author == hub.code, table.c.decision_id == decision_id)).first()
