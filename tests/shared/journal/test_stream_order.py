"""The order in which a node's streams are read again."""

from __future__ import annotations

from sqlalchemy import Engine

from shared.db.engine import write
from shared.journal.journal import lock_head
from shared.journal.reading import all_streams


def test_authors_own_streams_come_before_the_ways_down(engine: Engine) -> None:
    """Whatever the plants are called: a relayed departure must not be applied before its piece was made."""
    with write(engine) as conn:
        for stream in ("HUB>BRK", "ZED", "HUB", "ALD", "HUB>ALD"):
            lock_head(conn, stream, 0)
        assert all_streams(conn) == ["ALD", "HUB", "ZED", "HUB>ALD", "HUB>BRK"]
