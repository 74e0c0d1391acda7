"""Processes that die at a labelled point, forked from one that has everything imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).parent / "forking.py"
PATIENCE_S = 60


@dataclass
class Dying:
    """One forked process: `acknowledged` is what it said after its commits; ended() waits for its end."""

    pid: int
    acks: Path
    ends: Queue[int]
    status: int | None = None

    @property
    def acknowledged(self) -> list[str]:
        text = self.acks.read_text() if self.acks.exists() else ""
        return [line for line in text.split("\n")[:-1] if len(line) == 32]

    def ended(self, timeout_s: float = 0) -> bool:
        if self.status is None:
            try:
                self.status = self.ends.get(timeout=timeout_s) if timeout_s else self.ends.get_nowait()
            except Empty:
                return False
        return True

    def stop(self) -> None:
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            assert self.ended(PATIENCE_S)


@dataclass
class Zygote:
    """Forks one process at a time."""

    process: subprocess.Popen[str]
    folder: Path
    said: Path
    lines: Queue[int] = field(default_factory=Queue)
    count: int = 0
    last: Dying | None = None

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(int(line))

    def _why(self) -> str:
        """How it stands with the process that forks: when it has ended, as what and with which last words."""
        code = self.process.poll()
        state = "still runs" if code is None else f"ended with {code}"
        return f"the process that forks {state} after {self.count} orders and said: {self.said.read_text()[-2000:]!r}"

    def fork(self, role: str, port: int = 0, point: str = "", when: str = "before", nth: int = 1) -> Dying:
        self.count += 1
        acks = self.folder / f"acks{self.count}"
        order = {"role": role, "folder": str(self.folder), "port": port, "point": point, "when": when, "nth": nth}
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({**order, "acks": str(acks)}) + "\n")
            self.process.stdin.flush()
            self.last = Dying(self.lines.get(timeout=PATIENCE_S), acks, self.lines)
        except (OSError, Empty) as error:
            raise AssertionError(self._why()) from error
        return self.last

    def dies(self, role: str, port: int, point: str, when: str = "before", nth: int = 1) -> Dying:
        """Run a deed that must be killed at its point."""
        made = self.fork(role, port, point, when, nth)
        if not made.ended(PATIENCE_S):
            made.stop()
        assert made.status == -signal.SIGKILL, f"{point} was never reached"
        return made


@pytest.fixture(scope="session")
def one_zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """One for all tests: what it imports takes longer than what they do."""
    folder = tmp_path_factory.mktemp("zygote")
    with (folder / "stderr").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
        )
    yield Zygote(process, folder, folder / "stderr")
    assert process.stdin is not None
    process.stdin.close()
    process.wait(PATIENCE_S)


@pytest.fixture
def zygote(one_zygote: Zygote, tmp_path: Path) -> Iterator[Zygote]:
    one_zygote.folder = tmp_path
    yield one_zygote
    if one_zygote.last is not None:
        one_zygote.last.stop()
        one_zygote.last = None
