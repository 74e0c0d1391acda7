"""What the office's pages and API show of versions, read in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.standards import tables
from shared.standards.diff import Change, differences
from shared.standards.documents import AnyStandard, parse_body
from shared.standards.queries import find_version, list_versions
from shared.standards.readable import Section, sections


@dataclass(frozen=True)
class WholeVersion:
    """A version with its document in readable form, compared with the one published before it (None: it is the first)."""

    row: Row[Any]
    document: AnyStandard
    sections: Sequence[Section]
    compared_with: int | None
    differences: Sequence[Change]


def list_rows(conn: Connection, hub: str, status: str = "", kind: str = "") -> list[Row[Any]]:
    """Versions by id, newest first, narrowed by status and kind."""
    rows = [row for row in list_versions(conn, hub) if status in ("", row.status) and kind in ("", row.kind)]
    return sorted(rows, key=lambda row: (row.standard_id, -row.version))


def find_whole(conn: Connection, hub: str, standard_id: str, version: int) -> WholeVersion | None:
    """One version and what differs."""
    row = find_version(conn, hub, standard_id, version)
    if row is None:
        return None
    document = parse_body(row.body.encode())
    before = find_published_before(conn, hub, standard_id, version)
    return WholeVersion(
        row,
        document,
        sections(document),
        before.version if before else None,
        differences(before, document) if before else [],
    )


def find_published_before(conn: Connection, hub: str, standard_id: str, version: int) -> AnyStandard | None:
    """The latest version below this one that was ever published; None: there is none."""
    c = tables.standard_version.c
    where = (c.author == hub, c.standard_id == standard_id, c.version < version)
    query = select(c.body).where(*where, c.status.in_(("published", "withdrawn"))).order_by(c.version.desc()).limit(1)
    body = conn.execute(query).scalar()
    return None if body is None else parse_body(body.encode())
