"""Connections that stay ready to write: to take one from SQLAlchemy's pool and to give it back costs more than a small commit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, QueuePool

READY = 4
"""Connections kept ready; on SQLite one writes at a time."""


class WriterPool(QueuePool):
    """The pool of a SQLite engine, with a few connections that have written last, until the engine is disposed of.

    SQLAlchemy holds each for within a transaction; of SQLite's own none is open."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ready: list[Connection] = []

    def take(self) -> Connection | None:
        """One that is ready; it is nobody else's until it is kept again or closed."""
        try:
            return self._ready.pop()
        except IndexError:
            return None

    def keep(self, connection: Connection) -> None:
        """Have one ready whose transaction is over."""
        if len(self._ready) < READY:
            self._ready.append(connection)
        else:
            connection.close()

    def dispose(self) -> None:
        """Give all back, then close them with the others."""
        while connection := self.take():
            connection.close()
        super().dispose()
