"""The schema's versions: one Alembic branch for the shared tables, one each for plant and hub, on both databases.

A node's kind names the branches it needs. `upgrade` brings a database to the newest version; `check` refuses a start
on any other that was not made for this code. Every start checks and few upgrade, so the check reads the revision files by
itself and Alembic is imported only by who upgrades.

Releases are rolled back, schemas never. So a schema first expands, which code of the release before does not notice, and
contracts a release later; a revision that takes something away says `contracts = True`. An upgrade writes down which
revisions' code may still open the database (table schema_reader), and older code believes that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

from shared.db.engine import read, write
from shared.errors import BadSetup

if TYPE_CHECKING:
    from alembic.config import Config

SHARED = Path(__file__).parents[1] / "migrations"

Revision = dict[str, Any]


def configuration(branch: Path, connection: Connection, include_object: Callable[..., bool] | None = None) -> Config:
    """Alembic's configuration for the shared branch and one node kind's (its migrations folder)."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SHARED))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{SHARED / 'versions'}\n{branch / 'versions'}")
    config.attributes.update(connection=connection, include_object=include_object)
    return config


def upgrade(engine: Engine, branch: Path) -> None:
    """Bring a node's database to the newest schema, in one transaction."""
    from alembic import command

    with write(engine) as connection:
        command.upgrade(configuration(branch, connection), "heads")
        connection.execute(text("CREATE TABLE IF NOT EXISTS schema_reader (revision VARCHAR(64) PRIMARY KEY)"))
        connection.execute(text("DELETE FROM schema_reader"))
        rows = [{"revision": name} for name in sorted(_readers(_revisions(branch)))]
        connection.execute(text("INSERT INTO schema_reader (revision) VALUES (:revision)"), rows)


def check(engine: Engine, branch: Path) -> None:
    """BadSetup unless the database has the schema that this code was written for, or one that only added to it."""
    with read(engine) as connection:
        have = _written(connection)
        readers = _kept_readers(connection)
    revisions = _revisions(branch)
    # what another revision builds on, as its successor or from another branch, is not written down by itself
    followed = {name for one in revisions for name in (*_names(one["down_revision"]), *_names(one["depends_on"]))}
    released = {one["revision"] for one in revisions}
    want, known = released - followed, have <= released
    if have == want or (not have <= released and _heads(revisions) <= readers):
        return
    advice = "Run its upgrade command." if known else "It was used by a newer release: start that one."
    raise BadSetup(
        "db.other_schema", f"The database has schema {_text(have)}, this release needs {_text(want)}.", todo=advice
    )


def _heads(revisions: Iterable[Revision]) -> set[str]:
    """The last revision of each branch."""
    revisions = list(revisions)
    followed = {name for one in revisions for name in _names(one["down_revision"])}
    return {one["revision"] for one in revisions} - followed


def _readers(revisions: Iterable[Revision]) -> set[str]:
    """Revisions after which nothing was taken away: code that ends there may open the database."""
    known = {one["revision"]: one for one in revisions}
    waiting, found = _heads(known.values()), set[str]()
    while waiting:
        name = waiting.pop()
        found.add(name)
        if not known[name].get("contracts", False):
            waiting |= set(_names(known[name]["down_revision"]))
    return found


def _kept_readers(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("schema_reader"):
        return set()
    return set(connection.execute(text("SELECT revision FROM schema_reader")).scalars())


def _written(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _files(branch: Path) -> Iterable[Path]:
    return (path for folder in (SHARED, branch) for path in (folder / "versions").glob("*.py"))


def _revisions(branch: Path) -> list[Revision]:
    return [_read_revision(path) for path in sorted(_files(branch))]


def _read_revision(path: Path) -> Revision:
    """What a revision file says of itself: revision, down_revision, depends_on, contracts."""
    said: Revision = {}
    for line in ast.parse(path.read_text("utf-8")).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            name = line.targets[0].id
            if name in ("revision", "down_revision", "depends_on", "contracts"):
                said[name] = ast.literal_eval(line.value)
    return said


def _names(said: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else said or ()


def _text(revisions: set[Any]) -> str:
    return ", ".join(sorted(map(str, revisions))) or "none"
