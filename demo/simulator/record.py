"""What the simulator keeps on disk: the physical ledger, and how far it has come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from demo.simulator.clock_signal import write_whole


class LedgerFile:
    """Appends lines (demo/ledger.md); each is on its way to the disk before the next event is played."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def write(self, number: int, at_ms: int, lines: Iterable[Mapping[str, Any]]) -> None:
        """The lines of one event."""
        for i, line in enumerate(lines):
            self._file.write(json.dumps({"n": number, "i": i, "at_ms": at_ms, **line}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Done."""
        self._file.close()


class Progress:
    """How many events were played, and the state of the wires: enough to go on after the simulator was killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.played = 0
        self.at_ms = 0
        self.day = 0
        self.wires: dict[str, Any] = {}
        self.failed: list[str] = []
        if path.exists():
            kept = json.loads(path.read_text())
            self.played, self.at_ms, self.day = kept["played"], kept["at_ms"], kept["day"]
            self.wires, self.failed = kept["wires"], kept["failed"]

    def begin_day(self, day: int) -> None:
        """The next day begins."""
        self.day, self.played = day, 0
        self.keep()

    def keep(self) -> None:
        """Write it down."""
        write_whole(
            self._path,
            json.dumps(
                {
                    "played": self.played,
                    "at_ms": self.at_ms,
                    "day": self.day,
                    "wires": self.wires,
                    "failed": self.failed,
                }
            ),
        )
