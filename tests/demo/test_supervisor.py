"""The demo's processes: started again when they die, and found again when the demo itself was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.supervisor import TRIES_MAX, Supervisor, end_leftovers

RENAMED = "import time\nfrom setproctitle import setproctitle\nsetproctitle('gunicorn: master [x]')\n"
READY = "print('ready', flush=True)\ntime.sleep(600)\n"


def wait_for(seen: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < end, f"never saw {what}"
        time.sleep(0.02)


def pid_of(folder: Path, name: str) -> int:
    found: int = json.loads((folder / "pids.json").read_text())[name]
    return found


def is_running(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def ready(log: Path) -> bool:
    return log.exists() and "ready" in log.read_text()


@pytest.mark.parametrize("begin", ["import time\n", RENAMED], ids=["plain", "renamed"])
def test_processes_of_a_killed_demo_are_ended_whatever_they_call_themselves(tmp_path: Path, begin: str) -> None:
    mine, other = tmp_path / "mine", tmp_path / "mine-too"
    group = {}
    for folder in (mine, other):
        folder.mkdir()
        group[folder] = Supervisor(folder / "pids.json", tmp_path)
        group[folder].start("child", [sys.executable, "-c", begin + READY], folder / "log")
    wait_for(lambda: ready(mine / "log") and ready(other / "log"), "both children")
    left, spared = pid_of(mine, "child"), pid_of(other, "child")
    try:
        assert end_leftovers(mine) == 1
        assert not is_running(left)
        assert is_running(spared)
        assert end_leftovers(mine) == 0
    finally:
        for supervisor in group.values():
            supervisor.stop()


def test_a_leftover_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.supervisor.STOP_S", 0.2)
    deaf = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY
    supervisor = Supervisor(tmp_path / "pids.json", tmp_path)
    supervisor.start("child", [sys.executable, "-c", deaf], tmp_path / "log")
    wait_for(lambda: ready(tmp_path / "log"), "the child")
    pid = pid_of(tmp_path, "child")
    assert end_leftovers(tmp_path) == 1
    wait_for(lambda: not is_running(pid), "its end")
    supervisor.stop()


def test_what_does_not_stop_is_killed_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.supervisor.STOP_S", 0.2)
    deaf = "trap '' TERM; sleep 600 & echo $! ready; while true; do wait; done"
    supervisor = Supervisor(tmp_path / "pids.json", tmp_path)
    supervisor.start("parent", ["/bin/bash", "-c", deaf], tmp_path / "log")
    wait_for(lambda: ready(tmp_path / "log"), "the parent")
    child = int((tmp_path / "log").read_text().split()[0])
    assert is_running(child)
    supervisor.stop()
    wait_for(lambda: not is_running(child), "the child's end")
    assert json.loads((tmp_path / "pids.json").read_text()) == {}


def test_what_dies_is_started_again_and_what_cannot_live_is_named(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "pids.json", tmp_path)
    supervisor.start("steady", [sys.executable, "-c", "import time\n" + READY], tmp_path / "steady.log")
    first = pid_of(tmp_path, "steady")
    os.kill(first, signal.SIGKILL)

    def replaced() -> bool:
        supervisor.look()
        return pid_of(tmp_path, "steady") != first

    wait_for(replaced, "its successor")
    assert is_running(pid_of(tmp_path, "steady"))
    supervisor.stop()
    broken = Supervisor(tmp_path / "pids.json", tmp_path)
    broken.start("broken", ["/bin/sh", "-c", "echo no such road; exit 3"], tmp_path / "broken.log")
    with pytest.raises(RuntimeError, match=r"(?s)broken ends again and again.*no such road"):
        wait_for(lambda: bool(broken.look()), "giving up")
    assert (tmp_path / "broken.log").read_text().count("no such road") == TRIES_MAX


def test_the_folder_in_another_variable_says_nothing(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"], env={**os.environ, "OTHER": str(tmp_path)})
    try:
        assert end_leftovers(tmp_path) == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
