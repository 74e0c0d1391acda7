"""A node: what every service is handed. Built in wiring.py only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from shared.clock import Clock, FileClock, SystemClock
from shared.db.engine import open_engine
from shared.db.types import metadata
from shared.errors import BadSetup
from shared.journal.apply import Appliers
from shared.journal.archived import use_archive
from shared.journal.journal import Journal
from shared.keys import SigningKey, load_key, new_key, save_key
from shared.settings import NodeSettings
from shared.shapes import make_shapes_ready


@dataclass(frozen=True)
class Node:
    """One life of a node in this process."""

    code: str
    settings: NodeSettings
    clock: Clock
    engine: Engine
    journal: Journal
    key: SigningKey


def make_folder(settings: NodeSettings) -> SigningKey:
    """First start of a node: its folder, its key and its tables. Refuses where a node lives already."""
    _check_writable(settings.folder)
    if settings.key_file.exists():
        raise BadSetup(
            "node.exists", f"A node lives in {settings.folder} already.", todo="Start it, or choose another folder."
        )
    key = new_key()
    save_key(key, settings.key_file)
    return key


@contextmanager
def new_folder(settings: NodeSettings) -> Iterator[None]:
    """make_folder around the rest of a first start: when that fails the key goes again, so that init can be repeated."""
    make_folder(settings)
    try:
        yield
    except BaseException:
        settings.key_file.unlink()
        raise


def create_tables(engine: Engine) -> None:
    """Create every table known to this process at once, without the history of its schema: for scratch nodes."""
    metadata.create_all(engine)


def build_node(
    settings: NodeSettings, registers: Iterable[Callable[[Appliers], None]], clock: Clock | None = None
) -> Node:
    """Assemble a node from its settings: clock, key, database, journal with the given subjects' appliers."""
    if not settings.key_file.exists():
        raise BadSetup(
            "node.not_initialised", f"There is no node in {settings.folder}.", todo="Run its init command first."
        )
    make_shapes_ready()
    used_clock = clock or (FileClock(settings.clock_file) if settings.clock_file else SystemClock())
    engine = open_engine(settings.database)
    use_archive(engine, settings.archive_folder)
    appliers = Appliers()
    for register in registers:
        register(appliers)
    journal = Journal(settings.code, engine, used_clock, appliers)
    return Node(settings.code, settings, used_clock, engine, journal, load_key(settings.key_file))


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadSetup(
            "node.folder_unwritable",
            f"The folder {folder} cannot be written: {error.strerror}.",
            todo="Give this user the right to it, or name another folder in the settings.",
        ) from error
