"""Several processes of one node beside each other: which of them a process is, and who runs the node alone.

All share the node's folder and its database. A process that runs the node alone holds `run.lock` wholly; workers hold it
together, and each a lock of its number, so that neither a restore nor an upgrade begins while one of them lives.
"""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shared.errors import BadSetup
from shared.settings import S
from shared.web.server import eventually


@dataclass(frozen=True)
class Hold:
    """The locks of a process, freed by the kernel at its death. first: no other ran the node when it came."""

    files: tuple[IO[str], ...]
    first: bool = True

    def close(self) -> None:
        """Free them."""
        for file in self.files:
            file.close()


def hold_beside(folder: Path, worker: int) -> Hold:
    """One of several. BadSetup where this number runs, or a process that must be alone."""
    own = (folder / f"run-{worker}.lock").open("w")
    if not eventually(lambda: _lock(own, fcntl.LOCK_EX)):
        own.close()
        raise BadSetup("web.running", f"Worker {worker} of the node in {folder} runs already.", todo="Stop it first.")
    common = (folder / "run.lock").open("w")
    first = _lock(common, fcntl.LOCK_EX)
    if not eventually(lambda: _lock(common, fcntl.LOCK_SH)):
        own.close()
        common.close()
        raise BadSetup(
            "web.running", f"Another process runs the node in {folder} alone.", todo="Stop it, or wait for its end."
        )
    return Hold((own, common), first)


def settings_of(settings: S, worker: int) -> S:
    """The settings of a worker: its port follows those of the workers before it."""
    web = settings.web.model_copy(update={"port": settings.web.port + worker})
    return settings.model_copy(update={"web": web})


def _lock(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
