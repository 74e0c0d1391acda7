"""Trials that people start on a page: one at a time, in a process of its own that a person may stop, with its progress."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from local_mes.plant import Plant
from local_mes.staging import errors
from local_mes.staging.copying import SCRATCH
from local_mes.standards import own
from shared import logs
from shared.db.engine import read
from shared.journal.rederive import clear_scratch

log = logs.get("staging")

TIME_MAX_S = 3_600.0
"""A trial that takes longer is ended: something is wrong, or the plant is too large for it."""

SAID = {"stage", "result", "failed"}
"""What a line of a trial speaks of."""


@dataclass(frozen=True)
class Standing:
    """The last trial of this process. result: as `Compared` says it, None before the end; why: why there is none."""

    standard_id: str = ""
    version: int = 0
    sha256: str = ""
    day: str = ""
    stage: str = ""
    done: int = 0
    total: int = 0
    runs: bool = False
    result: dict[str, Any] | None = None
    why: str = ""


@dataclass
class Trials:
    """The trials of one process."""

    standing: Standing = field(default_factory=Standing)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _child: subprocess.Popen[str] | None = None

    def start(self, plant: Plant, standard_id: str, version: int, day: str) -> None:
        """Begin. Refused while another runs, or where the version cannot be bound here; BadInput for no day."""
        from_ms, to_ms = own.bounds(plant, day)
        with read(plant.node.engine) as conn:
            document, digest = own.find_bound(conn, plant, standard_id, version)
        asked = {
            "settings": plant.settings.model_dump(mode="json", exclude_unset=True),
            "document": document.model_dump(mode="json"),
            "from_ms": from_ms,
            "to_ms": min(to_ms, plant.clock.now_ms() + 1),
        }
        with self._lock:
            if self.standing.runs:
                raise errors.runs_already(f"{self.standing.standard_id} v{self.standing.version}")
            self._child = subprocess.Popen(
                [sys.executable, "-m", "local_mes.staging.trial"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            self.standing = Standing(standard_id, version, digest, day, "beginning", runs=True)
        followed = (self._child, asked, plant.settings.folder)
        threading.Thread(target=self._follow, args=followed, name="staging", daemon=True).start()

    def stop(self) -> None:
        """End it; its folder goes with it."""
        if self._child is not None:
            self._child.terminate()

    def _follow(self, child: subprocess.Popen[str], asked: dict[str, Any], folder: Path) -> None:
        watch = threading.Timer(TIME_MAX_S, child.kill)
        watch.daemon = True
        watch.start()
        ended: dict[str, Any] = {"failed": "It was stopped, or ended by itself before it had an answer."}
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(asked) + "\n")
            child.stdin.close()
            for said in filter(None, map(_read, child.stdout)):
                if "stage" in said:
                    self.standing = replace(self.standing, **said)
                else:
                    ended = said
        except OSError as error:
            log.warning("a trial ended", why=str(error))
        finally:  # whatever comes: while one counts as running none can be begun
            child.kill()
            child.wait()
            watch.cancel()
            clear_scratch(folder, SCRATCH)  # of one that was killed
            result, why = ended.get("result"), ended.get("failed", "")
            self.standing = replace(self.standing, runs=False, result=result, why=why)


def _read(line: str) -> dict[str, Any] | None:
    """What a line of the trial says; None for what a library printed between."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) and said.keys() & SAID else None
