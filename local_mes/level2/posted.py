"""What a program posts to a link of kind `rest`, and its proof; the same at the plant's web address and at a link's own."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel, Field, ValidationError

from local_mes.level2.drivers.desk import number_of
from local_mes.level2.drivers.port import Heard
from local_mes.level2.drivers.rest import RestSettings, read_secret
from local_mes.level2.drivers.rest_door import Header
from local_mes.level2.link_state import real_ms
from shared import logs
from shared.errors import BadInput, NotFound, Unauthenticated
from shared.web.body import Body

MESSAGES_MAX = 500
SKEW_MS = 300_000
"""How far a signature's time may be from ours: a stolen post is worth nothing for longer."""

log = logs.get("level2")


class Pushed(Body):
    """One message. id: the sender's own name for it, the same whenever it is sent; time: local or ISO."""

    id: str = Field(min_length=1, max_length=64)
    message: str = Field(min_length=1, max_length=64)
    time: str = Field("", max_length=64)
    fields: dict[str, Any] = Field(default_factory=dict)


class Push(BaseModel):
    """What is posted."""

    messages: list[Pushed] = Field(min_length=1, max_length=MESSAGES_MAX)


def read_posted(raw: bytes) -> list[Heard]:
    """The messages of a body, numbered by the sender's names for them. BadInput says what is wrong."""
    try:
        messages = Push.model_validate_json(raw).messages
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            "level2.push_unreadable", f"The body is not what is asked for: {where}: {first['msg']}."
        ) from error
    return [
        Heard(
            one.message,
            one.fields,
            msgspec.json.encode({"id": one.id, "fields": one.fields}, order="sorted"),
            claimed=one.time,
            sequence=number_of(one.id),
        )
        for one in messages
    ]


def no_push(code: str) -> NotFound:
    """No link to post to at this address."""
    return NotFound("level2.no_push", f"There is no link {code!r} to post to.", todo="Ask the plant for its name.")


def prove(settings: RestSettings, folder: Path, code: str, host: str, header: Header, raw: bytes) -> None:
    """Let in who has the link's secret. folder: that of the model; Unauthenticated."""
    if not settings.may_post(host):
        log.warning("host not let in", link=code, host=host)
        raise _unproved(f"{host} is none of the link's `hosts`")
    secret = read_secret(folder / settings.secret_file)
    if settings.proof == "token":
        shown, expected = header("Authorization") or "", f"Bearer {secret.decode()}"
    else:
        moment = header("X-Strandline-Time") or ""
        if not (moment.isascii() and moment.isdigit()) or abs(int(moment[:15]) * 1000 - real_ms()) > SKEW_MS:
            raise _unproved(
                f"X-Strandline-Time must be the time now in seconds since 1970 UTC; here it is {real_ms() // 1000}"
            )
        shown, expected = header("X-Strandline-Signature") or "", sign(secret, moment, code, raw)
    if not hmac.compare_digest(shown.encode(), expected.encode()):
        raise _unproved(f"the {settings.proof} is wrong or missing")


def sign(secret: bytes, moment: str, link: str, raw: bytes) -> str:
    """The signature of a post: HMAC-SHA256 over `time.link.body`, in hexadecimal digits."""
    return hmac.new(secret, f"{moment}.{link}.".encode() + raw, hashlib.sha256).hexdigest()


def _unproved(why: str) -> Unauthenticated:
    return Unauthenticated(
        "level2.push_unproved",
        f"This post is not taken: {why}.",
        todo="docs/level2-drivers.md says how a post is proved.",
    )
