"""Runs the demo group as a visitor would: one command, in a folder of its own, on free ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DAY_S = 1_500
"""A small day takes well under a minute alone; the machine may be busy."""


class Day:
    """One `python -m demo --once --json --size small`."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder = folder
        self._out = (folder.parent / f"{folder.name}.json").open("w+")
        self._err = (folder.parent / f"{folder.name}.log").open("w+")
        fixed = ["--once", "--json", "--size", "small", "--ports", "auto"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo", *fixed, "--dir", str(folder), *more],
            cwd=ROOT,
            stdout=self._out,
            stderr=self._err,
            stdin=subprocess.DEVNULL,
        )

    def wait_for(self, seen: Callable[[], bool], what: str) -> None:
        """Wait for a condition while the day runs."""
        end = time.monotonic() + DAY_S
        while not seen():
            assert self.process.poll() is None, f"the day ended before {what}:\n{self.log}"
            assert time.monotonic() < end, f"never saw {what}:\n{self.log}"
            time.sleep(0.05)

    @property
    def played(self) -> int:
        """How many events of the day were played by now."""
        progress = self.folder / "progress.json"
        return int(json.loads(progress.read_text())["played"]) if progress.exists() else 0

    def kill(self, name: str) -> None:
        """kill -9 one process of the group with all its children, as the kernel would when memory is short."""
        self.wait_for(lambda: _kill_group(self._pid(name)), f"{name} running")

    def _pid(self, name: str) -> int:
        return int(json.loads((self.folder / "pids.json").read_text())[name])

    def finish(self) -> dict[str, Any]:
        """The judge's summary; fails the test when the judge is not content."""
        code = self.process.wait(DAY_S)
        self._out.seek(0)
        text = self._out.read()
        assert code == 0, f"exit {code}\n{_findings(text)}\n{self.log}"
        summary: dict[str, Any] = json.loads(text)
        return summary

    @property
    def log(self) -> str:
        """The end of what the demo said."""
        self._err.flush()
        return (self.folder.parent / f"{self.folder.name}.log").read_text()[-4000:]

    def stop(self) -> None:
        """End everything."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self._out.close()
        self._err.close()


def _kill_group(pid: int) -> bool:
    """Whether there was something to kill: between a death and the start of the successor there is not."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _findings(text: str) -> str:
    try:
        return "\n".join(f"{f['check']} {f['subject']}: {f['text']}" for f in json.loads(text)["findings"][:20])
    except (json.JSONDecodeError, KeyError):
        return text[-2000:]


@pytest.fixture
def start_day(tmp_path: Path) -> Iterator[Callable[..., Day]]:
    """start_day(*arguments) -> a running day; everything is stopped at the end."""
    days: list[Day] = []

    def start(*more: str, name: str = "run") -> Day:
        days.append(Day(tmp_path / name, *more))
        return days[-1]

    yield start
    for day in days:
        day.stop()


@dataclass(frozen=True)
class PlayedDay:
    """A day that is over: the folder as it was left, all processes ended, and what the judge said."""

    folder: Path
    summary: dict[str, Any]


@pytest.fixture(scope="session")
def played_day(tmp_path_factory: pytest.TempPathFactory) -> PlayedDay:
    """One small day on SQLite, for all tests that only look at it or at copies of it."""
    day = Day(tmp_path_factory.mktemp("day") / "run", "--seed", "11")
    try:
        return PlayedDay(day.folder, day.finish())
    finally:
        day.stop()
