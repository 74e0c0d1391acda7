"""What a backup is: a folder with copies of a node's databases and archive files, and a manifest that names each.

    ALD-20260311T050000Z/
      MANIFEST.json    whose, when, by which release, how far each stream was, and every file with its SHA-256
      node.sqlite      or node.pgdump; then spool.sqlite, edge/node.sqlite ... as they lie in the node's folder
      archive/...      archived facts; photos/... pictures of damage: files named by their hash

Never in it: keys/ (they are copied apart), anchor.json (it must outlive a restore), locks, the ballast. The manifest is
written last and the folder gets its name last, so a folder without `.part` is whole.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from urllib.parse import quote

import msgspec

from shared.errors import Refused
from shared.storage import sync_folder

MANIFEST = "MANIFEST.json"
PART = ".part"
SQLITE_MAIN, POSTGRES_MAIN = "node.sqlite", "node.pgdump"
READ_BYTES = 1 << 20


class File(msgspec.Struct, frozen=True):
    """One file of a backup, by its path inside."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself. heads: stream -> entries that its database holds at least."""

    form: int
    node: str
    release: str
    taken_ms: int
    database: str
    public_key: str
    heads: dict[str, int]
    files: tuple[File, ...]

    @property
    def main(self) -> str:
        """The file that holds the journal."""
        return POSTGRES_MAIN if self.database == "postgresql" else SQLITE_MAIN

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)


class BadBackup(Refused):
    """A backup that cannot be believed."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "backup.bad",
            what,
            kept="Nothing was changed.",
            todo="Use an older backup, and find out what happened to this one: its disk may be failing.",
        )


def digest(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    found = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(READ_BYTES):
            found.update(block)
    return found.hexdigest()


def describe(folder: Path, name: str) -> File:
    """A file as the manifest names it."""
    file = folder / name
    return File(name, file.stat().st_size, digest(file))


def holds(folder: Path, file: File) -> bool:
    """Whether a file of a backup is there with the bytes that were written; one that the disk does not give is not."""
    try:
        return digest(folder / file.name) == file.sha256
    except OSError:
        return False


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a whole backup. BadBackup."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BadBackup(f"{folder} is no backup, or one that was cut off: it has no {MANIFEST}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBackup(f"{folder / MANIFEST} cannot be read: {error}.") from error
    if manifest.form != 1 or any(_leaves(file.name) for file in manifest.files):
        raise BadBackup(f"{folder / MANIFEST} is of a form that this release does not know.")
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Every file is there and has its bytes. BadBackup names the first that does not."""
    for file in manifest.files:
        if not (folder / file.name).is_file():
            raise BadBackup(f"{folder / file.name} is missing.")
        if digest(folder / file.name) != file.sha256:
            raise BadBackup(f"{folder / file.name} is not what was written: its SHA-256 differs.")


def copy_durably(source: Path, target: Path) -> None:
    """Copy a file so that a crash leaves the whole copy or none."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = target.with_name(target.name + PART)
    shutil.copyfile(source, fresh)
    make_durable(fresh)
    fresh.replace(target)
    sync_folder(target.parent)


def make_durable(file: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    sync_folder(file)  # the same call does for a file


def as_uri(file: Path) -> str:
    """A path as SQLite takes it in an address."""
    return quote(str(file))


def _leaves(name: str) -> bool:
    return name.startswith("/") or ".." in Path(name).parts
