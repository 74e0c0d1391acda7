"""Tables of fresh nodes, made once and then copied: hundreds of tests begin with an empty database of a hundred tables.

To create them statement by statement costs 0.06 s on SQLite (0.25 s through the revisions) and 0.4 s (0.6 s) on
PostgreSQL. A copy is the same database, byte by byte on SQLite and by TEMPLATE on PostgreSQL, so no test can tell.
Only an empty database gets a copy; all else (some of the tables, a database with something in it) is made as ever.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from shared.db import migrate
from shared.db.engine import open_engine
from shared.db.types import metadata

create_all = metadata.create_all
upgrade = migrate.upgrade
Make = Callable[[Engine], object]


class ReadyTables:
    """Databases with tables and no rows, made when they are first needed: SQLite files in a folder of this worker's
    own, on PostgreSQL in the same cluster."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[str] = set()

    def create_all(self, bind: Engine | Connection, *args: Any, **more: Any) -> None:
        """In the place of metadata.create_all. What it makes grows with what a worker has imported."""
        whole = isinstance(bind, Engine) and not args and not more
        if not whole or not self._copied(bind, f"code{len(metadata.tables)}", create_all):
            create_all(bind, *args, **more)

    def upgrade(self, engine: Engine, branch: Path) -> None:
        """In the place of migrate.upgrade."""
        if not self._copied(engine, branch.parent.name, lambda fresh: upgrade(fresh, branch)):
            upgrade(engine, branch)

    def _copied(self, engine: Engine, name: str, make: Make) -> bool:
        if engine.dialect.name == "postgresql":
            return self._copied_database(engine, f"ready_{name}", make)
        file = Path(engine.url.database or ":memory:")
        if file.name == ":memory:" or file.exists() or not file.parent.is_dir():
            return False  # or a connection has it open already
        ready = self._folder / f"{name}.sqlite"
        if name not in self._made:
            _fill(f"sqlite:///{ready}", make)
            assert not ready.with_name(f"{ready.name}-wal").exists(), "the last connection takes the log into the file"
            self._made.add(name)
        shutil.copyfile(ready, file)
        return True

    def _copied_database(self, engine: Engine, name: str, make: Make) -> bool:
        if engine.url.database == "postgres" or not _is_empty(engine):  # the one that copies are made from
            return False
        admin = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        place = f"{engine.url.query['host']} {name}"
        with admin.connect() as conn:
            if place not in self._made:
                conn.execute(text(f"CREATE DATABASE {name}"))
                _fill(engine.url.set(database=name).render_as_string(hide_password=False), make)
                self._made.add(place)
            engine.dispose()
            conn.execute(text(f"DROP DATABASE {engine.url.database} WITH (FORCE)"))
            conn.execute(text(f"CREATE DATABASE {engine.url.database} TEMPLATE {name}"))
        admin.dispose()
        return True


def _fill(url: str, make: Make) -> None:
    engine = open_engine(url)
    make(engine)
    engine.dispose()


def _is_empty(engine: Engine) -> bool:
    """Whether a PostgreSQL database is as CREATE DATABASE made it."""
    with engine.connect() as conn:
        return not conn.execute(text("SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace")).first()


@contextmanager
def ready_tables(folder: Path) -> Iterator[None]:
    """As long as it lasts, new databases of this process get their tables by copy."""
    ready = ReadyTables(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "create_all", ready.create_all)
        patch.setattr(migrate, "upgrade", ready.upgrade)
        yield
