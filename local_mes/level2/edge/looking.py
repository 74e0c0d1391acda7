"""A look into a server where an edge collects: the question goes down the edge's line, what was seen comes up by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from local_mes.level2.edge.look_facts import Level2Answered, Level2Asked
from local_mes.level2.edge.recording import plant_ahead_ms
from local_mes.level2.link_state import real_ms
from local_mes.level2.looks import FRESH_MS, KEPT_MS, answer_look, find_open
from local_mes.level2.spool_tables import server_look
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.errors import BadInput
from shared.ids import derived_id
from shared.journal.fact import AppliedFact, Draft, Occurred
from shared.journal.journal import Journal
from sync.understanding import has_told, reads_fact

OLDER_EDGE = "the edge has not called yet, or its release cannot be asked: upgrade it"
NOT_CARRIED = "what lies there cannot be carried over the edge's line; look at a node below. "


def give_looks(journal: Journal, spool: Engine, edge: str, now_ms: int) -> int:
    """At the plant: what pages ask goes into the stream to the edge, once; returns how much that was."""
    rows = [row for row in find_open(spool) if not row.told]
    if not rows:
        return 0
    with journal.work() as tx:
        knows = has_told(tx.conn, edge) and reads_fact(tx.conn, edge, "Level2Asked")
        for row in rows if knows else ():
            given = derived_id(now_ms, journal.code, "look", row.look_id)
            asked = Level2Asked(look=row.look_id, link=row.link, node=row.node, asked_real_ms=row.asked_real_ms)
            tx.record(Draft(asked, ("links",), "plant", Occurred(now_ms, "plant"), given))
            tx.relay(given, f"{journal.code}>{edge}")
    with write(spool) as conn:
        for row in rows:
            if not knows:
                answer_look(conn, row.look_id, fault=OLDER_EDGE)
        conn.execute(_told(rows))
    return len(rows)


def take_asked(edge: Plant, conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
    """At the edge: for the collector to answer, unless whoever asked has gone; what was answered long ago goes."""
    for one in facts:
        if isinstance(one.payload, Level2Asked):
            asked, now = one.payload, real_ms()
            conn.execute(delete(server_look).where(server_look.c.asked_real_ms < now - KEPT_MS))
            since = now if asked.asked_real_ms is None else min(now, asked.asked_real_ms - plant_ahead_ms(edge))
            if since > now - FRESH_MS:
                row = {"look_id": asked.look, "link": asked.link, "node": asked.node, "asked_real_ms": since}
                made = insert(server_look).values(row | {"told": 0, "answer": "", "fault": ""})
                conn.execute(made.on_conflict_do_nothing())


def record_looks(edge: Plant) -> int:
    """At the edge: what was seen since it was last told; returns how much that was."""
    c = server_look.c
    with read(edge.spool) as conn:
        rows = conn.execute(select(server_look).where(c.told == 0, (c.answer != "") | (c.fault != ""))).all()
    if not rows:
        return 0
    now = edge.clock.now_ms()
    with edge.journal.work() as tx:
        for row in rows:
            try:
                tx.record(_answered(edge, now, row.look_id, answer=row.answer, fault=row.fault))
            except BadInput as error:  # too long for a fact, or with a character that none may have
                tx.record(_answered(edge, now, row.look_id, fault=NOT_CARRIED + error.what))
    with write(edge.spool) as conn:
        conn.execute(_told(rows))
    return len(rows)


def take_answered(conn: Connection, seen: Level2Answered) -> None:
    """At the plant: for the page that waits, if it still does."""
    answer_look(conn, seen.look, seen.answer, seen.fault)


def _answered(edge: Plant, now_ms: int, look_id: str, **said: str) -> Draft[Level2Answered]:
    fact_id = derived_id(now_ms, edge.code, "look", look_id)
    return Draft(Level2Answered(look=look_id, **said), ("links",), "edge", Occurred(now_ms, "edge"), fact_id)


def _told(rows: Sequence[Any]) -> Any:
    return update(server_look).where(server_look.c.look_id.in_([row.look_id for row in rows])).values(told=1)
