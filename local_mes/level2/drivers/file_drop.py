"""Files that a supplier's system leaves in a folder: read whole, spooled, then moved away.

A file counts when it is finished: moved in under its final name, or, where the sender cannot do that, unchanged for
`settled_s`. What is read goes to `done`, what is not what it should be to `bad` beside it, and a message says why. A
collector that died between commit and move reads the file again and keeps each record once: name, content and place
name it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from local_mes.level2.drivers.desk import number_of
from local_mes.level2.drivers.port import Driver, Heard, Settings, bad_link, read_settings
from local_mes.level2.drivers.records import Column, FileError, Record, read_csv, read_fixed, read_xml
from shared import logs
from shared.storage import sync_folder

if TYPE_CHECKING:
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link

LOOK_S = 0.5
BYTES_MAX = 16 * 1024 * 1024
UNFINISHED = (".tmp", ".part", ".partial", ".new", ".filepart", ".crdownload", "~")
"""Endings under which programs write what they will move when it is whole."""

log = logs.get("level2")


class FileSettings(Settings, frozen=True, kw_only=True):
    """`[link.settings]` of a file link; the link's address is the folder, from the model file.

    message    what a record is called
    pattern    which names count
    finished   `moved`: the sender moves files in whole; `settled`: it writes in place, so wait settled_s unchanged
    record     XML: the element that is a record
    columns    fields; CSV and XML without them give all there is, as text
    time       field that holds the sender's time
    copies     the files lie here for us alone: a link in shadow mode must not take them from an old MES
    """

    message: Annotated[str, Meta(min_length=1, max_length=64)]
    format: Literal["csv", "xml", "fixed"]
    pattern: str = "*"
    finished: Literal["moved", "settled"] = "settled"
    settled_s: Annotated[float, Meta(gt=0, le=3600)] = 5
    encoding: Literal["utf-8", "ascii", "latin-1", "cp1252", "cp037", "cp500"] = "utf-8"
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ";"
    record: str = ""
    columns: tuple[Column, ...] = ()
    time: str = ""
    copies: bool = False


@dataclass(frozen=True)
class _Seen:
    size: int
    changed_ns: int
    since: float


class FileDropDriver(Driver):
    """One folder."""

    Settings = FileSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._settings = read_settings(desk.link, FileSettings)
        self._folder = desk.plan.folder / desk.link.address
        self._seen: dict[str, _Seen] = {}

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """What each format needs."""
        settings = read_settings(link, FileSettings)
        if settings.format == "xml" and not settings.record:
            raise bad_link(link.code, "XML needs `record`, the element that is one")
        if settings.format == "fixed" and not (settings.columns and all(one.width for one in settings.columns)):
            raise bad_link(link.code, "fixed width needs `columns` with `at` and `width`")

    @classmethod
    def shadow(cls, link: Link) -> type[Driver] | None:
        """Files are moved, so they must be copies."""
        return cls if read_settings(link, FileSettings).copies else None

    async def session(self) -> None:
        """Look, take, move; until cancelled. A folder that is not there is an error like any other."""
        for name in ("done", "bad"):
            await asyncio.to_thread((self._folder / name).mkdir, exist_ok=True)
        while True:
            ready = await asyncio.to_thread(self._ready)
            self.desk.connected(str(self._folder), self.desk.state.detail)
            for path in ready:
                await self._take(path)
            if not ready:
                await asyncio.sleep(LOOK_S)

    def _ready(self) -> list[Path]:
        """Finished files, the oldest first."""
        found = []
        for entry in os.scandir(self._folder):
            if not entry.is_file(follow_symlinks=False) or entry.name.startswith("."):
                continue
            path = Path(entry.path)
            if path.match(self._settings.pattern) and not entry.name.lower().endswith(UNFINISHED):
                state = entry.stat(follow_symlinks=False)
                if self._is_finished(entry.name, state):
                    found.append((state.st_mtime_ns, entry.name, path))
        return [path for _, _, path in sorted(found)]

    def _is_finished(self, name: str, state: os.stat_result) -> bool:
        if self._settings.finished == "moved":
            return True
        seen = self._seen.get(name)
        if seen is None or (seen.size, seen.changed_ns) != (state.st_size, state.st_mtime_ns):
            self._seen[name] = _Seen(state.st_size, state.st_mtime_ns, monotonic())
            return False
        return monotonic() - seen.since >= self._settings.settled_s

    async def _take(self, path: Path) -> None:
        self._seen.pop(path.name, None)
        try:
            content = await asyncio.to_thread(_read, path)
            records = self._records(content)
        except FileError as error:
            why = f"The file {path.name} cannot be read: {error}."
            self.desk.state.refuse(why)
            await self.desk.keep(
                Heard(self._settings.message, {"file": path.name}, why.encode(), again=True, problem=why)
            )
            return await asyncio.to_thread(_move, path, "bad")
        mark = hashlib.sha256(content).hexdigest()
        await self.desk.keep(*(self._heard(path.name, mark, one) for one in records))
        await asyncio.to_thread(_move, path, "done")

    def _heard(self, name: str, mark: str, one: Record) -> Heard:
        fields = one.fields | {"file": name}
        claimed = str(one.fields.get(self._settings.time, "")) if self._settings.time else ""
        # told late by nature: nothing is learned from it of the sender's clock
        number = number_of(name, mark, one.number)
        return Heard(self._settings.message, fields, one.raw, claimed, number, late=True, problem=one.problem)

    def _records(self, content: bytes) -> list[Record]:
        s = self._settings
        if s.format == "xml":
            return read_xml(content, s.record, s.columns)
        try:
            text = content.decode("utf-8-sig" if s.encoding == "utf-8" else s.encoding)
        except UnicodeDecodeError as error:
            raise FileError(f"it is not {s.encoding}: {error.reason} at byte {error.start}") from error
        readers: dict[str, Callable[[], list[Record]]] = {
            "csv": lambda: read_csv(text, s.columns, s.delimiter),
            "fixed": lambda: read_fixed(text, s.columns),
        }
        return readers[s.format]()


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise FileError(f"it has more than {BYTES_MAX >> 20} MiB")
    return content


def _move(path: Path, folder: str) -> None:
    """Away, under its own name or, where that is taken, with a number; on the disk before the next look."""
    target = path.parent / folder / path.name
    number = 1
    while target.exists():
        number += 1
        target = path.parent / folder / f"{path.stem}-{number}{path.suffix}"
    path.rename(target)
    sync_folder(target.parent)
    sync_folder(path.parent)
    log.info("file taken", file=path.name, to=folder)
