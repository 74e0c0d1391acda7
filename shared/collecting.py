"""How often Python looks for garbage that refers to itself: seldom, in a process that keeps what it made."""

from __future__ import annotations

import atexit
import gc

COLLECT_EVERY = (50_000, 20, 20)
"""Python looks for cycles of garbage after so many new objects. Its own 700 means some hundred looks at all modules
while they are being imported, a tenth of every start, and at all that a server keeps, later on."""


def collect_seldom() -> None:
    """For the start of a process; the look at all that is left, at its end, is left out: two thirds of a second."""
    gc.set_threshold(*COLLECT_EVERY)
    atexit.register(gc.freeze)


def keep_all() -> None:
    """What is there now stays for as long as the process: later looks pass over it."""
    gc.freeze()
