"""How a thread's loop is run: as it is, or by somebody who begins it anew after an error that nobody foresaw."""

from __future__ import annotations

import threading
from collections.abc import Callable

Loop = Callable[[], None]

Runner = Callable[[str, Loop, threading.Event], None]
"""(lane, loop, stopping): run the loop of the lane of that name until it returns."""


LANES = {
    "anchor": "writing the anchor file",
    "apply": "applying what arrived",
    "disk": "watching the disk",
    "down": "fetching from the peer",
    "edge": "carrying the edge's messages",
    "enrolment": "looking for the enrolment",
    "figures": "watching the lines",
    "following": "what follows from applied facts",
    "interpreter": "interpreting Level 2",
    "nightly": "the work of the night",
    "routes": "measuring the routes",
    "rows": "making rows again",
    "setpoints": "recording set-points",
    "up": "sending to the peer",
}
"""Every lane that may be run, and what it does, in words."""


def plainly(_lane: str, loop: Loop, _stopping: threading.Event) -> None:
    """As it is: a part of a node, in a test or a command."""
    loop()


def looping(run: Runner, lane: str, loop: Loop, stopping: threading.Event) -> threading.Thread:
    """A thread of that name, not started, that runs a lane's loop; the end of the process does not wait for it."""
    return threading.Thread(target=run, args=(lane, loop, stopping), name=lane, daemon=True)
