"""What a process tells the supervisor that runs it (systemd): ready, alive, ending. Without a supervisor it says nothing.

The words go as datagrams to the socket that the supervisor names. Alive is said by the loop that does the work, never by
a thread beside it, so that a loop that hangs is noticed.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from shared.settings import take_notify_socket

ALIVE_EVERY_S = 5.0
"""Far below the watchdog of any unit, far above the cost of a datagram."""


class Supervisor:
    """The line to the supervisor; an empty address says nothing."""

    def __init__(self, address: str = "") -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._said_alive = 0.0

    def ready(self) -> None:
        """The process does its work from now on."""
        self._say("READY=1")

    def alive(self) -> None:
        """The loop that does the work went round; said at most every ALIVE_EVERY_S, so it may be called at every turn."""
        now = time.monotonic()
        if now - self._said_alive >= ALIVE_EVERY_S:
            self._said_alive = now
            self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")

    def _say(self, words: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            with suppress(OSError):  # a supervisor that does not listen is no reason to stop work
                line.connect(self._address)
                line.send(words.encode())


def find_supervisor() -> Supervisor:
    """The supervisor that the environment names; children and libraries no longer see it there."""
    return Supervisor(take_notify_socket())
