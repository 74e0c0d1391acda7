"""Texts are as long as their columns on every database: SQLite would keep what PostgreSQL refuses.

A plant on SQLite and a hub on PostgreSQL must make the same rows of a fact, so the limit is ours and not the database's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import gt, itemgetter
from typing import Any

from sqlalchemy import String, Table

from shared.errors import BadInput

Limits = tuple[tuple[str, int], ...]


FEW = 8
"""Rows up to which a row at a time is quicker; more are looked at by column, which is no loop of ours."""


def check_fit(table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """BadInput when a text of a row (all with the same keys) is longer than its column, in characters."""
    if not rows:
        return
    names, longest, rest = _limits(table, tuple(rows[0]))
    if len(rows) > FEW and all(map(_all_fit, repeat(rows), names, longest)):
        names, longest = (), ()
    if not names and not rest:
        return
    for row in rows:
        try:
            fits = not any(map(gt, map(len, map(row.__getitem__, names)), longest))
        except TypeError:  # None where the database will refuse it
            fits = False
        _check(table, row, rest if fits else (*zip(names, longest, strict=True), *rest))


def _all_fit(rows: Sequence[Mapping[str, Any]], name: str, limit: int) -> bool:
    try:
        return max(map(len, map(itemgetter(name), rows))) <= limit
    except TypeError:
        return False


def _check(table: Table, row: Mapping[str, Any], limits: Limits) -> None:
    for name, limit in limits:
        value = row[name]
        if value is not None and len(value) > limit:
            raise BadInput(
                "db.text_too_long",
                f"{table.name}.{name} takes {limit} characters; {value[:limit]!r}... has {len(value)}.",
                todo="Use a shorter text.",
            )


@lru_cache(maxsize=1_000)
def _limits(table: Table, columns: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...], Limits]:
    """Of these columns those that hold a text, with their limits, and apart from them those that may hold none."""
    found = [(c.name, c.type.length) for c in table.columns if isinstance(c.type, String) and c.type.length]
    given = [(name, limit) for name, limit in found if name in columns]
    sure = [(name, limit) for name, limit in given if not table.c[name].nullable]
    rest = tuple((name, limit) for name, limit in given if table.c[name].nullable)
    return tuple(name for name, _ in sure), tuple(limit for _, limit in sure), rest
