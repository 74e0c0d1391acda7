"""The called side over HTTP: doors that prove their caller by signature, no sign-in and no CSRF."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask, Response, current_app, request

from sync.admission import Admission, always_room
from sync.desk import Desk
from sync.errors import OutOfStep, OverLimit
from sync.limits import BODY_BYTES_LIMIT, HELLO_BYTES_MAX
from sync.slow_bodies import read_in_time
from sync.transport import PATH, RECEIPT_MEDIA_TYPE

EXTENSION = "strandline.desk"
ADMISSION = "strandline.admission"
OCTETS = "application/octet-stream"

endpoint = Blueprint("sync", __name__, url_prefix=PATH.rstrip("/"))


def install_desk(app: Flask, desk: Desk, admission: Admission | None = None) -> None:
    """Let this application answer for the desk; pushes come to it by the admission's turns."""
    app.extensions[EXTENSION] = desk
    app.extensions[ADMISSION] = admission or Admission(always_room)


@endpoint.post("/hello")
def hello() -> Response:
    """Open a session."""
    return _octets(_desk().hello(read_body(HELLO_BYTES_MAX)))


@endpoint.post("/push")
def push() -> Response:
    """Take a batch, when it is its turn; the body is read before, so that a slow line holds up nobody."""
    body = read_body(BODY_BYTES_LIMIT)
    with cast(Admission, current_app.extensions[ADMISSION]).turn():
        return _octets(_desk().push(body))


@endpoint.post("/pull")
def pull() -> Response:
    """Long poll for what follows."""
    return _octets(_desk().pull(read_body(HELLO_BYTES_MAX)))


@endpoint.post("/probe")
def probe() -> Response:
    """Hashes of the caller's own chain as it is held here."""
    return _octets(_desk().probe(read_body(HELLO_BYTES_MAX)))


@endpoint.post("/history")
def history() -> Response:
    """A batch of the caller's own, given back."""
    return _octets(_desk().history(read_body(HELLO_BYTES_MAX)))


@endpoint.post("/giveback")
def giveback() -> Response:
    """The caller gives this node back what it has lost of its own stream."""
    return _octets(_desk().giveback(read_body(BODY_BYTES_LIMIT)))


@endpoint.errorhandler(OutOfStep)
def on_out_of_step(error: OutOfStep) -> Response:
    """409 with the receiver's signed position."""
    return Response(error.receipt or error.what, error.status, mimetype=RECEIPT_MEDIA_TYPE)


def read_body(limit: int) -> bytes:
    """The request's bytes, in time; refused by its declared size before a byte is read. OverLimit, TooSlow."""
    if (request.content_length or 0) > limit:
        raise OverLimit("sync.body_too_large", f"A body of {request.content_length} bytes; the limit is {limit}.")
    request.max_content_length = limit
    return read_in_time(request)


def _desk() -> Desk:
    return cast(Desk, current_app.extensions[EXTENSION])


def _octets(body: bytes) -> Response:
    return Response(body, mimetype=OCTETS)
