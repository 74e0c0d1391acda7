"""python -m tools.make_migration shared|plant|hub "what changes": writes the next revision of a branch from the tables.

It compares the tables in the code with a database that all present revisions have made. Read what it writes, give it
data in its test, and keep it small.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from shared.db.engine import open_engine, write
from shared.db.migrate import SHARED, configuration, upgrade
from shared.db.types import metadata

ROOT = Path(__file__).parents[1]
BRANCHES = {
    "shared": (
        SHARED,
        ("shared.subjects", "shared.web.app", "shared.journal.quarantine", "shared.journal.position", "shared.journal.life",
         "sync.tables"),
    ),
    "plant": (ROOT / "local_mes" / "migrations", ("local_mes.app", "local_mes.wiring")),
    "hub": (ROOT / "central_hub" / "migrations", ("central_hub.app", "central_hub.wiring")),
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
            config = configuration(folder, connection, lambda name, kind, _parents: kind != "table" or name in mine)
            first = ScriptDirectory.from_config(config).get_revision(f"{branch}@head") if _has(config, branch) else None
            command.revision(
                config,
                message,
                autogenerate=True,
                version_path=str(folder / "versions"),
                head=f"{branch}@head" if first else "base",
                branch_label=None if first else branch,
                depends_on="shared@head" if branch != "shared" and not first else None,
                splice=False,
            )


def _has(config: object, branch: str) -> bool:
    scripts = ScriptDirectory.from_config(config)  # type: ignore[arg-type]
    return any(branch in script.branch_labels for script in scripts.walk_revisions())


if __name__ == "__main__":
    main()
