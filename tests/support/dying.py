"""Points at which a process kills itself: only tests can patch them in, the product has none."""

from __future__ import annotations

import importlib
import os
import signal
import threading
from typing import Any


def arm(point: str, when: str, nth: int) -> None:
    """Let this process die by SIGKILL just before or just after the nth call of module:name."""
    module, _, name = point.partition(":")
    owner: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original, lock, calls = getattr(owner, last), threading.Lock(), [0]

    def dying(*args: Any, **kwargs: Any) -> Any:
        with lock:
            calls[0] += 1
            now = calls[0] == nth
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, dying)
