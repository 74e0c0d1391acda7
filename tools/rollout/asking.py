"""Questions to the hosts of a trial, and what is said when the answer is another one."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

from tools.rollout.machines import Failed, Machine


def must(holds: bool, otherwise: str) -> None:
    """Failed with these words unless it holds."""
    if not holds:
        raise Failed(otherwise)


def until(holds: Callable[[], bool], otherwise: str, patience_s: float = 120) -> None:
    """Wait until it holds; Failed with these words after patience_s."""
    end = time.monotonic() + patience_s
    while not holds():
        must(time.monotonic() < end, otherwise)
        time.sleep(1)


def is_open(machine: Machine, port: int) -> bool:
    """Whether somebody answers at a port of a host, as seen from here."""
    try:
        with socket.create_connection((machine.address, port), 5):
            return True
    except OSError:
        return False


def main_pid(machine: Machine, unit: str) -> str:
    """The first process of a unit."""
    return machine.ssh(f"systemctl show --property=MainPID --value {unit}").stdout.strip()


def release_of(machine: Machine) -> str:
    """Which release a host runs."""
    return Path(machine.ssh("readlink /opt/strandline/current").stdout.strip()).name
