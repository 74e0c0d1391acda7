"""The one door to another node. Three calls, bytes for bytes; everything that goes wrong comes out as a SyncError.

HttpTransport is the only user of `requests`, one a route (sync/routed.py chooses among them); MemoryTransport hands the
same bytes to a desk in this process, for whole groups in one test. Both keep the same limits.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec
import requests
from requests.adapters import HTTPAdapter
from sqlalchemy.exc import SQLAlchemyError
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from shared.errors import Unavailable
from shared.storage import NoRoom
from sync.certificates import describe, is_refused
from sync.errors import Busy, NotConnected, OutOfStep, OverLimit, StorageFull, SyncError, Unreachable, from_status
from sync.limits import BODY_BYTES_LIMIT, CONNECT_S, HELLO_BYTES_MAX, READ_S, SILENT_S

Door = Literal["hello", "push", "pull", "enrol", "sight", "probe", "history", "giveback", "compare"]
ANSWER_MAX: dict[Door, int] = {
    "hello": HELLO_BYTES_MAX,
    "push": HELLO_BYTES_MAX,
    "pull": BODY_BYTES_LIMIT,
    "enrol": HELLO_BYTES_MAX,
    "sight": HELLO_BYTES_MAX,
    "probe": HELLO_BYTES_MAX,
    "history": BODY_BYTES_LIMIT,
    "giveback": HELLO_BYTES_MAX,
    "compare": HELLO_BYTES_MAX,
}
REFUSAL_MAX = 64 << 10
RECEIPT_MEDIA_TYPE = "application/vnd.strandline.receipt+json"
PROBLEM = "urn:strandline:problem:"
PATH = "/sync/v1/"
PIECE = 64 << 10
ASK_S = SILENT_S // 4
WATCHED = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, ASK_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, ASK_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_S * 1000),
]
"""The kernel asks an idle connection's far end, and gives up on bytes that nobody acknowledges."""


class _Problem(msgspec.Struct):
    detail: str
    todo: str = ""
    type: str = ""
    code: str = ""


class Transport(Protocol):
    """A way to one peer."""

    def send(self, door: Door, body: bytes) -> bytes:
        """The peer's answer. Raises Unreachable when there is none, else the SyncError that the peer answered."""
        ...


class Answering(Protocol):
    """The called side, as bytes for bytes."""

    def hello(self, raw: bytes) -> bytes:
        """Open a session."""
        ...

    def push(self, body: bytes) -> bytes:
        """Take a batch."""
        ...

    def pull(self, raw: bytes) -> bytes:
        """Give what follows."""
        ...

    def probe(self, raw: bytes) -> bytes:
        """Give hashes of the caller's own chain."""
        ...

    def history(self, raw: bytes) -> bytes:
        """Give the caller a batch of its own back."""
        ...


class _Watched(HTTPAdapter):
    """Connections whose far end is asked now and then whether it is there: a line that swallows everything is noticed
    after SILENT_S, not when an answer has been late for READ_S."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Every connection of the pool has the options."""
        super().init_poolmanager(*args, socket_options=WATCHED, **kwargs)


class HttpTransport:
    """Over HTTP(S). One session a thread, no settings from the environment, no redirects, bounded answers."""

    def __init__(
        self, url: str, *, connect_s: float = CONNECT_S, read_s: float = READ_S, verify: str | bool = True
    ) -> None:
        self._url = url.rstrip("/") + PATH
        self._timeout = (connect_s, read_s)
        self._verify = verify
        self._local = threading.local()

    def send(self, door: Door, body: bytes) -> bytes:
        """POST the bytes and read the answer within limits."""
        try:
            with self._session().post(
                self._url + door,
                data=body,
                timeout=self._timeout,
                stream=True,
                allow_redirects=False,
                headers={"Content-Type": "application/octet-stream"},
            ) as response:
                limit = ANSWER_MAX[door] if response.status_code == 200 else REFUSAL_MAX
                answer = _read(response, limit)
        except (requests.RequestException, ValueError) as error:
            if is_refused(error):
                raise NotConnected("sync.certificate", f"{describe(self._url, self._timeout[0])}.") from error
            kind = NotConnected if _never_met(error) else Unreachable
            raise kind("sync.unreachable", f"{self._url} does not answer: {_reason(error)}.") from error
        if response.status_code == 200:
            return answer
        raise _refusal(response, answer)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # the environment's CA bundle and proxies would override what the node was set up with
            session.trust_env = False
            session.verify = self._verify
            session.mount("http://", _Watched())
            session.mount("https://", _Watched())
            self._local.session = session
        return session


class MemoryTransport:
    """To a desk in the same process; a switch plays the cut line."""

    def __init__(self, desk: Answering) -> None:
        self._desk = desk
        self.connected = True

    def send(self, door: Door, body: bytes) -> bytes:
        """Hand the bytes over."""
        if not self.connected:
            raise Unreachable("sync.unreachable", "The line is cut.")
        if len(body) > BODY_BYTES_LIMIT:
            raise OverLimit("sync.body_too_large", f"A body of {len(body)} bytes; the limit is {BODY_BYTES_LIMIT}.")
        answer: Callable[[bytes], bytes] | None = getattr(self._desk, door, None)
        if answer is None:
            raise Unreachable("sync.no_door", f"No {door} here.")
        try:
            return answer(body)
        except NoRoom as error:
            raise StorageFull("sync.storage_full", error.what) from error
        except (SQLAlchemyError, Unavailable) as error:
            raise Unreachable("sync.unreachable", f"The peer failed: {error}.") from error


def _read(response: requests.Response, limit: int) -> bytes:
    body = b""
    for piece in response.iter_content(PIECE):
        body += piece
        if len(body) > limit:
            raise OverLimit("sync.answer_too_large", f"The answer is larger than {limit} bytes.")
    return body


def _refusal(response: requests.Response, answer: bytes) -> SyncError:
    if response.headers.get("Content-Type", "").startswith(RECEIPT_MEDIA_TYPE):
        return OutOfStep("sync.out_of_step", "The receiver is elsewhere in the stream.", receipt=answer)
    said, spoken = _said(response.status_code, answer)
    error = from_status(response.status_code, "sync.refused", said)
    error.spoken = spoken
    if isinstance(error, Busy):
        error.after_s = _seconds(response.headers.get("Retry-After", ""))
    return error


def _said(status: int, answer: bytes) -> tuple[str, bool]:
    """The peer's own words and True, when it sent a problem document of ours; else the start of whatever came, False."""
    try:
        problem = msgspec.json.decode(answer, type=_Problem)
    except (msgspec.DecodeError, UnicodeError):
        text = answer[:200].decode("utf-8", "replace").replace("\n", " ")
        return f"The peer answered {status}: {text}", False
    words = " ".join(part for part in (problem.detail, problem.todo) if part)
    return words, problem.type.startswith(PROBLEM) or problem.code.startswith("http.")


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0


def _never_met(error: BaseException | None) -> bool:
    """Whether the library says, somewhere in its chain, that no connection was made."""
    while error is not None:
        if isinstance(error, NewConnectionError | ConnectTimeoutError):
            return True
        error = error.__context__
    return False


def _reason(error: Exception) -> str:
    """The innermost words of a chain of library errors, without its memory addresses."""
    while error.__context__ is not None and isinstance(error.__context__, Exception):
        error = error.__context__
    return f"{type(error).__name__}: {error}"[:200]
