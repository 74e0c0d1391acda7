"""Texts are as long as their columns on every database: SQLite would keep what PostgreSQL refuses.

A plant on SQLite and a hub on PostgreSQL must make the same rows of a fact, so the limit is ours and not the database's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import String, Table

from shared.errors import BadInput


def check_fit(table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """BadInput when a text of a row is longer than its column, in characters."""
    limits = _limits(table)
    for row in rows:
        for name, limit in limits:
            value = row.get(name)
            if value is not None and len(value) > limit:
                raise BadInput(
                    "db.text_too_long",
                    f"{table.name}.{name} takes {limit} characters; {value[:limit]!r}... has {len(value)}.",
                    todo="Use a shorter text.",
                )


@lru_cache(maxsize=500)
def _limits(table: Table) -> tuple[tuple[str, int], ...]:
    return tuple((c.name, c.type.length) for c in table.columns if isinstance(c.type, String) and c.type.length)
