"""How full the disk of a node is, and what that means for it (sync-protocol.md, 1.10).

    80 %  warn       shown on every page
    90 %  spare      what can wait stops: archive files, bundles, captures
    95 %  alarm      facts go on; a hub takes no more batches
    98 %  stop       the ballast file is freed and nothing more is recorded: an end in order, before the disk makes one

Recording goes on by itself once the disk is below 95 %, and the ballast is laid down again below 90 %.
"""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Unavailable
from shared.logs import get
from shared.storage import NoRoom, check
from shared.threads import Runner, looping, plainly

log = get("disk")

WARN, SPARE, ALARM, STOP = 0.80, 0.90, 0.95, 0.98
"""Parts of the disk that are taken."""

BALLAST_BYTES = 32 << 20
BALLAST_PART = 0.01
"""The ballast: so much, or this part of a small disk; enough for checkpoints, anchor and logs at the end."""

BALLAST = "ballast"
LOOK_S = 5.0
"""Between two looks: a disk fills in minutes, not in seconds; recording looks for itself each time."""

MEBI = 1 << 20


@dataclass(frozen=True)
class Disk:
    """A disk at one moment, in bytes."""

    total: int
    free: int

    @property
    def used(self) -> float:
        """The part that is taken, 0 to 1, as this user sees it."""
        return 1 - self.free / self.total if self.total else 1.0

    @property
    def level(self) -> str:
        """calm | warn | spare | alarm | stop."""
        steps = ((STOP, "stop"), (ALARM, "alarm"), (SPARE, "spare"), (WARN, "warn"))
        return next((name for least, name in steps if self.used >= least), "calm")

    def __str__(self) -> str:
        return f"{self.used * 100:.0f} % of the disk is taken, {self.free // MEBI} MiB are free"


def look(folder: Path) -> Disk:
    """The disk that a folder lies on, or will lie on."""
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return Disk(usage.used + usage.free, usage.free)


def check_extras(folder: Path, more: int = 0) -> None:
    """NoRoom from 90 % on, for what can wait. more: bytes that it may take, counted as taken."""
    disk = look(folder)
    if Disk(disk.total, disk.free - more).used >= SPARE:
        needs = f", this needs {more // MEBI} MiB" if more else ""
        raise NoRoom(f"{disk}{needs}; from {SPARE * 100:.0f} % on only facts are written.")


class DiskWatch:
    """Looks at a node's disk now and then, keeps the ballast, and says whether recording may go on.

    Stopped at 98 % it stays so until the disk is below 95 %: room that only the freed ballast made is for the end.
    """

    def __init__(self, folder: Path, look_s: float = LOOK_S, run: Runner = plainly) -> None:
        self._folder = folder
        self._look_s = look_s
        self._level = "calm"
        self._stopped = False
        self._stopping = threading.Event()
        self._thread = looping(run, "disk", self._run, self._stopping)

    def start(self) -> None:
        """Look once, then follow."""
        self.settle()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(self._look_s)

    def admit(self) -> None:
        """NoRoom from 98 % on: nothing more is recorded, so that what is recorded can be kept in order."""
        disk = look(self._folder)
        if self._stopped or disk.used >= STOP:
            self.settle()
        if self._stopped:
            raise NoRoom(f"{disk}; nothing is recorded until it is below {ALARM * 100:.0f} %.")

    def settle(self) -> None:
        """Judge the disk as it is now, and free or lay down the ballast."""
        disk = look(self._folder)
        self._stopped = disk.used >= (ALARM if self._stopped else STOP)
        file = self._folder / BALLAST
        if self._stopped:
            file.unlink(missing_ok=True)
        elif disk.used < SPARE and not file.exists():
            _lay_down(file, min(BALLAST_BYTES, int(disk.total * BALLAST_PART)))
        if disk.level != self._level:
            say = log.critical if self._stopped else log.warning
            say("the disk's level changed", level=disk.level, before=self._level, disk=str(disk))
            self._level = disk.level

    def _run(self) -> None:
        while not self._stopping.wait(self._look_s):
            try:
                self.settle()
            except (OSError, Unavailable) as error:
                log.warning("the disk was not looked at", reason=str(error)[:300])


def _lay_down(file: Path, size: int) -> None:
    try:
        with file.open("wb") as out:
            os.posix_fallocate(out.fileno(), 0, max(size, 4096))
    except OSError as error:
        file.unlink(missing_ok=True)
        check(error)
        raise Unavailable("storage.no_ballast", f"The ballast file {file} cannot be made: {error.strerror}.") from error
