"""The plant's web address as the door for links of kind `rest` that have none of their own.

The answer comes after the commit to the spool. What was sent before is recognised by its id, so a sender that heard
nothing posts the same again, and a post that somebody caught and repeats changes nothing.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from local_mes.context import plant
from local_mes.level2.drivers.port import Heard, read_settings
from local_mes.level2.drivers.rest import RestSettings
from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.posted import no_push, prove, read_posted
from local_mes.level2.spool import Incoming, append
from local_mes.level2.telegrams.times import claimed_ms, zone_offset_min
from local_mes.plant import Plant
from shared.db.engine import write

bp = Blueprint("level2_push", __name__, url_prefix="/push/v1")


@bp.post("/<link>")
def push(link: str) -> dict[str, Any]:
    """Store messages; they are on disk when this answers."""
    here, raw = plant(), request.get_data()
    plan = load_links(here.settings)
    found = plan.links.get(link)
    if found is None or found.kind != "rest" or found.address:
        raise no_push(link)
    prove(read_settings(found, RestSettings), plan.folder, link, request.remote_addr or "", request.headers.get, raw)
    return _store(here, plan, link, read_posted(raw))


def _store(here: Plant, plan: LinkPlan, link: str, messages: list[Heard]) -> dict[str, Any]:
    received = here.clock.now_ms()
    with write(here.spool) as conn:
        stored = [append(conn, _incoming(plan, link, one, received)) for one in messages]
    repeated = sum(one.repeated for one in stored)
    return {"stored": len(stored) - repeated, "repeated": repeated}


def _incoming(plan: LinkPlan, link: str, one: Heard, received: int) -> Incoming:
    moment = claimed_ms(one.claimed, plan.zone, received) if one.claimed else None
    return Incoming(
        link=link,
        message=one.message,
        sequence=one.sequence or 0,
        claimed=one.claimed,
        claimed_ms=moment,
        received_ms=received,
        offset_ms=0,
        zone_offset_min=zone_offset_min(moment or received, plan.zone),
        raw=one.raw,
        body=one.raw,
        fields=dict(one.fields),
    )
