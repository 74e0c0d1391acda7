"""The door for links of kind `rest`: messages posted by a program that proves itself with the link's own secret.

The answer comes after the commit to the spool. What was sent before is recognised by its id, so a sender that heard
nothing posts the same again, and a post that somebody caught and repeats changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
from flask import Blueprint, request
from pydantic import BaseModel, Field, ValidationError

from local_mes.context import plant
from local_mes.level2.drivers.desk import number_of
from local_mes.level2.drivers.port import read_settings
from local_mes.level2.drivers.rest import RestSettings, read_secret
from local_mes.level2.link_state import real_ms
from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.spool import Incoming, append
from local_mes.level2.telegrams.times import claimed_ms, zone_offset_min
from local_mes.plant import Plant
from shared import logs
from shared.db.engine import write
from shared.errors import BadInput, NotFound, Unauthenticated
from shared.web.body import Body

log = logs.get("level2")
bp = Blueprint("level2_push", __name__, url_prefix="/push/v1")
MESSAGES_MAX = 500
SKEW_MS = 300_000
"""How far a signature's time may be from ours: a stolen post is worth nothing for longer."""


class Pushed(Body):
    """One message. id: the sender's own name for it, the same whenever it is sent; time: local or ISO."""

    id: str = Field(min_length=1, max_length=64)
    message: str = Field(min_length=1, max_length=64)
    time: str = Field("", max_length=64)
    fields: dict[str, Any] = Field(default_factory=dict)


class Push(BaseModel):
    """What is posted."""

    messages: list[Pushed] = Field(min_length=1, max_length=MESSAGES_MAX)


@bp.post("/<link>")
def push(link: str) -> dict[str, Any]:
    """Store messages; they are on disk when this answers."""
    here, raw = plant(), request.get_data()
    plan = load_links(here.settings)
    _prove(plan, link, raw)
    try:
        posted = Push.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            "level2.push_unreadable", f"The body is not what is asked for: {where}: {first['msg']}."
        ) from error
    return _store(here, plan, link, posted.messages)


def _prove(plan: LinkPlan, code: str, raw: bytes) -> None:
    """Let in who has the link's secret. An unknown link and a wrong proof look alike from outside."""
    link = plan.links.get(code)
    if link is None or link.kind != "rest":
        raise NotFound("level2.no_push", f"There is no link {code!r} to post to.", todo="Ask the plant for its name.")
    settings = read_settings(link, RestSettings)
    host = request.remote_addr or ""
    if not settings.may_post(host):
        log.warning("host not let in", link=code, host=host)
        raise _unproved(f"{host} is none of the link's `hosts`")
    secret = read_secret(plan.folder / settings.secret_file)
    if settings.proof == "token":
        shown, expected = request.headers.get("Authorization", ""), f"Bearer {secret.decode()}"
    else:
        moment = request.headers.get("X-Strandline-Time", "")
        if not moment.isdigit() or abs(int(moment) * 1000 - real_ms()) > SKEW_MS:
            raise _unproved("X-Strandline-Time must be the time now, in seconds since 1970 UTC")
        shown, expected = request.headers.get("X-Strandline-Signature", ""), sign(secret, moment, code, raw)
    if not hmac.compare_digest(shown.encode(), expected.encode()):
        raise _unproved(f"the {settings.proof} is wrong or missing")


def sign(secret: bytes, moment: str, link: str, raw: bytes) -> str:
    """The signature of a post: HMAC-SHA256 over `time.link.body`, in hexadecimal digits."""
    return hmac.new(secret, f"{moment}.{link}.".encode() + raw, hashlib.sha256).hexdigest()


def _unproved(why: str) -> Unauthenticated:
    return Unauthenticated(
        "level2.push_unproved",
        f"This post is not taken: {why}.",
        todo="docs/level2-interfaces.md says how a post is proved.",
    )


def _store(here: Plant, plan: LinkPlan, link: str, messages: list[Pushed]) -> dict[str, Any]:
    received = here.clock.now_ms()
    with write(here.spool) as conn:
        stored = [append(conn, _incoming(plan, link, one, received)) for one in messages]
    repeated = sum(one.repeated for one in stored)
    return {"stored": len(stored) - repeated, "repeated": repeated}


def _incoming(plan: LinkPlan, link: str, one: Pushed, received: int) -> Incoming:
    raw = msgspec.json.encode({"id": one.id, "fields": one.fields}, order="sorted")
    moment = claimed_ms(one.time, plan.zone, received) if one.time else None
    return Incoming(
        link=link,
        message=one.message,
        sequence=number_of(one.id),
        claimed=one.time,
        claimed_ms=moment,
        received_ms=received,
        offset_ms=0,
        zone_offset_min=zone_offset_min(moment or received, plan.zone),
        raw=raw,
        body=raw,
        fields=one.fields,
    )
