"""Keeps the processes of the demo: starts them, starts again what dies, ends them in order. Knows nothing of steel."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.simulator.clock_signal import write_whole

STOP_S = 10.0
AGAIN_AFTER_S = 0.5
TRIES_MAX = 8
"""A process that dies this often in a row is broken, not unlucky."""
LIVED_S = 10.0
"""A process that ran this long begins to count anew."""
MARK = "DEMO_RUN_FOLDER"
"""In the environment of every process of a run: whose it is. SPT_NOENV beside it keeps setproctitle from writing over
the environment that others see."""
LOOK_S = 0.05


@dataclass
class Child:
    """One process. again = it is started again when it dies."""

    name: str
    command: Sequence[str]
    log: Path
    again: bool = True
    process: subprocess.Popen[bytes] | None = None
    died: int = 0
    due_s: float = 0.0
    since_s: float = 0.0


@dataclass
class Supervisor:
    """Processes by name; their ids are in pids.json for whoever wants to see what happens when one is killed."""

    pids: Path
    cwd: Path
    children: dict[str, Child] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], log: Path, again: bool = True) -> None:
        """Start a process; its output goes to the log."""
        child = Child(name, command, log, again)
        self.children[name] = child
        self._launch(child)

    def look(self) -> None:
        """Start again what has died; RuntimeError when one cannot live."""
        now = time.monotonic()
        for child in self.children.values():
            if child.process is None or not child.again:
                continue
            if child.process.poll() is None:
                child.died = 0 if now - child.since_s > LIVED_S else child.died
            elif child.due_s == 0.0:
                child.died += 1
                child.due_s = now + AGAIN_AFTER_S
                if child.died >= TRIES_MAX:
                    raise RuntimeError(
                        f"{child.name} ends again and again; the end of its log {child.log}:\n{tail(child.log)}"
                    )
            elif now >= child.due_s:
                self._launch(child)

    def ended(self, name: str) -> int | None:
        """Exit code of a process that has ended, else None."""
        process = self.children[name].process
        return process.poll() if process else None

    def stop(self, names: Sequence[str] | None = None) -> None:
        """Ask them to end, the youngest first, and wait; what does not end is killed."""
        wanted = [child for name, child in reversed(self.children.items()) if names is None or name in names]
        for child in wanted:
            if child.process and child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for child in wanted:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)  # its children too: they hold its port
                child.process.wait()
            child.process = None
        self._say()

    def _launch(self, child: Child) -> None:
        child.due_s, child.since_s = 0.0, time.monotonic()
        with child.log.open("ab") as log:
            # a session of its own: Ctrl-C at the keyboard reaches only the demo, which then ends them in order
            child.process = subprocess.Popen(
                child.command,
                cwd=self.cwd,
                env={**os.environ, MARK: str(self.pids.parent), "SPT_NOENV": "1"},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._say()

    def _say(self) -> None:
        write_whole(
            self.pids, json.dumps({name: c.process.pid for name, c in self.children.items() if c.process}, indent=1)
        )


def end_leftovers(folder: Path) -> int:
    """End the processes of an earlier run of this folder whose demo was killed, and wait until they are gone; how many
    there were."""
    found = _of_run(folder)
    for pid in found:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while (left := _of_run(folder)) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    for pid in left:
        _signal(pid, signal.SIGKILL)
    return len(found)


def _of_run(folder: Path) -> list[int]:
    """Processes that carry the folder's mark. A process names itself anew (gunicorn does), its environment stays."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue  # it is gone already, or never was ours to look at
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def python(module: str, *arguments: str) -> list[str]:
    """A command line that runs a module with this interpreter, without the current folder in its path."""
    return [sys.executable, "-m", module, *arguments]
