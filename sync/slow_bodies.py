"""Reading a request's body in bounded time: a peer that sends a byte now and then must not keep a thread for ever.

The server's socket is shut for reading when the time is over, which ends a read that is under way.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

from flask import Request
from werkzeug.exceptions import ClientDisconnected

from sync.errors import TooSlow
from sync.limits import BODY_S


def read_in_time(request: Request, limit_s: float = BODY_S) -> bytes:
    """The whole body. TooSlow when it has not come within limit_s seconds."""
    connection: Any = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if connection is None:
        return request.get_data(cache=False)
    late = threading.Event()
    watch = threading.Timer(limit_s, _cut, (connection, late))
    watch.daemon = True
    watch.start()
    try:
        body = request.get_data(cache=False)
    except (OSError, ClientDisconnected) as error:
        raise TooSlow("sync.too_slow", "The body stopped coming.") from error
    finally:
        watch.cancel()
    if late.is_set():
        raise TooSlow("sync.too_slow", f"The body did not come within {limit_s:.0f} s.")
    return body


def _cut(connection: socket.socket, late: threading.Event) -> None:
    late.set()
    connection.shutdown(socket.SHUT_RD)
