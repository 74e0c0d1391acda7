"""The line between the drill's plant and hub: a TCP relay on loopback that counts bytes and can be cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

CHUNK = 1 << 16
CONNECT_S = 10.0


class Line:
    """Listens at once; `up` and `down` are the bytes carried from the plant and to it."""

    def __init__(self, hub_port: int) -> None:
        self.up = 0
        self.down = 0
        self.refused = 0
        self._hub_port = hub_port
        self._cut = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="line", daemon=True).start()

    def cut(self) -> None:
        """End all connections in mid-byte and take no new ones."""
        self._cut = True
        with self._lock:
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        """Take connections again."""
        self._cut = False

    def close(self) -> None:
        """No more connections, ever."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plant, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(plant,), name="line", daemon=True).start()

    def _carry(self, plant: socket.socket) -> None:
        with suppress(OSError), plant:
            if self._cut:
                self.refused += 1
                return
            with socket.create_connection(("127.0.0.1", self._hub_port), CONNECT_S) as hub:
                hub.settimeout(None)
                with self._lock:
                    self._open |= {plant, hub}
                back = threading.Thread(target=self._pump, args=(hub, plant, False), name="line", daemon=True)
                back.start()
                self._pump(plant, hub, True)
                back.join()
                with self._lock:
                    self._open -= {plant, hub}

    def _pump(self, source: socket.socket, sink: socket.socket, upward: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                sink.sendall(data)
                with self._lock:
                    self.up += len(data) if upward else 0
                    self.down += 0 if upward else len(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
