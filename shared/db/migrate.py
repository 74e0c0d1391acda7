"""The schema's versions: one Alembic branch for the shared tables, one each for plant and hub, on both databases.

A node's kind names the branches it needs. `upgrade` brings a database to the newest version; `check` refuses a start
on any other, so that old code never writes into newer tables, nor new code into older ones.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from shared.db.engine import read, write
from shared.errors import BadSetup

SHARED = Path(__file__).parents[1] / "migrations"


def configuration(branch: Path, connection: Connection, include_object: Callable[..., bool] | None = None) -> Config:
    """Alembic's configuration for the shared branch and one node kind's (its migrations folder)."""
    config = Config()
    config.set_main_option("script_location", str(SHARED))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{SHARED / 'versions'}\n{branch / 'versions'}")
    config.attributes.update(connection=connection, include_object=include_object)
    return config


def upgrade(engine: Engine, branch: Path) -> None:
    """Bring a node's database to the newest schema, in one transaction."""
    with write(engine) as connection:
        command.upgrade(configuration(branch, connection), "heads")


def check(engine: Engine, branch: Path) -> None:
    """BadSetup unless the database has exactly the schema that this code was written for."""
    with read(engine) as connection:
        have = set(MigrationContext.configure(connection).get_current_heads())
        scripts = ScriptDirectory.from_config(configuration(branch, connection))
        revisions = list(scripts.walk_revisions())
        # a head that another branch depends on is not written down by itself
        implied = {name for script in revisions for name in script._resolved_dependencies}
        want = set(scripts.get_heads()) - implied
        known = have <= {script.revision for script in revisions}
    if have == want:
        return
    advice = "Run its upgrade command." if known else "It was used by a newer release: start that one."
    raise BadSetup(
        "db.other_schema", f"The database has schema {_text(have)}, this release needs {_text(want)}.", todo=advice
    )


def _text(revisions: set[Any]) -> str:
    return ", ".join(sorted(map(str, revisions))) or "none"
