"""Putting a backup back into a node's folder; the node is stopped.

Only what is missing or was asked for is replaced: a spool that is there is newer than any backup of it and is kept, archive
files and pictures are added. What gives way is kept in a folder beside, by its path here, never erased: files are moved, a
PostgreSQL database is dumped. Keys and anchor stay as they are: the anchor tells the next start that its database is an older
one, and the node mends itself (sync/restoring.py).
"""

from __future__ import annotations

from pathlib import Path

from shared.clock import Clock, to_datetime
from shared.errors import BadSetup
from shared.keys import new_key, save_key
from shared.settings import NodeSettings
from sync.backups.databases import dump_postgres, restore_postgres, sqlite_fault
from sync.backups.form import BadBackup, Manifest, check_files, copy_durably, read_manifest

COMPANIONS = ("", "-wal", "-shm")
MANY = ("archive/", "photos/")
"""Files that never change, too many to name each."""


def put_back(
    settings: NodeSettings, backup: Path, clock: Clock, *, fresh_key: bool = False, everything: bool = False
) -> list[str]:
    """Restore; lines that say what was done and what comes next. The caller holds the node's locks.

    fresh_key: make a key where there is none, because it was lost with the machine. everything: this is another machine, what
    lies here began after the loss and gives way. BadBackup, BadSetup.
    """
    manifest = read_manifest(backup)
    _check_fits(settings, manifest)
    check_files(backup, manifest)
    said = _key(settings, fresh_key)
    aside = settings.folder / f"aside-{to_datetime(clock.now_ms()):%Y%m%dT%H%M%SZ}"
    for file in manifest.files:
        said += _put(settings, backup, file.name, manifest, aside, everything)
    taken = to_datetime(manifest.taken_ms)
    return [
        *said,
        f"{settings.code} is as of {taken:%Y-%m-%d %H:%M:%S} UTC. Now run its upgrade command, then start it: "
        "what its peers hold comes back at the first contact.",
    ]


def _check_fits(settings: NodeSettings, manifest: Manifest) -> None:
    kind = "postgresql" if settings.database.startswith("postgresql") else "sqlite"
    if (manifest.node, manifest.database) != (settings.code, kind):
        raise BadSetup(
            "backup.other_node",
            f"The backup is of {manifest.node} on {manifest.database}, the settings are of {settings.code} on {kind}.",
            kept="Nothing was changed.",
            todo="Name a backup of this node, taken from the same kind of database.",
        )


def _key(settings: NodeSettings, fresh_key: bool) -> list[str]:
    if settings.key_file.exists():
        return []
    if not fresh_key:
        raise BadSetup(
            "backup.no_key",
            f"There is no key {settings.key_file}.",
            kept="Nothing was changed.",
            todo="Put it back first (key-restore); if it is lost, restore with --fresh-key and enrol the node again.",
        )
    save_key(new_key(), settings.key_file)
    return [f"{settings.code} has a new key: enrol it again before it is started (hub enrol-token, plant enrol)."]


def _put(
    settings: NodeSettings, backup: Path, name: str, manifest: Manifest, aside: Path, everything: bool
) -> list[str]:
    target = settings.folder / name
    if name == manifest.main and manifest.database == "postgresql":
        before = _place(aside, name)
        dump_postgres(settings.database, before)
        restore_postgres(backup / name, settings.database)
        return [f"The database was put back; what it held lies in {before}."]
    if name != manifest.main and target.exists() and not everything:
        fault = sqlite_fault(target) if name.endswith(".sqlite") else ""
        if not fault:
            return [] if name.startswith(MANY) else [f"{name} was kept: it is newer than the backup."]
    for companion in COMPANIONS:
        _move(settings.folder, name + companion, aside)
    copy_durably(backup / name, target)
    if name.endswith(".sqlite") and (fault := sqlite_fault(target)):
        raise BadBackup(f"{target} was put back and cannot be used: {fault}. What was there lies in {aside}.")
    return [] if name.startswith(MANY) else [f"{name} was put back."]


def _move(folder: Path, name: str, aside: Path) -> None:
    if (folder / name).exists():
        (folder / name).replace(_place(aside, name))


def _place(aside: Path, name: str) -> Path:
    """Where something that gives way is kept; nothing lies there yet. BadSetup."""
    aside.mkdir(exist_ok=True, mode=0o700)
    to = aside / name
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if to.exists():
        raise BadSetup(
            "backup.kept_already",
            f"{to} is there already, of a restore in the same second.",
            kept="It was not overwritten.",
            todo="Restore once more.",
        )
    return to
