"""python -m bench.memory FOLDER PLANT URL FACTS: ships a backlog and says how much memory that took, early and late.

A process of its own: what filled the backlog must not count.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.filling import fill_journal
from bench.nodes import draft, make_node, running_hub, shipping, wait_until
from shared.clock import SystemClock
from shared.db.engine import read
from shared.material import projection as material
from shared.node import build_node
from shared.settings import NodeSettings, check
from sync.figures import figures
from sync.transport import HttpTransport

PAGE_BYTES = 4096
EARLY, LATE = 0.2, 1.0
LOOK_S = 0.1
LONGEST_S = 3_600.0
"""A million facts on a busy machine."""


@dataclass(frozen=True)
class Memory:
    """Resident MB of the shipping process after a fifth of the backlog and at its end."""

    early_mb: float
    late_mb: float


def measure_memory(folder: Path, facts: int) -> Memory:
    """A backlog of so many facts."""
    plant = make_node(folder, "MEM")
    pieces: list[str] = []
    fill_journal(plant, (draft(plant, n, pieces) for n in range(facts)))
    with running_hub(folder, "HUBX", [plant]) as hub:
        plant.engine.dispose()
        words = [sys.executable, "-m", "bench.memory", str(folder), plant.code, hub.url, str(facts)]
        early, late = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-2:]
    return Memory(float(early), float(late))


def main(folder: str, code: str, url: str, facts: str) -> None:
    """Print MB early and late."""
    values = {"code": code, "name": code, "folder": Path(folder) / code}
    plant = build_node(check(NodeSettings, values, where="this timing"), [material.register], SystemClock())
    seen: list[float] = []

    def left() -> int:
        with read(plant.engine) as conn:
            return figures(conn, code).backlog

    with shipping(plant, HttpTransport(url)):
        for part in (EARLY, LATE):
            rest = int(facts) * (1 - part)
            wait_until(partial(_at_most, left, rest), LONGEST_S, what="the backlog", every_s=LOOK_S)
            seen.append(_resident_mb())
    print(*seen)


def _at_most(left: Callable[[], int], rest: float) -> bool:
    return left() <= rest


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_BYTES / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
