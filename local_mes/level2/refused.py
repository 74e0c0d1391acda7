"""Telegrams that were refused, kept with their bytes and the reason: the supplier will ask what was wrong with them.

They are on disk before the peer hears no, like those it hears yes to. A peer that sends one and the same again and again
costs one row; one that sends rubbish by the thousand costs a bounded number of rows a minute and in all, and a counter
says how many more there were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from local_mes.level2.spool_tables import refused, refused_count
from local_mes.level2.telegram_rules import Taken
from shared.db.engine import read
from shared.db.upsert import upsert

REFUSED_BYTES_MAX = 10_000
"""Of one telegram: the longest that a header of four digits can announce is kept whole."""
REFUSED_A_MINUTE = 60
"""Different ones kept of a link in a minute: a supplier's trial run passes, a flood does not fill the disk."""
REFUSED_MAX = 500
"""Kept of a link: at most 5 MB. The oldest make room."""
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Refusal:
    """One telegram that was not taken; message is `unreadable` where its header could not be read."""

    message: str
    sequence: int
    code: int
    why: str
    raw: bytes
    name: bytes = b""
    """What makes two the same, where that is less than all bytes: a repeat differs in its flags."""

    @property
    def digest(self) -> str:
        """Names it within its link."""
        return hashlib.sha256(self.name or self.raw).hexdigest()[:32]


def refusal_of(taken: Taken) -> Refusal:
    """A telegram that its line's rules refuse. A repeat is the same but for its flags."""
    head = taken.head
    name = b"\x1f".join((head.message.encode(), head.claimed.encode(), taken.frame.body)) if taken.frame.head else b""
    return Refusal(head.message, head.sequence, taken.code, taken.problem, taken.frame.raw, name)


@dataclass(frozen=True)
class RefusedCount:
    """How many were refused in all, not kept, and kept but pushed out since."""

    refused: int = 0
    not_kept: int = 0
    pushed_out: int = 0


def keep_refused(conn: Connection, *, link: str, peer: str, batch: Sequence[Refusal], now_ms: int) -> None:
    """Keep what came together on one link."""
    known = _known(conn, link, batch)
    room = REFUSED_A_MINUTE - _lately(conn, link, now_ms)
    fresh: dict[str, Refusal] = {}
    not_kept = 0
    for one in batch:
        if one.digest in known or one.digest in fresh:
            known[one.digest] = known.get(one.digest, 0) + 1
        elif len(fresh) < room:
            fresh[one.digest] = one
        else:
            not_kept += 1
    if fresh:
        rows = [_row(link, peer, one, 1, now_ms) for one in fresh.values()]
        conn.execute(insert(refused), rows)
    for digest, times in known.items():
        if times:
            again = update(refused).where(refused.c.link == link, refused.c.digest == digest)
            conn.execute(again.values(times=refused.c.times + times, last_ms=now_ms))
    _count(conn, link, len(batch), not_kept, _push_out(conn, link) if fresh else 0)


def find_refused(spool: Engine, link: str, limit: int) -> tuple[list[Any], RefusedCount]:
    """The newest refused telegrams of a link, and how many there were."""
    query = (
        select(refused).where(refused.c.link == link).order_by(refused.c.last_ms.desc(), refused.c.refused_id.desc())
    )
    with read(spool) as conn:
        rows = list(conn.execute(query.limit(limit)))
        count = conn.execute(select(refused_count).where(refused_count.c.link == link)).first()
    return rows, RefusedCount(count.refused, count.not_kept, count.pushed_out) if count else RefusedCount()


def find_one_refused(spool: Engine, refused_id: int) -> Any | None:
    """One of them, or None when it was pushed out."""
    with read(spool) as conn:
        return conn.execute(select(refused).where(refused.c.refused_id == refused_id)).first()


def _known(conn: Connection, link: str, batch: Sequence[Refusal]) -> dict[str, int]:
    names = {one.digest for one in batch}
    query = select(refused.c.digest).where(refused.c.link == link, refused.c.digest.in_(names))
    return dict.fromkeys(conn.execute(query).scalars(), 0)


def _lately(conn: Connection, link: str, now_ms: int) -> int:
    c = refused.c
    since = select(func.count()).where(c.link == link, c.first_ms > now_ms - MINUTE_MS, c.first_ms <= now_ms)
    return int(conn.execute(since).scalar_one())


def _row(link: str, peer: str, one: Refusal, times: int, now_ms: int) -> dict[str, Any]:
    return {
        "link": link,
        "digest": one.digest,
        "message": one.message[:64],
        "sequence": one.sequence,
        "code": one.code,
        "why": one.why[:1000],
        "peer": peer,
        "raw": one.raw[:REFUSED_BYTES_MAX],
        "bytes": len(one.raw),
        "times": times,
        "first_ms": now_ms,
        "last_ms": now_ms,
    }


def _push_out(conn: Connection, link: str) -> int:
    kept = select(refused.c.refused_id).where(refused.c.link == link).order_by(refused.c.refused_id.desc())
    edge = conn.execute(kept.offset(REFUSED_MAX - 1).limit(1)).scalar()
    if edge is None:
        return 0
    gone = delete(refused).where(refused.c.link == link, refused.c.refused_id < edge)
    return int(conn.execute(gone).rowcount)


def _count(conn: Connection, link: str, many: int, not_kept: int, pushed_out: int) -> None:
    before = conn.execute(select(refused_count).where(refused_count.c.link == link)).first()
    row = {
        "link": link,
        "refused": many + (before.refused if before else 0),
        "not_kept": not_kept + (before.not_kept if before else 0),
        "pushed_out": pushed_out + (before.pushed_out if before else 0),
    }
    upsert(conn, refused_count, [row], update=["refused", "not_kept", "pushed_out"])
