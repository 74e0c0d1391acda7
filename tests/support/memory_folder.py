"""Where the tests' folders lie: in memory, where there is room for them.

Every commit of a node waits for its disk, 4 ms here, and the tests make tens of thousands of commits; what they hold
against a lying, a full or a failing disk and against a loss of power they make themselves (LD_PRELOAD, small file
systems), on any file system alike. What a test that passed left behind goes at once (pyproject.toml), so little room
is needed; where it is not there the folders stay where they always are, and nothing but time is lost.
"""

from __future__ import annotations

import os
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 3 << 30
"""Bytes that must be free, of the file system's size and of the machine's memory: some ten times what a run takes."""
ROOT = "PYTEST_DEBUG_TEMPROOT"
"""pytest's own word for the folder that its folders are made in."""


LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def use_memory() -> None:
    """For the start of a run; who has chosen a folder keeps it."""
    if _fits():
        os.environ.setdefault(ROOT, str(MEMORY))


def _fits() -> bool:
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(MEMORY)
    may_run = not found.f_flag & os.ST_NOEXEC  # libraries are built there and loaded
    return may_run and found.f_bavail * found.f_frsize >= ROOM and _memory() >= 2 * ROOM


def _memory() -> int:
    """Bytes that this machine, or the container around us, can give without taking them from somebody."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    known = [int(words[1]) << 10 for words in lines if words[0] == "MemAvailable:"]
    said = [file.read_text().strip() for file in LIMITS if file.exists()]
    return min(known + [int(word) for word in said if word.isdigit()], default=0)
