"""A port of its own for posts to one link: HTTP/1.1, nothing else, at an edge or where the plant's pages are elsewhere.

The library's server reads the requests, a thread each; how many there are at once, how large and how slow they may be is
bounded here, because whoever reaches the port can begin one.
"""

from __future__ import annotations

import ssl
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from socketserver import TCPServer
from typing import Any, cast

import msgspec

from shared import logs
from shared.errors import StrandlineError

BODY_BYTES_MAX = 4 << 20
"""As the plant's web address takes."""
AT_ONCE_MAX = 32
"""Connections at once; a further one is closed."""
AT_ONCE_OF_ONE_MAX = 8
"""And of one address: whoever is slow or broken leaves places to the others."""
SILENT_S = 15
"""A connection that says nothing for so long is closed."""
REQUEST_S = 60
"""A whole request, with the wait for it and the answer, takes no longer, however little is said at a time."""

Header = Callable[[str], str | None]
"""The value of a post's header by its name."""
Take = Callable[[str, str, Header, bytes], dict[str, Any]]
"""(path, host, header, body) -> the answer, when what was posted is on disk; StrandlineError says why not."""

log = logs.get("level2")


class RestDoor(ThreadingHTTPServer):
    """Listens from when it is made; `serve` answers until `end`. OSError when the port is taken."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(
        self, address: tuple[str, int], lets_in: Callable[[str], bool], tls: ssl.SSLContext | None, take: Take
    ):
        self.take, self.tls = take, tls
        self._lets_in = lets_in
        self._here: Counter[str] = Counter()
        self._counting = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Take the port; asks no name service for our own name, as the library does: it may be slow to answer."""
        TCPServer.server_bind(self)

    def serve(self) -> None:
        """Answer until ended."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, name="posts", daemon=True).start()

    def end(self) -> None:
        """Take no more posts; those being stored are stored, and come again where the answer was lost."""
        self.shutdown()
        self.server_close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether a connection is served at all."""
        host = str(client_address[0])
        if not self._lets_in(host):
            return False
        with self._counting:
            free = self._here.total() < AT_ONCE_MAX and self._here[host] < AT_ONCE_OF_ONE_MAX
            self._here[host] += free
        return free

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._counting:
                self._here[str(client_address[0])] -= 1
                self._here = +self._here  # an address that is gone is forgotten

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke, or spoke no TLS; or a fault of this program, with its trace. The sender posts again."""
        error = sys.exception()
        if isinstance(error, OSError):
            log.info("post ended early", peer=str(client_address[0]), why=str(error))
        else:
            log.error("a fault of the program", peer=str(client_address[0]), trace=traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Strandline", ""
    timeout = SILENT_S

    def setup(self) -> None:
        tls = cast(RestDoor, self.server).tls
        if tls is not None:
            plain = cast(socket, self.request)
            plain.settimeout(SILENT_S)
            self.request = tls.wrap_socket(plain, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        if isinstance(self.request, ssl.SSLSocket):
            self.request.close()

    def handle_one_request(self) -> None:
        """One request, or the wait for one; cut where that takes too long."""
        end = threading.Timer(REQUEST_S, self._cut)
        end.daemon = True
        end.start()
        try:
            super().handle_one_request()
        finally:
            end.cancel()

    def do_POST(self) -> None:
        """Take what is posted and answer when it is on disk."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            return self._refuse(411, "A post says its length (Content-Length).")
        if len(length) > len(str(BODY_BYTES_MAX)) or int(length) > BODY_BYTES_MAX:
            return self._refuse(413, f"A post has at most {BODY_BYTES_MAX} bytes.")
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            self.close_connection = True
            return None
        try:
            said = cast(RestDoor, self.server).take(self.path, self.client_address[0], self.headers.get, raw)
        except StrandlineError as error:
            problem = {"type": f"urn:strandline:problem:{error.code}", "title": type(error).__name__}
            problem |= {"detail": error.what, "kept": error.kept, "todo": error.todo}
            return self._answer(error.status, problem | {"status": error.status})
        except Exception:
            # also of the kinds that a broken connection has, such as a file that is missing: the sender hears of it
            log.exception("a fault of the program", peer=self.client_address[0])
            return self._answer(500, {"title": "The program failed: post it again.", "status": 500})
        return self._answer(200, said)

    def log_message(self, format: str, *args: Any) -> None:
        """What came is in the spool and on the link's page."""

    def _cut(self) -> None:
        """End the connection under whoever reads or writes it, TLS or not; its own thread closes it."""
        with suppress(OSError):
            socket.shutdown(self.connection, SHUT_RDWR)

    def _refuse(self, status: int, why: str) -> None:
        """The rest of the connection cannot be told from the body that was not read: it ends."""
        self.close_connection = True
        self._answer(status, {"title": why, "status": status})

    def _answer(self, status: int, said: Mapping[str, Any]) -> None:
        body = msgspec.json.encode(said)
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status == 200 else "application/problem+json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
