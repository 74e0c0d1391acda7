"""The spool gives up, night after night, what nobody needs any more; its file uses the room again and stops growing.

A message goes when all of this holds: the plant has read it and it waits for nothing; every reader of the journal (the
hub) says that it holds durably what came of it; it is older than the setting `spool_days`; it is none of the newest of
its link, by which a repeat is recognised; it is neither open in repair nor was mended or dismissed only since; and it
belongs to no capture that a person keeps.
The second is known by marks: each night notes how far the spool was read and where the journal ended then.
A plant that was never enrolled has no reader: there what it has read counts as it is. Little goes in one transaction,
so that the collector, which writes all the while, hardly waits; an end in the middle leaves the rest for the next night.
Orders down that are answered go after `orders_days`: their keys are what keeps an order from going down twice, so the
time is much longer. The newest of each link stays: its number is where the count goes on. So does what was taken back
of a held piece: it is counted for the key of what is queued under its cause again (edge/naming.py).
"""

from __future__ import annotations

import time
from collections.abc import Set
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Engine, String, cast, delete, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from local_mes.level2.down import QUEUED, SENT
from local_mes.level2.interpret import get_position
from local_mes.level2.spool import get_key
from local_mes.level2.spool_repeats import REPEAT_WINDOW
from local_mes.level2.spool_tables import down, kept_capture, mark, message, pruned, refused
from local_mes.level2.tables import repair, spool_waiting
from local_mes.plant import Plant
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.journal.reading import lives
from sync.peers import list_peers
from sync.waiting import held_to

DAY_MS = 86_400_000
CHUNK_ROWS = 500
"""Messages deleted in one transaction: some 10 ms, well below what an acknowledgement may take."""
PAUSE_S = 0.05
"""Between two of them: the collector's commits come first."""


_CAPTURED = select(kept_capture.c.link, func.min(kept_capture.c.from_ms).label("since")).group_by(kept_capture.c.link)


@dataclass(frozen=True)
class Pruned:
    """What one night gave up; up_to: the last message that might have gone, 0 for none."""

    messages: int
    up_to: int

    def __str__(self) -> str:
        if not self.up_to:
            return "No message is both old enough and confirmed by the hub: the spool is as it was."
        return f"{self.messages} messages up to {self.up_to} were given up; their room is used again."


def prune(plant: Plant, *, keep_newest: int = REPEAT_WINDOW, pause_s: float = PAUSE_S) -> Pruned:
    """Note how far the spool is read, then give up what may go."""
    now = plant.clock.now_ms()
    set_mark(plant, now)
    before = now - plant.settings.spool_days * DAY_MS
    with write(plant.spool) as conn:
        conn.execute(delete(refused).where(refused.c.last_ms < before))
    _give_up_orders(plant.spool, now - plant.settings.orders_days * DAY_MS, pause_s)
    reached = _find_mark(plant, before)
    if reached is None:
        return Pruned(0, 0)
    held = _held(plant, reached.at_ms)
    with read(plant.spool) as conn:
        links = conn.execute(select(message.c.link).distinct()).scalars().all()
        captured = {row.link: row.since for row in conn.execute(_CAPTURED)}
    count = 0
    for link in links:
        job = _Link(plant, link, reached.spool_id, min(before, captured.get(link, before)), keep_newest, held)
        while (gone := job.give_up_some(now)) is not None:
            count += gone
            time.sleep(pause_s)
    with write(plant.spool) as conn:
        conn.execute(delete(mark).where(mark.c.spool_id < reached.spool_id))
    return Pruned(count, reached.spool_id)


def set_mark(plant: Plant, now_ms: int) -> None:
    """What is read and waits for nothing now, and where the journal ends. Marks of a future given up by a restore go."""
    with read(plant.node.engine) as conn:
        spool = get_key(plant.spool)
        position = get_position(conn, spool)
        waiting = conn.execute(select(func.min(spool_waiting.c.spool_id)).where(spool_waiting.c.spool == spool))
        first_open = waiting.scalar()
        end = lives(conn, plant.code)[-1:]
    upto = position if first_open is None else min(position, first_open - 1)
    with write(plant.spool) as conn:
        conn.execute(delete(mark).where(mark.c.spool_id > position))
        if end and upto > 0:
            row = {"spool_id": upto, "at_ms": now_ms, "epoch": end[0].epoch, "seq": end[0].seq}
            conn.execute(insert(mark).values(**row).on_conflict_do_nothing())


def _find_mark(plant: Plant, before_ms: int) -> Any | None:
    """The newest mark that is old enough and whose facts every reader holds."""
    with read(plant.spool) as conn:
        marks = conn.execute(select(mark).where(mark.c.at_ms < before_ms).order_by(mark.c.spool_id.desc())).all()
    with read(plant.node.engine) as conn:
        return next((one for one in marks if is_confirmed(conn, plant.code, one)), None)


def is_confirmed(conn: Connection, stream: str, noted: Any) -> bool:
    """Whether every reader holds what had come of the messages up to a mark; in a plant without any, always."""
    return not list_peers(conn) or bool(held_to(conn, stream, noted.epoch) >= noted.seq > 0)


def _held(plant: Plant, since_ms: int) -> Set[int]:
    """Messages that are to be mended, were only since then, or wait."""
    spool = get_key(plant.spool)
    not_done = or_(repair.c.state == "open", repair.c.closed_ms >= since_ms)
    with read(plant.node.engine) as conn:
        held = set(conn.execute(select(repair.c.spool_id).where(repair.c.spool == spool, not_done)).scalars())
        return held | set(
            conn.execute(select(spool_waiting.c.spool_id).where(spool_waiting.c.spool == spool)).scalars()
        )


def _give_up_orders(spool: Engine, before_ms: int, pause_s: float) -> None:
    """Orders that were settled before; of each link the newest that had a number stays.

    So does what was withdrawn and set its cause free (its own number ends its key): an edge's keys count those.
    """
    c = down.c
    newest = select(func.max(c.down_id)).where(c.sequence.is_not(None)).group_by(c.link)
    was_freed = c.key.endswith(":" + cast(c.down_id, String))
    going = c.state.not_in((QUEUED, SENT)), c.answered_ms < before_ms, c.down_id.not_in(newest), ~was_freed
    some = select(c.down_id).where(*going).order_by(c.down_id).limit(CHUNK_ROWS)
    while True:
        with write(spool) as conn:
            if not conn.execute(delete(down).where(c.down_id.in_(some))).rowcount:
                return
        time.sleep(pause_s)


@dataclass
class _Link:
    """One link's messages, from the oldest on; at: the ordinal looked at last."""

    plant: Plant
    link: str
    up_to: int
    before_ms: int
    keep_newest: int
    held: Set[int]
    at: int = 0

    def give_up_some(self, now_ms: int) -> int | None:
        """One transaction; how many went, None when there are no more to look at."""
        with read(self.plant.spool) as conn:
            rows = self._find(conn)
        if not rows:
            return None
        self.at = rows[-1].ordinal
        going = [row for row in rows if row.received_ms < self.before_ms and row.spool_id not in self.held]
        if going:
            with write(self.plant.spool) as conn:
                self._note(conn, going, now_ms)
                conn.execute(delete(message).where(message.c.spool_id.in_([row.spool_id for row in going])))
        return len(going)

    def _find(self, conn: Connection) -> list[Any]:
        c = message.c
        last = conn.execute(select(func.max(c.ordinal)).where(c.link == self.link)).scalar() or 0
        query = (
            select(c.spool_id, c.ordinal, c.received_ms)
            .where(c.link == self.link, c.ordinal > self.at, c.ordinal <= last - self.keep_newest)
            .order_by(c.ordinal)
            .limit(CHUNK_ROWS)
        )
        return list(takewhile(lambda row: row.spool_id <= self.up_to, conn.execute(query)))

    def _note(self, conn: Connection, going: list[Any], now_ms: int) -> None:
        """Say it before it is done: the database lets go only what stands here."""
        before = conn.execute(select(pruned).where(pruned.c.link == self.link)).first()
        row = {
            "link": self.link,
            "ordinal": max(going[-1].ordinal, before.ordinal if before else 0),
            "received_ms": max(max(one.received_ms for one in going), before.received_ms if before else 0),
            "rows": len(going) + (before.rows if before else 0),
            "at_ms": now_ms,
        }
        upsert(conn, pruned, [row], update=["ordinal", "received_ms", "rows", "at_ms"])
