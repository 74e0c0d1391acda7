"""Sorting more lines than memory should hold: runs of them, each sorted, wait in files without a name and are merged."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO

RUN_BYTES = 32 * 1_048_576
"""Lines sorted in memory at once. A merge reads all its runs together, each through an open file: ten million rows of
400 bytes are about 120."""


def sort_lines(lines: Iterable[bytes], run_bytes: int = RUN_BYTES) -> Iterator[bytes]:
    """Lines (each with its end, and no other in it) in the order of their bytes, in flat memory. OSError without room."""
    with ExitStack() as files:
        runs: list[Iterable[bytes]] = []
        run: list[bytes] = []
        size = 0
        for line in lines:
            run.append(line)
            size += len(line)
            if size >= run_bytes:
                runs.append(_put_aside(files.enter_context(tempfile.TemporaryFile()), run))
                run, size = [], 0
        run.sort()
        yield from heapq.merge(*runs, run) if runs else run


def _put_aside(file: IO[bytes], run: list[bytes]) -> Iterable[bytes]:
    file.writelines(sorted(run))
    file.seek(0)
    return file
