"""The schema's versions: one Alembic branch for the shared tables, one each for plant and hub, on both databases.

A node's kind names the branches it needs. `upgrade` brings a database to the newest version; `check` refuses a start
on any other, so that old code never writes into newer tables, nor new code into older ones. Every start checks and few
upgrade, so the check reads the revision files by itself and Alembic is imported only by who upgrades.
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


def check(engine: Engine, branch: Path) -> None:
    """BadSetup unless the database has exactly the schema that this code was written for."""
    with read(engine) as connection:
        have = _written(connection)
    revisions = [_read_revision(path) for path in sorted(_files(branch))]
    # what another revision builds on, as its successor or from another branch, is not written down by itself
    followed = {name for one in revisions for name in (*_names(one["down_revision"]), *_names(one["depends_on"]))}
    released = {one["revision"] for one in revisions}
    want, known = released - followed, have <= released
    if have == want:
        return
    advice = "Run its upgrade command." if known else "It was used by a newer release: start that one."
    raise BadSetup(
        "db.other_schema", f"The database has schema {_text(have)}, this release needs {_text(want)}.", todo=advice
    )


def _written(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _files(branch: Path) -> Iterable[Path]:
    return (path for folder in (SHARED, branch) for path in (folder / "versions").glob("*.py"))


def _read_revision(path: Path) -> dict[str, Any]:
    """What a revision file says of itself: revision, down_revision, depends_on."""
    said: dict[str, Any] = {}
    for line in ast.parse(path.read_text("utf-8")).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            name = line.targets[0].id
            if name in ("revision", "down_revision", "depends_on"):
                said[name] = ast.literal_eval(line.value)
    return said


def _names(said: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else said or ()


def _text(revisions: set[Any]) -> str:
    return ", ".join(sorted(map(str, revisions))) or "none"
