"""Ports of loopback for programs that a person or a test starts side by side: a drill, a demo, a test's servers.

They are drawn below the range that the system takes outgoing connections from, so that no connection made between
the drawing and the listening takes one away.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack

from shared.ids import jitter

LOWEST, HIGHEST = 10_000, 32_000
"""Linux takes outgoing connections from 32,768 on."""


def free_port() -> int:
    """A port that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(many: int) -> list[int]:
    """As many different ports that nobody listens on now."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < many:
            probe = held.enter_context(socket.socket())
            port = LOWEST + int(jitter() * (HIGHEST - LOWEST))
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found
