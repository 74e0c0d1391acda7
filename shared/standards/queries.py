"""Named reads over the rows of standards; `author` is the plant or hub whose rows are meant."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, bindparam, or_, select

from shared.db.prepared import Prepared
from shared.errors import BadInput
from shared.journal.fact import StandardRef
from shared.standards import tables
from shared.standards.deviation_rows import NO_PAST, Approval, Past, list_pasts
from shared.standards.documents import AnyStandard, parse_body

log = logging.getLogger(__name__)
in_force, version = tables.in_force, tables.standard_version


class Adopted(msgspec.Struct, frozen=True, gc=False):
    """A version a plant has adopted; values: "UNIT.parameter" -> bound value; until_ms None while in force."""

    plant: str
    standard_id: str
    version: int
    sha256: str
    effective_from_ms: int
    adopted_ms: int
    until_ms: int | None
    values: dict[str, int | str] = msgspec.field(default_factory=dict)

    @property
    def since_ms(self) -> int:
        """When it began to count."""
        return max(self.effective_from_ms, self.adopted_ms)

    @property
    def ref(self) -> StandardRef:
        """The stamp for facts done under it."""
        return StandardRef(self.standard_id, self.version, self.sha256)


@dataclass(frozen=True)
class Deviation:
    """A declared deviation of a plant.

    approval  what others said of it as long as it ends then
    past      how it was renewed, and who said what of it
    """

    plant: str
    deviation_id: str
    standard_id: str
    parameter: str
    value: str
    owner: str
    reason: str
    declared_ms: int
    expires_ms: int
    ended_ms: int | None
    approval: Approval = "open"
    past: Past = NO_PAST

    def active(self, now_ms: int) -> bool:
        """Whether it is in force."""
        return self.ended_ms is None and now_ms < self.expires_ms


_NOW = (
    select(
        *(in_force.c.author, in_force.c.standard_id, in_force.c.version, in_force.c.sha256),
        *(in_force.c.effective_from_ms, in_force.c.adopted_ms, in_force.c.until_ms, in_force.c.bound),
    )
    .where(in_force.c.until_ms.is_(None))
    .order_by(in_force.c.author, in_force.c.standard_id)
)
_IN_FORCE = Prepared(lambda _: _NOW)
_IN_FORCE_AT = Prepared(lambda _: _NOW.where(in_force.c.author == bindparam("of")))
"""The whole group's are tens of thousands of rows: as the driver gives them."""


def find_in_force(conn: Connection, plant: str, standard_id: str, at_ms: int | None = None) -> Adopted | None:
    """The version in force at the plant: now (at_ms None), or the one that was at a time.

    A version adopted ahead of its day does not count before it: until then the one it replaces does.
    """
    query = select(in_force).where(in_force.c.author == plant, in_force.c.standard_id == standard_id)
    if at_ms is None:
        query = query.where(in_force.c.until_ms.is_(None))
    else:
        query = query.where(
            in_force.c.effective_from_ms <= at_ms,
            in_force.c.adopted_ms <= at_ms,
            or_(in_force.c.until_ms.is_(None), in_force.c.until_ms > at_ms),
        )
    row = conn.execute(query.order_by(in_force.c.effective_from_ms.desc()).limit(1)).first()
    if row is None and at_ms is not None:
        row = _past(conn, plant, standard_id, at_ms)
    return _adopted(row) if row else None


def _past(conn: Connection, plant: str, standard_id: str, at_ms: int) -> Row[tuple[object, ...]] | None:
    """The version of a spell that ended before the same version came back."""
    c = tables.past_spell.c
    where = (c.author == plant, c.standard_id == standard_id, c.effective_from_ms <= at_ms)
    query = select(tables.past_spell).where(*where, c.adopted_ms <= at_ms, c.until_ms > at_ms)
    return conn.execute(query.order_by(c.effective_from_ms.desc(), c.adopted_ms.desc()).limit(1)).first()


def list_in_force(conn: Connection, plant: str | None = None) -> list[Adopted]:
    """What is in force, at one plant or everywhere, by plant and id."""
    rows = _IN_FORCE_AT.rows(conn, of=plant) if plant else _IN_FORCE.rows(conn)
    return [
        Adopted(author, name, number, sha256, from_ms, adopted_ms, until_ms, _values(bound))
        for author, name, number, sha256, from_ms, adopted_ms, until_ms, bound in rows
    ]


def list_documents_in_force(conn: Connection, plant: str, kind: str) -> list[tuple[Adopted, AnyStandard]]:
    """What is in force at a plant of one kind, with its documents, by id: one question however many they are.

    What this release cannot read is left out.
    """
    same = (version.c.standard_id == in_force.c.standard_id, version.c.version == in_force.c.version)
    query = (
        select(in_force, version.c.body)
        .join(version, and_(*same, version.c.sha256 == in_force.c.sha256))
        .where(in_force.c.author == plant, in_force.c.until_ms.is_(None), version.c.kind == kind)
        .order_by(in_force.c.standard_id)
    )
    found = {}
    for row in conn.execute(query):
        document = _readable(row.standard_id, row.version, row.body)
        if document is not None:
            found[row.standard_id] = (_adopted(row), document)
    return list(found.values())


def versions_run(conn: Connection, plant: str) -> list[tuple[str, int, str]]:
    """Id, version and hash of everything that a plant runs or ran."""
    rows = conn.execute(
        select(in_force.c.standard_id, in_force.c.version, in_force.c.sha256).where(in_force.c.author == plant)
    )
    return [(row.standard_id, row.version, row.sha256) for row in rows]


def list_history(conn: Connection, standard_id: str, plant: str = "") -> list[Adopted]:
    """Every plant's adoptions of one standard, or one plant's, the latest first."""
    found = []
    for table in (in_force, tables.past_spell):
        query = select(table).where(table.c.standard_id == standard_id)
        query = query.where(table.c.author == plant) if plant else query
        found += [_adopted(row) for row in conn.execute(query)]
    return sorted(found, key=lambda spell: (-spell.adopted_ms, spell.plant))


def find_body(conn: Connection, standard_id: str, number: int, sha256: str) -> str | None:
    """The canonical text of a version with that hash."""
    where = (version.c.standard_id == standard_id, version.c.version == number, version.c.sha256 == sha256)
    return conn.execute(select(version.c.body).where(*where)).scalar()


def find_document(conn: Connection, standard_id: str, number: int, sha256: str) -> AnyStandard | None:
    """The document of a version with that hash; None where it is not here, or this release cannot read it."""
    body = find_body(conn, standard_id, number, sha256)
    return None if body is None else _readable(standard_id, number, body)


def find_version(conn: Connection, author: str, standard_id: str, number: int) -> Row[tuple[object, ...]] | None:
    """The row of one version."""
    return conn.execute(
        select(version).where(
            version.c.author == author, version.c.standard_id == standard_id, version.c.version == number
        )
    ).first()


def list_versions(conn: Connection, author: str, *statuses: str) -> Sequence[Row[tuple[object, ...]]]:
    """All versions (in one of the statuses), by id and version."""
    query = select(version).where(version.c.author == author)
    query = query.where(version.c.status.in_(statuses)) if statuses else query
    return conn.execute(query.order_by(version.c.standard_id, version.c.version)).all()


def find_adoption(conn: Connection, plant: str) -> Row[tuple[object, ...]] | None:
    """The plant's latest adoption."""
    return conn.execute(select(tables.adoption).where(tables.adoption.c.author == plant)).first()


def find_rejection(conn: Connection, plant: str) -> Row[tuple[object, ...]] | None:
    """The plant's latest refusal, unless it adopted something since."""
    return conn.execute(select(tables.rejection).where(tables.rejection.c.author == plant)).first()


def list_deviations(conn: Connection, plant: str | None = None, active_at_ms: int | None = None) -> list[Deviation]:
    """Deviations, of one plant or all, and only those in force at a time where one is given."""
    table = tables.deviation
    query = select(table).where(table.c.author == plant) if plant else select(table)
    rows = conn.execute(query.order_by(table.c.declared_ms, table.c.deviation_id)).all()
    pasts = list_pasts(conn, plant) if rows else {}
    found = [_deviation(row, pasts.get((row.author, row.deviation_id), NO_PAST)) for row in rows]
    return [d for d in found if active_at_ms is None or d.active(active_at_ms)]


def list_deviations_of_ids(conn: Connection, plant: str, ids: Sequence[str]) -> list[Deviation]:
    """A plant's deviations with these ids."""
    return [deviation for deviation in list_deviations(conn, plant) if deviation.deviation_id in set(ids)]


def equipment_of(conn: Connection, plant: str) -> dict[str, str]:
    """Unit -> class, as the plant last reported; empty before it adopted anything."""
    row = find_adoption(conn, plant)
    found: dict[str, str] = json.loads(row.equipment) if row else {}
    return found


def _deviation(row: Row[Any], past: Past) -> Deviation:
    return Deviation(
        row.author,
        row.deviation_id,
        row.standard_id,
        row.parameter,
        row.value,
        row.owner,
        row.reason,
        row.declared_ms,
        row.expires_ms,
        row.ended_ms,
        past.approval(row.expires_ms),
        past,
    )


def _adopted(row: Row[tuple[object, ...]]) -> Adopted:
    return Adopted(
        row.author,
        row.standard_id,
        row.version,
        row.sha256,
        row.effective_from_ms,
        row.adopted_ms,
        row.until_ms,
        _values(row.bound),
    )


@lru_cache(maxsize=5_000)  # plants of a group bind alike; nobody changes what comes out
def _values(bound: str) -> dict[str, int | str]:
    found: dict[str, int | str] = json.loads(bound)
    return found


@lru_cache(maxsize=2_000)  # a large group publishes some hundreds; parsing one takes about 100 us
def document_of(body: str) -> AnyStandard:
    """The document of a body that was checked when it was stored."""
    return parse_body(body.encode())


@lru_cache(maxsize=2_000)  # so each is told once
def _readable(standard_id: str, number: int, body: str) -> AnyStandard | None:
    """The document of a body; None, and a word in the log, where this release cannot read it (a newer one had)."""
    try:
        return document_of(body)
    except BadInput as error:
        log.warning("%s v%s cannot be read by this release and is passed over: %s", standard_id, number, error)
        return None
