"""From spooled messages to facts: one thread of the plant's process reads the spool in order.

A step takes up to N messages behind the stored position and interprets each in a savepoint of one transaction, which
ends with the new position: a crash repeats a step or does not, never half. What came too early waits in
spool_waiting and is tried again whenever something was recorded; what cannot be right goes to table repair. Neither
holds up the messages behind it. Fact ids derive from the spooled message, so a restored database that reads the spool
again from an older position records the same facts once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import OperationalError

from local_mes.level2.attempt import TOO_LATE, Outcome, attempt, message_of
from local_mes.level2.links import LinkPlan
from local_mes.level2.mapping.following import FollowedPlan, check_meanings
from local_mes.level2.operations import Message
from local_mes.level2.outbox import pass_on_now
from local_mes.level2.setpoint_record import SetPointRecorder
from local_mes.level2.spool import create_spool, get_key
from local_mes.level2.spool_tables import message
from local_mes.level2.tables import repair, spool_position, spool_waiting
from local_mes.plant import Plant
from shared import logs
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.errors import StrandlineError
from shared.ids import derived_id
from shared.journal.journal import Work as JournalWork
from sync.steady import Steady

LOOK_S = 1.0
"""How often the spool is asked for more when it was empty and nobody seems to have written to it: against a change that a
glance missed, and for what has waited long enough."""
GLANCE_S = 0.02
"""How often it is glanced at whether somebody did: the age of a file, not a query."""
RETRY_S = 1.0
"""Pause after the database was away: nothing is lost meanwhile, the spool holds it."""
WAITING_MAX = 100
"""Waiting messages tried in one step: bounds the transaction. Those behind them are tried in the next steps."""
GRACE_S = 5.0
"""Real seconds a waiting message has at least: a clock that jumps must not end a wait before the next message is read."""

log = logs.get("level2")


class Interpreter:
    """Reads one plant's spool. step() does one transaction's worth; run() goes on until stopped."""

    def __init__(self, plant: Plant, plan: LinkPlan, grace_s: float = GRACE_S) -> None:
        check_meanings(plan)
        self._plant = plant
        self._followed = FollowedPlan(plant.settings, plan, check_meanings)
        self._grace_s = grace_s
        self._log = Path(f"{plant.spool.url.database}-wal")
        self._spool = create_spool(plant.spool, plant.clock)  # a spool that was lost begins anew, under a new key
        self._give_up_lost()
        self._news = threading.Event()
        self._news.set()
        self._waiting_since: dict[int, tuple[float, int]] = {}
        self._tried_to = 0
        self._heard_to: int | None = None
        self._resting = False
        self._setpoints = SetPointRecorder(plant, self._followed.current)
        self._steady = Steady(plant.node)
        plant.journal.listen(self._news.set)

    def run(self, stop: threading.Event) -> None:
        """Interpret until stop is set."""
        while not stop.is_set():
            try:
                seen, self._resting = self._stamp(), False
                self._steady.round("setpoints", self._setpoints.step)
                if not self.step():
                    self._resting = True
                    self._rest(seen, stop)
            except (OperationalError, StrandlineError) as error:
                log.warning("interpreter waits", why=str(error))
                stop.wait(RETRY_S)

    def is_at_rest(self) -> bool:
        """Whether what was read was tried with all that is known here: what is open still waits for more to come."""
        return self._resting and not self._news.is_set()

    def _rest(self, seen: tuple[int, int], stop: threading.Event) -> None:
        end = monotonic() + LOOK_S
        while self._stamp() == seen and not self._news.is_set() and monotonic() < end and not stop.wait(GLANCE_S):
            continue

    def _stamp(self) -> tuple[int, int]:
        """Changes when the collector commits: its write-ahead log grows, or is written over from its beginning."""
        try:
            now = self._log.stat()
        except FileNotFoundError:
            return 0, 0
        return now.st_mtime_ns, now.st_size

    def step(self) -> int:
        """One transaction: new messages, then those that wait. Returns how many were interpreted or put aside."""
        position = self._position()
        rows = self._read_behind(position)
        news = bool(rows) or self._news.is_set()
        self._news.clear()
        waiting = [row for row in self._find_waiting() if news or self._is_over(row)]
        if news and self._tried_to:
            self._news.set()  # what is new is news to those behind the ones of this step too
        if not rows and not waiting:
            return 0
        with self._plant.journal.work() as tx:
            if get_position(tx.conn, self._spool) != position:
                return 0  # another process reads this spool too; it was quicker
            for row in rows:
                self._first_time(tx, row)
            settled = sum([self._again(tx, row) for row in waiting])
            if rows:
                upsert(
                    tx.conn,
                    spool_position,
                    [{"spool": self._spool, "spool_id": rows[-1].spool_id}],
                    update=["spool_id"],
                )
        pass_on_now(self._plant)
        return settled + len(rows)

    def _give_up_lost(self) -> None:
        """What waited in a spool that is lost is for a person: its content went with the spool."""
        lost = spool_waiting.c.spool != self._spool
        with write(self._plant.node.engine) as conn:
            for row in conn.execute(select(spool_waiting).where(lost)).all():
                what = Message(
                    spool=row.spool,
                    spool_id=row.spool_id,
                    link=row.link,
                    name=row.message,
                    fields={},
                    sequence=0,
                    claimed="",
                    claimed_ms=None,
                    received_ms=row.received_ms,
                )
                reason = f"It waited ({row.reason}), and the spool it lay in is lost."
                put_to_repair(conn, what, Outcome("bad", reason), self._plant.clock.now_ms())
            conn.execute(delete(spool_waiting).where(lost))

    def _position(self) -> int:
        with read(self._plant.node.engine) as conn:
            return get_position(conn, self._spool)

    def _read_behind(self, position: int) -> Sequence[Any]:
        """The next messages; while there are more behind them, they say up to when Level 2 has been heard."""
        limit = self._plant.settings.interpret_messages_max
        query = select(message).where(message.c.spool_id > position).order_by(message.c.spool_id).limit(limit)
        with read(self._plant.spool) as conn:
            rows = conn.execute(query).all()
        self._heard_to = rows[-1].received_ms if len(rows) == limit else None
        return rows

    def _find_waiting(self) -> list[Any]:
        """The next ones in turn; _tried_to says where the turn goes on, 0 when it has come round."""
        c = spool_waiting.c
        query = select(c.spool_id).where(c.spool == self._spool, c.spool_id > self._tried_to)
        with read(self._plant.node.engine) as conn:
            ids = conn.execute(query.order_by(c.spool_id).limit(WAITING_MAX)).scalars().all()
        self._tried_to = ids[-1] if len(ids) == WAITING_MAX else 0
        for spool_id in ids:
            self._waiting_since.setdefault(spool_id, (monotonic(), self._plant.clock.now_ms()))
        if not ids:
            return []
        with read(self._plant.spool) as conn:
            rows = conn.execute(select(message).where(message.c.spool_id.in_(ids)).order_by(message.c.spool_id)).all()
        return list(rows)

    def _first_time(self, tx: JournalWork, row: Any) -> None:
        what = message_of(row, self._spool)
        outcome = attempt(self._plant, self._followed.current(), tx, what)
        if outcome.state == "bad":
            put_to_repair(tx.conn, what, outcome, self._plant.clock.now_ms())
        elif outcome.state == "not_yet":
            tx.conn.execute(
                insert(spool_waiting).values(
                    spool=self._spool,
                    spool_id=what.spool_id,
                    link=what.link,
                    message=what.name,
                    received_ms=what.received_ms,
                    reason=outcome.reason,
                )
            )
            self._waiting_since[what.spool_id] = (monotonic(), self._plant.clock.now_ms())

    def _again(self, tx: JournalWork, row: Any) -> int:
        """Try a waiting message once more, and give it up when its time is over."""
        what, over = message_of(row, self._spool), self._is_over(row)
        outcome = attempt(self._plant, self._followed.current(), tx, what)
        if outcome.state == "not_yet" and not over:
            return 0
        if outcome.state == "not_yet":
            outcome = attempt(self._plant, self._followed.current(), tx, replace(what, waited_out=True))
        if outcome.state == "not_yet":
            outcome = Outcome("bad", f"{TOO_LATE}{outcome.reason}", outcome.field)
        if outcome.state == "bad":
            put_to_repair(tx.conn, what, outcome, self._plant.clock.now_ms())
        tx.conn.execute(
            delete(spool_waiting).where(spool_waiting.c.spool == self._spool, spool_waiting.c.spool_id == what.spool_id)
        )
        self._waiting_since.pop(what.spool_id, None)
        return 1

    def _is_over(self, row: Any) -> bool:
        link = self._followed.current().links.get(row.link)
        window_ms = 1000 * link.reorder_window_s if link else 0
        now = self._plant.clock.now_ms()
        since_s, since_ms = self._waiting_since.get(row.spool_id, (monotonic(), now))
        # in a backlog, read here or sent from an edge, what it builds on may have come in time and be still behind it
        heard_to = now if self._heard_to is None else self._heard_to
        over = heard_to - row.received_ms > window_ms and now - since_ms > window_ms
        return over and monotonic() - since_s >= self._grace_s


def get_position(conn: Connection, spool: str) -> int:
    """The last spooled message that was interpreted or put aside; 0 for a spool not read yet."""
    position: int | None = conn.execute(
        select(spool_position.c.spool_id).where(spool_position.c.spool == spool)
    ).scalar()
    return position or 0


def put_to_repair(conn: Connection, what: Message, outcome: Outcome, now_ms: int) -> None:
    """Lay a message aside for a person."""
    fields = msgspec.json.encode(what.fields).decode()
    upsert(
        conn,
        repair,
        [
            {
                "repair_id": derived_id(what.received_ms, what.spool, what.spool_id, "repair"),
                "spool": what.spool,
                "spool_id": what.spool_id,
                "link": what.link,
                "message": what.name,
                "claimed": what.claimed,
                "received_ms": what.received_ms,
                "state": "open",
                "reason": outcome.reason,
                "field": outcome.field,
                "fields": fields,
                "mended": fields,
                "opened_ms": now_ms,
                "closed_ms": None,
                "closed_by": None,
                "note": "",
            }
        ],
    )


def oldest_open_ms(plant: Plant) -> int | None:
    """When the oldest message came that is not interpreted, waits or is to be mended; None when all are done.

    Nothing this plant says about the time after it is complete (sync-protocol.md, 1.7).
    """
    with read(plant.node.engine) as conn:
        waiting = conn.execute(select(func.min(spool_waiting.c.received_ms))).scalar()
        to_mend = conn.execute(select(func.min(repair.c.received_ms)).where(repair.c.state == "open")).scalar()
        spool = get_key(plant.spool)
        position = get_position(conn, spool)
    with read(plant.spool) as conn:
        unread = conn.execute(
            select(message.c.received_ms).where(message.c.spool_id > position).order_by(message.c.spool_id).limit(1)
        ).scalar()
    return min((ms for ms in (waiting, to_mend, unread) if ms is not None), default=None)
