"""Taking a backup of a node that runs, and giving up old ones.

Order matters. The journal's database comes first; the spool after it, so that it is never behind what was interpreted
(a message that is interpreted twice has no second effect, one whose place was given to another would be lost); the archive
last, so that every file that the database names is there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec

from shared.clock import to_datetime
from shared.db.engine import read, write
from shared.journal.life import heads_of
from shared.logs import get
from shared.node import Node
from shared.storage import sync_folder, write_durably
from sync.backups.databases import copy_sqlite, dump_postgres
from sync.backups.form import (
    MANIFEST,
    PART,
    POSTGRES_MAIN,
    SQLITE_MAIN,
    BadBackup,
    File,
    Manifest,
    copy_durably,
    describe,
    holds,
    read_manifest,
)
from sync.backups.ledger import note_taken
from sync.peers import open_incident

NOT_OURS = ("rederive-", "aside-")
"""Folders of scratch databases, and of what a restore put aside."""
LASTING = ("archive/*.sla", f"photos/??/{'[0-9a-f]' * 64}")
"""Files beside the databases: archived facts, and pictures of damage. A picture that is still being written has another name."""

log = get("backups")


@dataclass(frozen=True)
class Before:
    """The backup before, and its files by name."""

    folder: Path
    files: Mapping[str, File]


def take(node: Node, into: Path) -> tuple[Path, Manifest]:
    """Write a whole backup into a new folder below `into`; the node may run and goes on working."""
    taken_ms = node.clock.now_ms()
    name = f"{node.code}-{to_datetime(taken_ms):%Y%m%dT%H%M%SZ}"
    earlier = _latest(node, list_backups(into, node.code))
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    part, whole = into / (name + PART), into / name
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    manifest = _fill(node, part, taken_ms, earlier)
    write_durably(part / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    if whole.exists():  # two within a second: the younger one holds all of the older
        shutil.rmtree(whole)
    part.replace(whole)
    sync_folder(into)
    note_taken(node, whole, manifest)
    return whole, manifest


def list_backups(into: Path, code: str) -> list[Path]:
    """All whole backups of a node below a folder, oldest first."""
    found = into.glob(f"{code}-*Z") if into.is_dir() else ()
    return sorted(folder for folder in found if (folder / MANIFEST).is_file())


def give_up(into: Path, code: str, keep: int, days: int) -> int:
    """Remove old backups; the last `keep` stay, and of `days` days the first of each. Returns how many went."""
    backups = list_backups(into, code)
    kept = {*backups[-keep:], *_first_of_days(backups, days)}
    gone = [folder for folder in backups if folder not in kept]
    for folder in gone:
        # without its manifest it is no backup any more: one that is half removed is never taken for whole
        (folder / MANIFEST).unlink()
        shutil.rmtree(folder)
    return len(gone)


def _latest(node: Node, backups: list[Path]) -> Before | None:
    """The backup whose files the next one may share: the last, or none where that cannot be read.

    Then the disk of the backups is not to be trusted: the next one shares nothing with any of them, and people are told.
    """
    if not backups:
        return None
    try:
        return Before(backups[-1], {file.name: file for file in read_manifest(backups[-1]).files})
    except (BadBackup, OSError) as error:
        said = f"The last backup cannot be read, the next one is whole and shares no file with it: {error}"
        log.warning("backup", reason=said)
        with write(node.engine) as conn:
            open_incident(conn, node.clock, node.code, "backup", said)
        return None


def _first_of_days(backups: list[Path], days: int) -> list[Path]:
    firsts: dict[str, Path] = {}
    for folder in backups:
        firsts.setdefault(folder.name[-16:-8], folder)
    return [firsts[day] for day in sorted(firsts)[-days:]] if days else []


def _fill(node: Node, part: Path, taken_ms: int, earlier: Before | None) -> Manifest:
    with read(node.engine) as conn:
        heads = {stream: head.seq for stream, head in heads_of(conn).items()}
    names = [*_databases(node, part), *_lasting(node, part, earlier)]
    return Manifest(
        form=1,
        node=node.code,
        release=version("strandline"),
        taken_ms=taken_ms,
        database=node.engine.dialect.name,
        public_key=node.key.public.hex(),
        heads=heads,
        files=tuple(names),
    )


def _databases(node: Node, part: Path) -> Iterator[File]:
    folder = node.settings.folder
    if node.engine.dialect.name == "postgresql":
        dump_postgres(node.settings.database, part / POSTGRES_MAIN)
        yield describe(part, POSTGRES_MAIN)
    for file in _in_order(folder):
        name = str(file.relative_to(folder))
        copy_sqlite(file, part / name)
        yield describe(part, name)


def _in_order(folder: Path) -> list[Path]:
    """The node's SQLite files, the journal's first."""
    found = [
        file
        for pattern in ("*.sqlite", "*/*.sqlite")
        for file in folder.glob(pattern)
        if not file.relative_to(folder).parts[0].startswith(NOT_OURS)
    ]
    return sorted(found, key=lambda file: (file.name != SQLITE_MAIN, str(file)))


def _lasting(node: Node, part: Path, earlier: Before | None) -> Iterator[File]:
    """Archive files and pictures are named by their own hash and never change: one that the backup before has whole gets a
    second name. It is read for that: one that rotted there would else be in every backup from then on, and the good one here
    in none."""
    folder = node.settings.folder
    for file in sorted(found for pattern in LASTING for found in folder.glob(pattern)):
        name = str(file.relative_to(folder))
        before = earlier.files.get(name) if earlier else None
        if earlier and before and before.bytes == file.stat().st_size and holds(earlier.folder, before):
            (part / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.link(earlier.folder / name, part / name)
            yield before
        else:
            copy_durably(file, part / name)
            yield describe(part, name)
