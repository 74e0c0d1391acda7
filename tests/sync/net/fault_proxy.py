"""A TCP proxy between a plant and its hub that does to messages what networks do.

It understands just enough HTTP to know where a message ends and which door it is for. A fault is a function of one
Passage (a request on its way and the two sockets); without one, request and answer are carried unchanged.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

CHUNK = 1 << 16


class Gone(Exception):
    """One of the two ends hung up, or the fault did."""


@dataclass
class Passage:
    """One request on its way, and the ends it may reach."""

    door: str
    request: bytes
    client: socket.socket
    dial: Callable[[], socket.socket]
    healed: threading.Event
    hub: socket.socket | None = None

    def send_up(self, data: bytes) -> None:
        self.hub = self.hub or self.dial()
        self.hub.sendall(data)

    def answer(self) -> bytes:
        assert self.hub is not None
        return read_message(self.hub)

    def send_down(self, data: bytes) -> None:
        self.client.sendall(data)

    def carry(self) -> None:
        self.send_up(self.request)
        self.send_down(self.answer())

    def reset(self) -> None:
        """RST to both ends."""
        for end in (self.client, self.hub):
            if end is not None:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()
        raise Gone


Fault = Callable[[Passage], None]


def lose_request(passage: Passage) -> None:
    passage.reset()


def lose_answer(passage: Passage) -> None:
    passage.send_up(passage.request)
    passage.answer()
    passage.reset()


def half_close(passage: Passage) -> None:
    """The request arrives; of the answer only the end does."""
    passage.send_up(passage.request)
    passage.answer()
    passage.client.shutdown(socket.SHUT_WR)
    raise Gone


def stall(passage: Passage) -> None:
    """Taken, and never heard of again."""
    passage.healed.wait(60)
    passage.reset()


def cut_at(offset: int) -> Fault:
    """RST after so many bytes of the request have gone up."""

    def fault(passage: Passage) -> None:
        passage.send_up(passage.request[:offset])
        passage.reset()

    return fault


def pad_from(offset: int) -> Fault:
    """The body arrives with its full length, but from an offset on with zeros."""

    def fault(passage: Passage) -> None:
        start = passage.request.index(b"\r\n\r\n") + 4
        kept = passage.request[: start + offset]
        passage.send_up(kept + bytes(len(passage.request) - len(kept)))
        passage.send_down(passage.answer())

    return fault


def deliver_twice(passage: Passage) -> None:
    """Two connections bring the same request at the same time; the plant hears one answer."""
    other = Passage(passage.door, passage.request, passage.client, passage.dial, passage.healed)
    answers: list[bytes] = []

    def one(copy: Passage) -> None:
        copy.send_up(copy.request)
        answers.append(copy.answer())

    threads = [threading.Thread(target=one, args=(copy,)) for copy in (passage, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    passage.send_down(answers[0])


def say(answer: bytes) -> Fault:
    """Somebody on the way answers in the hub's place."""

    def fault(passage: Passage) -> None:
        passage.send_down(answer)
        passage.client.close()
        raise Gone

    return fault


def captive(page: str) -> Fault:
    """A portal or a proxy answers 200 with a page."""
    body = page.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return say(head.encode() + body)


def narrow(bytes_a_s: int, patience_bytes: int = 1 << 30) -> Fault:
    """So many bytes a second; a request over patience_bytes is reset when these have gone up."""
    step = max(1, bytes_a_s // 20)

    def fault(passage: Passage) -> None:
        passing = passage.request[:patience_bytes]
        for at in range(0, len(passing), step):
            passage.send_up(passing[at : at + step])
            time.sleep(0.05)
        if len(passage.request) > patience_bytes:
            passage.reset()
        passage.send_down(passage.answer())

    return fault


def after(event: threading.Event, then: Fault = Passage.carry) -> Fault:
    """The request is held back until the event: later ones overtake it."""

    def fault(passage: Passage) -> None:
        event.wait(30)
        then(passage)

    return fault


@dataclass
class FaultProxy:
    """Listens on a loopback port; `faults` maps a door (hello, push, pull) to what happens to it from now on."""

    hub_port: int
    faults: dict[str, Fault] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.healed = threading.Event()
        self._down = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def heal(self) -> None:
        self.faults.clear()
        self.healed.set()
        self.healed = threading.Event()

    def flap(self, down: bool) -> None:
        """Take the line down with all that is under way, or up again."""
        self._down = down
        if down:
            for end in list(self._open):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.heal()
        self._listener.close()
        self.flap(down=True)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _dial(self) -> socket.socket:
        hub = socket.create_connection(("127.0.0.1", self.hub_port), 10)
        hub.settimeout(60)
        self._open.add(hub)
        return hub

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        with suppress(OSError, Gone), client:
            while not self._down:
                request = read_message(client)
                door = request.split(b" ", 2)[1].rsplit(b"/", 1)[-1].decode()
                self.seen.append(door)
                passage = Passage(door, request, client, self._dial, self.healed)
                self.faults.get(door, Passage.carry)(passage)
                if passage.hub is not None:
                    passage.hub.close()
        self._open.discard(client)


def read_message(end: socket.socket) -> bytes:
    """One HTTP message with its body; Gone when the other end hangs up before its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(end)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    parts, missing = [data], int(lengths[0]) - len(body)
    while missing > 0:
        parts.append(_some(end))
        missing -= len(parts[-1])
    return b"".join(parts)


def _some(end: socket.socket) -> bytes:
    data = end.recv(CHUNK)
    if not data:
        raise Gone
    return data
