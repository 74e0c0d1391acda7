"""Looks into a server's nodes: asked for on a page, made by the process that has the connection, answered by the spool.

The plant's process need not reach the floor's network, nor hold what signs in there. Where an edge collects, question
and answer take its line (local_mes/level2/edge/looking.py). What nobody answers in time is forgotten.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select, update

from local_mes.level2.link_state import COLLECTOR_AWAY_MS, find_states, real_ms
from local_mes.level2.spool_tables import server_look, spool_metadata
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.errors import StrandlineError, Unavailable
from shared.ids import random_key

OBJECTS = "i=85"
"""Where a server's own nodes begin."""
WAIT_S = 20.0
"""A page waits so long for the answer: a slow server has 12 s of it, an edge's line there and back the rest."""
FRESH_MS = 30_000
"""Older questions are not answered any more: whoever asked has gone."""
KEPT_MS = 600_000
POLL_S = 0.1
NODE_CHARS_MAX = 400


class Child(msgspec.Struct, frozen=True):
    """One node below another. node as the model names it; value as text, quality says whether there is one."""

    node: str
    name: str
    kind: str
    type: str = ""
    value: str = ""
    quality: str = ""
    writable: bool = False


class Level(msgspec.Struct, frozen=True):
    """One node and what lies below it. more: not all children are shown."""

    node: str
    name: str
    children: tuple[Child, ...]
    more: bool


def look_into(plant: Plant, link: str, node: str) -> Level:
    """What lies below a node of a link's server now. Unavailable when nobody is there to look, or says why it cannot."""
    states = find_states(plant.spool).values()
    if max((row.seen_real_ms for row in states), default=0) < real_ms() - COLLECTOR_AWAY_MS:
        raise _nobody(plant, link)
    look_id = random_key()
    # the spool of an older release has no such table until its collector starts anew
    spool_metadata.create_all(plant.spool, tables=[server_look])
    with write(plant.spool) as conn:
        conn.execute(delete(server_look).where(server_look.c.asked_real_ms < real_ms() - KEPT_MS))
        add_look(conn, look_id, link, node[:NODE_CHARS_MAX])
    end = monotonic() + WAIT_S
    while monotonic() < end:
        with read(plant.spool) as conn:
            row = conn.execute(select(server_look).where(server_look.c.look_id == look_id)).one()
        if row.fault:
            raise _failed(link, row.fault)
        if row.answer:
            return msgspec.json.decode(row.answer, type=Level)
        sleep(POLL_S)
    raise _failed(link, f"no answer came in {WAIT_S:.0f} s")


def add_look(conn: Connection, look_id: str, link: str, node: str) -> None:
    """Ask, as of now."""
    row = {"look_id": look_id, "link": link, "node": node, "asked_real_ms": real_ms()}
    conn.execute(insert(server_look).values(row | {"told": 0, "answer": "", "fault": ""}))


def find_open(spool: Engine) -> list[Any]:
    """Questions of the last moments that nobody has answered."""
    c = server_look.c
    fresh = (c.asked_real_ms > real_ms() - FRESH_MS, c.answer == "", c.fault == "")
    with read(spool) as conn:
        return list(conn.execute(select(server_look).where(*fresh)))


def answer_look(conn: Connection, look_id: str, answer: str = "", fault: str = "") -> None:
    """Say what was seen, or why nothing was."""
    conn.execute(update(server_look).where(server_look.c.look_id == look_id).values(answer=answer, fault=fault))


def _nobody(plant: Plant, link: str) -> StrandlineError:
    edge = plant.settings.edge
    who = f"The edge {edge} is away" if edge else "The collector of this plant does not run"
    todo = (
        "See the page Edge on site; the server" if edge else "Start it (systemctl start strandline-level2); the server"
    )
    return Unavailable(
        "level2.nobody_looks",
        f"{who}, and only the process that has the links can look into the server of {link}.",
        todo=f"{todo} can be looked into as soon as it is back.",
    )


def _failed(link: str, why: str) -> StrandlineError:
    return Unavailable(
        "level2.browse_failed",
        f"The server of {link} cannot be looked into: {why.rstrip('.')}.",
        todo="See the link's state on the page Level 2 links; then open this page again.",
    )
