"""The time signal that every process of the demo follows: a small file, replaced as a whole."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

NO_LIMIT_MS = 10**15


def real_ms() -> int:
    """The machine's time in ms since 1970: the demo's one look at it."""
    return time.time_ns() // 1_000_000


def write_whole(path: Path, text: str) -> None:
    """Replace a file so that a reader sees the old or the new one, never half."""
    new = path.with_suffix(path.suffix + ".new")
    new.write_text(text)
    os.replace(new, path)


class ClockSignal:
    """Sets the demo's time. `hold` stops it at a moment, `run` lets it go on at a speed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._real, self._virtual, self._speed, self._limit = 0, 0, 0.0, 0

    def hold(self, at_ms: int) -> None:
        """It is at_ms and stays so."""
        self._set(at_ms, 1.0, at_ms)

    def run(self, at_ms: int, speed: float, limit_ms: int = NO_LIMIT_MS) -> None:
        """It is at_ms and goes on at `speed`, never past limit_ms."""
        self._set(at_ms, speed, limit_ms)

    def now_ms(self) -> int:
        """What the signal says now."""
        return min(self._virtual + int((real_ms() - self._real) * self._speed), self._limit)

    def _set(self, at_ms: int, speed: float, limit_ms: int) -> None:
        self._real, self._virtual, self._speed, self._limit = real_ms(), at_ms, speed, limit_ms
        write_whole(
            self._path,
            json.dumps({"real_ms": self._real, "virtual_ms": at_ms, "speed": speed, "not_after_ms": limit_ms}),
        )
