"""When too much of what an author says cannot be applied, applying that author stops; receiving never does.

A few bad facts delay their own subjects only. Many at once mean that this node misreads the author, and going on would
only fill the quarantine: more than 5 % quarantined, of at least 200 facts tried in ten minutes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, delete, insert, select

from shared.db.types import Code, Int, Words, local_table

WINDOW_MS = 10 * 60_000
TRIED_MIN = 200
"""Fewer say nothing: eleven bad facts of a short day would be 5 %."""
SHARE_MAX_PERCENT = 5

apply_stop = local_table(
    "apply_stop",
    Column("author", Code, primary_key=True),
    Column("since_ms", Int, nullable=False),
    Column("tried", Int, nullable=False),
    Column("quarantined", Int, nullable=False),
    Column("reason", Words, nullable=False),
)


@dataclass(frozen=True)
class Stop:
    """An author whose facts are received and not applied; of `tried` facts `quarantined` could not be."""

    author: str
    since_ms: int
    tried: int
    quarantined: int
    reason: str


@dataclass
class Window:
    """What became of one author's facts in the last ten minutes; times never go back."""

    runs: deque[tuple[int, int, int]] = field(default_factory=deque)
    tried: int = 0
    quarantined: int = 0

    def add(self, now_ms: int, tried: int, quarantined: int) -> bool:
        """Count a run; whether too much could not be applied."""
        self.runs.append((now_ms, tried, quarantined))
        self.tried += tried
        self.quarantined += quarantined
        while self.runs[0][0] < now_ms - WINDOW_MS:
            _, old_tried, old_quarantined = self.runs.popleft()
            self.tried -= old_tried
            self.quarantined -= old_quarantined
        return is_too_much(self.tried, self.quarantined)


def is_too_much(tried: int, quarantined: int) -> bool:
    """Whether this many of this many facts mean that an author is misread."""
    return tried >= TRIED_MIN and quarantined * 100 > tried * SHARE_MAX_PERCENT


def stop(conn: Connection, author: str, window: Window, now_ms: int) -> Stop:
    """Apply nothing of this author from now on."""
    reason = (
        f"{window.quarantined} of {window.tried} facts of {author} in ten minutes could not be applied, "
        f"more than {SHARE_MAX_PERCENT} %."
    )
    made = Stop(author, now_ms, window.tried, window.quarantined, reason)
    conn.execute(insert(apply_stop).values(**made.__dict__))
    return made


def resume(conn: Connection, authors: Iterable[str]) -> list[str]:
    """Apply these authors again; returns those that were stopped."""
    wanted = sorted(authors)
    stopped = [author for author in find_stops(conn) if author in wanted]
    conn.execute(delete(apply_stop).where(apply_stop.c.author.in_(wanted)))
    return stopped


def find_stops(conn: Connection) -> dict[str, Stop]:
    """Author -> stop, of those that are not applied now."""
    rows = conn.execute(select(apply_stop).order_by(apply_stop.c.author))
    return {row.author: Stop(row.author, row.since_ms, row.tried, row.quarantined, row.reason) for row in rows}
