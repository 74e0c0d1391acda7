"""A backup is checked by restoring it: into a scratch place, whole, and then its journal is proved entry by entry."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import Connection, Engine

from shared.clock import to_datetime
from shared.db.engine import open_engine, read
from shared.errors import BadSetup
from shared.journal.archived import use_archive
from shared.journal.life import heads_of
from shared.journal.verify import verify
from sync.backups.databases import restore_postgres, sqlite_fault
from sync.backups.form import BadBackup, Manifest, check_files, copy_durably, read_manifest
from sync.proof import check_seals


def check_backup(folder: Path, scratch_url: str = "") -> str:
    """One sentence about a backup that holds; BadBackup says what is wrong with any other.

    scratch_url: an empty PostgreSQL database, for a backup of one; what is in it is lost.
    """
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    with tempfile.TemporaryDirectory(prefix="check-", dir=folder.parent) as place:
        scratch = Path(place)
        for file in manifest.files:
            copy_durably(folder / file.name, scratch / file.name)
        for file in manifest.files:
            fault = sqlite_fault(scratch / file.name) if file.name.endswith(".sqlite") else ""
            if fault:
                raise BadBackup(f"{folder / file.name} cannot be used as a database: {fault}.")
        entries = _prove(_open(manifest, scratch, scratch_url), manifest, scratch)
    taken = to_datetime(manifest.taken_ms)
    return (
        f"{folder.name} holds: {manifest.node} as of {taken:%Y-%m-%d %H:%M:%S} UTC, {entries} entries proved, "
        f"{len(manifest.files)} files, {manifest.size} bytes."
    )


def _open(manifest: Manifest, scratch: Path, scratch_url: str) -> Engine:
    if manifest.database == "sqlite":
        return open_engine(f"sqlite:///{scratch / manifest.main}")
    if not scratch_url:
        raise BadSetup(
            "backup.no_scratch",
            "This backup is of a PostgreSQL database; it is checked in an empty one.",
            todo="Make one (createdb strandline_check) and give it with --scratch-url.",
        )
    restore_postgres(scratch / manifest.main, scratch_url)
    return open_engine(scratch_url)


def _prove(engine: Engine, manifest: Manifest, scratch: Path) -> int:
    """Entries of a journal that is whole and reaches as far as the manifest says."""
    use_archive(engine, scratch / "archive")
    try:
        with read(engine) as conn:
            _check_heads(conn, manifest)
            proved = verify(conn)
            seals = check_seals(conn, bytes.fromhex(manifest.public_key))
    finally:
        engine.dispose()
    findings = (*proved.findings, *seals.findings)
    if findings:
        raise BadBackup(f"{len(findings)} place(s) of the backup's journal do not hold: {findings[0]}.")
    return proved.entries


def _check_heads(conn: Connection, manifest: Manifest) -> None:
    have = heads_of(conn)
    for stream, seq in manifest.heads.items():
        if stream not in have or have[stream].seq < seq:
            raise BadBackup(f"The backup's stream {stream} ends before entry {seq}, which it should hold.")
