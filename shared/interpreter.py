"""How the Python interpreter of a process is set: garbage looked for seldom, threads that waited let in soon."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

COLLECT_EVERY = (50_000, 20, 20)
"""Python looks for cycles of garbage after so many new objects. Its own 700 means some hundred looks at all modules
while they are being imported, a tenth of every start, and at all that a server keeps, later on."""

SWITCH_S = 0.0005
"""A thread that comes back from the database waits so long for one that computes. Python's own 5 ms is as long as ten
statements take, and a node stores a batch with about that many while it unpacks the next."""


ARENAS, MAPPED_FROM_BYTES, KEPT_FREE_BYTES = 1, 256 << 10, 1 << 20
"""How the C library keeps memory: one arena for all threads, larger pieces mapped by themselves, and little that is free.
Left alone it has an arena a thread, and each grows for as long as batches of another size come by."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""As <malloc.h> of glibc names them."""


def tune() -> None:
    """For the start of a process; the look at all that is left, at its end, is left out: two thirds of a second."""
    gc.set_threshold(*COLLECT_EVERY)
    sys.setswitchinterval(SWITCH_S)
    atexit.register(gc.freeze)


@contextmanager
def without(library: str) -> Iterator[None]:
    """Imports within the block do as if a library were not installed: one that another would load only to look nice."""
    known = sys.modules.get(library)
    sys.modules[library] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[library]
        if known is not None:
            sys.modules[library] = known


def give_back_memory() -> bool:
    """Have a process that runs for months keep its size; False where the C library cannot be told (not glibc)."""
    import ctypes  # a hundredth of a start, and only for what serves

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    wanted = ((_M_ARENA_MAX, ARENAS), (_M_MMAP_THRESHOLD, MAPPED_FROM_BYTES), (_M_TRIM_THRESHOLD, KEPT_FREE_BYTES))
    return mallopt is not None and all([mallopt(name, value) for name, value in wanted])


def keep_all() -> None:
    """What is there now stays for as long as the process: later looks pass over it."""
    gc.freeze()
