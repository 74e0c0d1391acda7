"""What goes down to Level 2: queued by the plant's process in the spool, sent by the collector, its fate visible.

State of a row: queued -> sent -> confirmed or refused (with Level 2's answer); withheld on a link in shadow mode. A
row is sent again until it is answered, in the order it was queued, one at a time for each link. The same key is queued
once, so a caller derives it from its cause (a fact id, a command id). A set-point is good for a short time only: what
a person wanted a while ago must not reach a machine when its link comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, case, func, select, update
from sqlalchemy.dialects.sqlite import insert

from local_mes.level2.link_state import real_ms
from local_mes.level2.spool_tables import down
from local_mes.level2.telegrams.layout import Protocol
from shared.clock import Clock
from shared.db.engine import read, write

TELEGRAM, CALL, SETPOINT = "telegram", "call", "setpoint"
SETPOINT_VALID_MS = 60_000
"""Real time in which a set-point must be answered; then it is sent no more."""
_FOLLOWING = Protocol().next_sequence
QUEUED, SENT, CONFIRMED, REFUSED = "queued", "sent", "confirmed", "refused"
LATE_MS = 2_000
"""Real time after which an order that is not answered is late: a healthy peer answers within some milliseconds."""
RECENT_MS = 900_000
"""A refusal is said on every page for so long."""
QUEUED_MAX = 5_000
"""Orders read at once: a caster's of a week."""
NEVER_SENT = "its time was over before it could be sent: nothing was sent"
NOT_ANSWERED = "sent, and not answered in its time: look at the unit"
WITHHELD = "withheld"
"""Of a link that only listens: it is never sent."""


@dataclass(frozen=True)
class Down:
    """One order to Level 2. sequence and tries are 0 until it is sent."""

    down_id: int
    key: str
    link: str
    kind: str
    message: str
    fields: dict[str, Any]
    state: str
    sequence: int
    tries: int
    queued_ms: int
    answered_ms: int | None
    answer: str
    late: bool = False
    """Open for so long that people should look."""
    asked_by: str = ""
    piece: str = ""
    """Of a set-point: the person, and the piece it is for."""


def queue_telegram(spool: Engine, clock: Clock, link: str, message: str, fields: Mapping[str, Any], *, key: str) -> int:
    """Queue a down telegram; returns its down_id. The same key again changes nothing."""
    return _queue(spool, clock, key=key, link=link, kind=TELEGRAM, message=message, fields=fields)


def queue_call(spool: Engine, clock: Clock, link: str, method: str, fields: Mapping[str, Any], *, key: str) -> int:
    """Queue an OPC UA method call such as `PDI.Store`; fields are its arguments in order. Returns its down_id."""
    return _queue(spool, clock, key=key, link=link, kind=CALL, message=method, fields=fields)


def queue_setpoint(
    spool: Engine,
    clock: Clock,
    link: str,
    message: str,
    fields: Mapping[str, Any],
    *,
    key: str,
    asked_by: str,
    piece: str,
) -> int:
    """Queue what a person sets; returns its down_id."""
    until = real_ms() + SETPOINT_VALID_MS
    more: dict[str, Any] = {"asked_by": asked_by, "piece": piece, "valid_until_real_ms": until}
    return _queue(spool, clock, key=key, link=link, kind=SETPOINT, message=message, fields=fields, **more)


def get_down(spool: Engine, down_id: int) -> Down:
    """One row."""
    with read(spool) as conn:
        return _down(conn.execute(select(down).where(down.c.down_id == down_id)).one())


def find_by_key(spool: Engine, key: str) -> Down | None:
    """The row a cause has queued, or None."""
    with read(spool) as conn:
        row = conn.execute(select(down).where(down.c.key == key)).first()
    return _down(row) if row else None


def find_recent(
    spool: Engine, limit: int, before: int | None = None, links: Collection[str] = (), keys: str = ""
) -> list[Down]:
    """The newest rows, newest first; before is a down_id; links, keys: of these, or whose keys begin so, only."""
    query = select(down).order_by(down.c.down_id.desc()).limit(limit)
    if links:
        query = query.where(down.c.link.in_(links))
    if keys:
        query = query.where(down.c.key.startswith(keys))
    if before is not None:
        query = query.where(down.c.down_id < before)
    with read(spool) as conn:
        return [_down(row) for row in conn.execute(query)]


def find_queued(spool: Engine, link: str, from_ms: int, to_ms: int) -> list[Down]:
    """What was asked of a link between two times (UTC ms of the plant's clock), oldest first, whatever became of it."""
    query = select(down).where(down.c.link == link, down.c.queued_ms.between(from_ms, to_ms)).order_by(down.c.down_id)
    with read(spool) as conn:
        return [_down(row) for row in conn.execute(query.limit(QUEUED_MAX))]


def links_waiting(spool: Engine) -> set[str]:
    """Links with something to send."""
    with read(spool) as conn:
        return set(conn.execute(select(down.c.link).distinct().where(down.c.state.in_((QUEUED, SENT)))).scalars())


def take_next(conn: Connection, link: str, now_ms: int, following: Callable[[int], int] = _FOLLOWING) -> Down | None:
    """The oldest open row of a link, marked as sent (with its telegram sequence) before a byte leaves.

    following: the sequence after one, as the line counts.
    """
    expire(conn, now_ms)
    row = conn.execute(
        select(down).where(down.c.link == link, down.c.state.in_((QUEUED, SENT))).order_by(down.c.down_id).limit(1)
    ).first()
    if row is None:
        return None
    last = conn.execute(
        select(down.c.sequence)
        .where(down.c.link == link, down.c.sequence.is_not(None))
        .order_by(down.c.down_id.desc())
        .limit(1)
    ).scalar()
    sequence = row.sequence if row.sequence is not None else following(last or 0)
    values = {"state": SENT, "sequence": sequence, "tries": row.tries + 1, "sent_ms": row.sent_ms or now_ms}
    conn.execute(update(down).where(down.c.down_id == row.down_id).values(**values))
    return _down(conn.execute(select(down).where(down.c.down_id == row.down_id)).one())


def settle(conn: Connection, down_id: int, now_ms: int, *, accepted: bool, answer: str) -> None:
    """Level 2 has answered. What was withdrawn meanwhile stays so, unless it has been accepted after all."""
    this = update(down).where(down.c.down_id == down_id)
    if not accepted:
        this = this.where(down.c.state.in_((QUEUED, SENT)))
    state = CONFIRMED if accepted else REFUSED
    conn.execute(this.values(state=state, answered_ms=now_ms, answer=answer, settled_by=None))


def expire(conn: Connection, now_ms: int) -> None:
    """Set-points whose time is over are sent no more."""
    past = (down.c.state.in_((QUEUED, SENT)), down.c.valid_until_real_ms < real_ms())
    answer = case((down.c.state == QUEUED, NEVER_SENT), else_=NOT_ANSWERED)
    conn.execute(update(down).where(*past).values(state=REFUSED, answered_ms=now_ms, answer=answer))


def withdraw(conn: Connection, down_id: int, now_ms: int, why: str, by: str | None = None) -> bool:
    """Take an order back that is not answered; False when it was answered meanwhile. by: the person who does."""
    this = update(down).where(down.c.down_id == down_id, down.c.state.in_((QUEUED, SENT)))
    return conn.execute(this.values(state=REFUSED, answered_ms=now_ms, answer=why, settled_by=by)).rowcount > 0


def is_open(conn: Connection, down_id: int, now_ms: int) -> bool:
    """Whether it is still to be sent: it may have been withdrawn, or its time is over."""
    expire(conn, now_ms)
    return conn.execute(select(down.c.state).where(down.c.down_id == down_id)).scalar() in (QUEUED, SENT)


def count_late(spool: Engine) -> dict[str, int]:
    """Orders that wait too long, by link."""
    late = (down.c.state.in_((QUEUED, SENT)), down.c.queued_real_ms < real_ms() - LATE_MS)
    with read(spool) as conn:
        return {
            row[0]: row[1] for row in conn.execute(select(down.c.link, func.count()).where(*late).group_by(down.c.link))
        }


def find_refused_lately(spool: Engine, now_ms: int) -> Down | None:
    """The newest order that was refused, if that is not long ago."""
    c = down.c
    query = (
        select(down).where(c.state == REFUSED, c.answered_ms > now_ms - RECENT_MS).order_by(c.down_id.desc()).limit(1)
    )
    with read(spool) as conn:
        row = conn.execute(query).first()
    return _down(row) if row else None


def withhold(conn: Connection, link: str, now_ms: int, why: str) -> None:
    """Nothing that waits for this link goes down, now or later."""
    conn.execute(
        update(down)
        .where(down.c.link == link, down.c.state.in_((QUEUED, SENT)))
        .values(state=WITHHELD, answered_ms=now_ms, answer=why)
    )


def count_open(spool: Engine) -> dict[str, int]:
    """Rows not answered yet, by link."""
    query = select(down.c.link, func.count()).where(down.c.state.in_((QUEUED, SENT))).group_by(down.c.link)
    with read(spool) as conn:
        return {link: count for link, count in conn.execute(query)}


def _queue(spool: Engine, clock: Clock, *, fields: Mapping[str, Any], **values: Any) -> int:
    text = msgspec.json.encode(dict(fields)).decode()
    with write(spool) as conn:
        conn.execute(
            insert(down)
            .values(
                fields=text,
                state=QUEUED,
                queued_ms=clock.now_ms(),
                queued_real_ms=real_ms(),
                tries=0,
                answer="",
                **values,
            )
            .on_conflict_do_nothing(index_elements=["key"])
        )
        down_id: int = conn.execute(select(down.c.down_id).where(down.c.key == values["key"])).scalar_one()
    return down_id


def _down(row: Any) -> Down:
    return Down(
        row.down_id,
        row.key,
        row.link,
        row.kind,
        row.message,
        msgspec.json.decode(row.fields),
        row.state,
        row.sequence or 0,
        row.tries,
        row.queued_ms,
        row.answered_ms,
        row.answer,
        late=row.state in (QUEUED, SENT) and (row.queued_real_ms or 0) < real_ms() - LATE_MS,
        asked_by=row.asked_by or "",
        piece=row.piece or "",
    )
