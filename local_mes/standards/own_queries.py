"""Named reads of what the plant deployed of its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from shared.standards.own_tables import own_deployment


def list_deployments(conn: Connection, plant: str) -> dict[str, Row[Any]]:
    """Standard -> its last deployment; version 0: taken out."""
    query = select(own_deployment).where(own_deployment.c.author == plant)
    return {row.standard_id: row for row in conn.execute(query)}


def find_deployment(conn: Connection, plant: str, standard_id: str) -> Row[Any] | None:
    """The last deployment of one."""
    return list_deployments(conn, plant).get(standard_id)
