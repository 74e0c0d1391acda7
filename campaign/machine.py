"""A machine of the SQLite world: made once a process, its disk replaced for every history.

The database lies in memory and is copied whole by SQLite's own serialisation; engine and key are kept, because making
them costs more than a history. The anchor is a real file, in memory too where the system has such a folder.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Engine, StaticPool, create_engine

from shared.db.engine import tune_sqlite
from shared.journal.apply import Appliers
from shared.keys import SigningKey
from shared.node import create_tables
from shared.settings import NodeSettings, check
from shared.subjects import REGISTERS

IN_MEMORY = Path("/dev/shm")


class Machine:
    """Database, key, folder and appliers of one installation."""

    def __init__(self, code: str, name: str) -> None:
        self.code = code
        self.raw = sqlite3.connect(":memory:", check_same_thread=False)
        self.engine: Engine = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool)
        tune_sqlite(self.engine)
        self.key = make_key(name)
        self.settings = check(NodeSettings, {"code": code, "name": name, "folder": scratch() / name}, where="a history")
        self.settings.folder.mkdir(exist_ok=True)
        self.appliers = Appliers()
        for register in REGISTERS:
            register(self.appliers)

    @property
    def busy(self) -> bool:
        """Whether a transaction is open."""
        return self.raw.in_transaction

    def read_disk(self) -> tuple[bytes, bytes | None]:
        """Database and anchor as they lie there now."""
        return self.raw.serialize(), self.anchor.read_bytes() if self.anchor.exists() else None

    def write_database(self, database: bytes) -> None:
        """Put another database in place of this one; page by page, as statements that are ready may be kept of this one."""
        with closing(sqlite3.connect(":memory:")) as other:
            other.deserialize(database)
            other.backup(self.raw)

    def write_anchor(self, anchor: bytes | None) -> None:
        """Put another anchor in place of this one, or none."""
        if anchor is None:
            self.anchor.unlink(missing_ok=True)
        else:
            self.anchor.write_bytes(anchor)

    @property
    def anchor(self) -> Path:
        """The anchor's file."""
        return self.settings.folder / "anchor.json"


def make_key(name: str) -> SigningKey:
    """The key that this name always has."""
    private = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
    return SigningKey(private, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


@cache
def machine(code: str, name: str) -> Machine:
    """The machine of this name in this process."""
    return Machine(code, name)


@cache
def empty_database() -> bytes:
    """A database with every table and no row."""
    raw = sqlite3.connect(":memory:", check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    tune_sqlite(engine)
    create_tables(engine)
    found = raw.serialize()
    engine.dispose()
    return found


@cache
def scratch() -> Path:
    """A folder for the anchors, removed at exit."""
    folder = tempfile.TemporaryDirectory(prefix="strandline-campaign-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None)
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def clean() -> None:
    """Remove this process's folders now; a worker that is ended does not come past its exit handlers."""
    for folder in _KEPT:
        shutil.rmtree(folder.name, ignore_errors=True)
