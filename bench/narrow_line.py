"""A line with a rate and a delay between two TCP ends, for timings: what a plant far away has."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 4 << 10
WAITING_PIECES = 64
"""A router's buffer: 256 KiB; a sender that is faster is held back by TCP."""


class Direction:
    """One way of the line: all connections share its rate."""

    def __init__(self, bits_a_second: float, delay_s: float) -> None:
        self._bytes_a_second = bits_a_second / 8
        self.delay_s = delay_s
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait_turn(self, size: int) -> None:
        """Wait until so many bytes have passed."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._bytes_a_second
            until = self._free_at
        time.sleep(max(0.0, until - time.monotonic()))


@contextmanager
def narrow_line(to_port: int, bits_a_second: float, round_trip_s: float) -> Iterator[int]:
    """The port of a proxy on loopback that passes bytes to another port at that rate, half the round trip late."""
    ways = [Direction(bits_a_second, round_trip_s / 2) for _ in range(2)]
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, to_port, ways), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _accept(listener: socket.socket, to_port: int, ways: list[Direction]) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return  # closed: the timing is over
        far = socket.create_connection(("127.0.0.1", to_port))
        for source, target, way in ((near, far, ways[0]), (far, near, ways[1])):
            waiting: queue.Queue[tuple[float, bytes]] = queue.Queue(WAITING_PIECES)
            threading.Thread(target=_take, args=(source, waiting, way), daemon=True).start()
            threading.Thread(target=_give, args=(target, waiting), daemon=True).start()


def _take(source: socket.socket, waiting: queue.Queue[tuple[float, bytes]], way: Direction) -> None:
    piece = b"-"
    while piece:
        try:
            piece = source.recv(PIECE)
        except OSError:
            piece = b""
        way.wait_turn(len(piece))
        waiting.put((time.monotonic() + way.delay_s, piece))


def _give(target: socket.socket, waiting: queue.Queue[tuple[float, bytes]]) -> None:
    while True:
        due, piece = waiting.get()
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            if not piece:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(piece)
        except OSError:
            return  # the other end is gone; its own side sees that
