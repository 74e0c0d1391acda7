"""What a disk's refusal means, and writing a file so that it is there after a power cut.

Three refusals, each with its own end:

no room    the transaction failed as a whole; the caller hears it in words and may try again later
read-only  the file system was remounted; nothing can be recorded until somebody mends it
fsync lost the kernel may have thrown away what it could not write, and says so only once; what memory holds and what
           the disk holds may differ from here on, so the process ends and the next start recovers from the disk alone
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from shared.errors import Unavailable
from shared.logs import get

log = get("storage")

EXIT_CODE = 74
"""EX_IOERR: the supervisor starts the node again, from what is on the disk."""

ROOM_RETRY_S = 30.0
"""When to try again after "no room": making room is a person's work, not a matter of seconds."""

_FULL = {"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMOPEN"}
_LOST = {"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"}
_READ_ONLY_STATE = {"25006"}
_FULL_STATE = {"53100"}


class NoRoom(Unavailable):
    """The disk is full: nothing of this step was recorded."""

    status = 507
    after_s = ROOM_RETRY_S

    def __init__(self, what: str) -> None:
        super().__init__(
            "storage.no_room",
            what,
            kept="What was recorded before is safe; of this step nothing was recorded.",
            todo="Make room on the disk; then do it again.",
        )


class ReadOnlyDisk(Unavailable):
    """The file system takes no writes."""

    after_s = ROOM_RETRY_S

    def __init__(self, what: str) -> None:
        super().__init__(
            "storage.read_only",
            what,
            kept="What was recorded before is safe; of this step nothing was recorded.",
            todo="Mount the disk for writing again (the system's log says why it was not); then do it again.",
        )


def check(error: BaseException | None) -> None:
    """Raise what a driver's or the system's error means for storage; return where it means nothing of the kind.

    Ends the process where the disk lost what it had taken.
    """
    name = getattr(error, "sqlite_errorname", "") or ""
    state = getattr(error, "sqlstate", "") or ""
    number = error.errno if isinstance(error, OSError) else None
    if name in _LOST or number == errno.EIO:
        end_process(f"{error}")
    if name in _FULL or state in _FULL_STATE or number in (errno.ENOSPC, errno.EDQUOT):
        raise NoRoom(f"The disk is full ({error}).") from error
    if name.startswith("SQLITE_READONLY") or state in _READ_ONLY_STATE or number == errno.EROFS:
        raise ReadOnlyDisk(f"The disk cannot be written ({error}).") from error


def check_folder(folder: Path) -> None:
    """ReadOnlyDisk where a folder that exists takes no files: some drivers say no more than "cannot open"."""
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise ReadOnlyDisk(f"The folder {folder} cannot be written.")


def end_process(reason: str) -> NoReturn:
    """The disk did not keep what it was given: end at once, without writing another byte."""
    log.critical("the disk lost what was written to it; this process ends", reason=reason)
    os._exit(EXIT_CODE)


def write_durably(file: Path, content: bytes) -> None:
    """Put a file in place so that a crash leaves the old one or the new one. NoRoom, ReadOnlyDisk."""
    fresh = file.with_name(file.name + ".new")
    try:
        with fresh.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        check(error)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
