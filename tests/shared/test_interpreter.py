"""A process that serves keeps its size: what batches of all sizes took goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORK = """
import threading
from pathlib import Path
from shared.interpreter import give_back_memory

def resident_kib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

kept = []

def work():
    for size in range(150_000, 1_200_000, 150_000):
        batch = [bytearray(size) for _ in range(2)]
        kept.append(bytearray(1_000))

told = give_back_memory()
before = resident_kib()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(told, resident_kib() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux is told")
def test_what_threads_took_and_gave_back_is_not_kept() -> None:
    told, grown = subprocess.check_output([sys.executable, "-c", WORK], cwd=ROOT, text=True).split()
    assert told == "True"
    assert int(grown) < 2_048, "KiB; left alone it is four to five thousand"
