"""python -m tools.make_migration shared|plant|hub "what changes": writes the next revision of a branch from the tables.

It compares the tables in the code with a database that all present revisions have made. Read what it writes, give it
data in its test, and keep it small.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from shared.db.engine import open_engine, write
from shared.db.migrate import SHARED, configuration, upgrade
from shared.db.types import metadata

ROOT = Path(__file__).parents[1]
BRANCHES = {
    "shared": (
        SHARED,
        (
            "shared.subjects",
            "shared.web.app",
            "shared.journal.quarantine",
            "shared.journal.position",
            "shared.journal.life",
            "shared.journal.stopping",
            "sync.tables",
            "sync.understanding",
            "sync.bundles.tables",
        ),
    ),
    "plant": (ROOT / "local_mes" / "migrations", ("local_mes.wsgi",)),
    "hub": (ROOT / "central_hub" / "migrations", ("central_hub.wsgi",)),
}


def tables_of(branch: str) -> set[str]:
    """Names of the tables that a branch owns: shared ones are those that exist without plant or hub."""
    for module in BRANCHES["shared"][1]:
        import_module(module)
    shared = set(metadata.tables)
    if branch == "shared":
        return shared
    for module in BRANCHES[branch][1]:
        import_module(module)
    return set(metadata.tables) - shared


def main() -> None:
    """Write one revision."""
    branch, message = sys.argv[1], sys.argv[2]
    mine = tables_of(branch)
    folder = BRANCHES[branch][0]
    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine(f"sqlite:///{scratch}/scratch.sqlite")
        upgrade(engine, folder)
        with write(engine) as connection:
            config = configuration(folder, connection, partial(_is_mine, mine))
            first = (
                ScriptDirectory.from_config(config).get_revision(f"{branch}@head") if _count(config, branch) else None
            )
            command.revision(
                config,
                message,
                autogenerate=True,
                version_path=str(folder / "versions"),
                rev_id=f"{branch}_{_count(config, branch) + 1:04}",
                head=f"{branch}@head" if first else "base",
                branch_label=None if first else branch,
                depends_on="shared@head" if branch != "shared" and not first else None,
                splice=False,
            )


def _is_mine(mine: set[str], thing: Any, name: str, kind: str, _reflected: bool, _other: object) -> bool:
    return (name if kind == "table" else thing.table.name) in mine


def _count(config: Config, branch: str) -> int:
    scripts = ScriptDirectory.from_config(config)
    return sum(script.revision.startswith(f"{branch}_") for script in scripts.walk_revisions())


if __name__ == "__main__":
    main()
