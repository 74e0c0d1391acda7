"""python -m bench.memory FOLDER PLANT URL FACTS: ships a backlog and says how much memory that took, fifth by fifth.

A process of its own: what filled the backlog must not count. How many batches are in work at a moment depends on how
busy the machine is, so the most of a fifth is compared, not two moments.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.filling import fill_journal
from bench.nodes import draft, make_node, running_hub, shipping, wait_until
from shared.clock import SystemClock
from shared.db.engine import read
from shared.interpreter import give_back_memory, tune
from shared.material import projection as material
from shared.node import build_node
from shared.settings import NodeSettings, check
from sync.figures import figures
from sync.transport import HttpTransport

PAGE_BYTES = 4096
FIFTHS = 5
LOOK_S = 0.1
LONGEST_S = 3_600.0
"""A million facts on a busy machine."""


@dataclass(frozen=True)
class Memory:
    """The most resident MB of the shipping process during each fifth of the backlog."""

    fifths_mb: tuple[float, ...]


def measure_memory(folder: Path, facts: int) -> Memory:
    """A backlog of so many facts."""
    plant = make_node(folder, "MEM")
    pieces: list[str] = []
    fill_journal(plant, (draft(plant, n, pieces) for n in range(facts)))
    with running_hub(folder, "HUBX", [plant]) as hub:
        plant.engine.dispose()
        words = [sys.executable, "-m", "bench.memory", str(folder), plant.code, hub.url, str(facts)]
        said = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-FIFTHS:]
    return Memory(tuple(map(float, said)))


def main(folder: str, code: str, url: str, facts: str) -> None:
    """Print the most MB of each fifth."""
    tune()  # as every process of the product
    give_back_memory()  # as every one that serves
    values = {"code": code, "name": code, "folder": Path(folder) / code}
    plant = build_node(check(NodeSettings, values, where="this timing"), [material.register], SystemClock())
    most = [0.0] * FIFTHS

    def drained() -> bool:
        with read(plant.engine) as conn:
            left = figures(conn, code).backlog
        fifth = min(FIFTHS - 1, (int(facts) - left) * FIFTHS // int(facts))
        most[fifth] = max(most[fifth], _resident_mb())
        return left == 0

    with shipping(plant, HttpTransport(url)):
        wait_until(drained, LONGEST_S, what="the backlog", every_s=LOOK_S)
    print(*most)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_BYTES / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
