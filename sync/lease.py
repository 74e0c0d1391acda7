"""One holder at a time, over processes and machines: a row with an end, judged by the database's own clock.

The database's clock, because the holders' clocks may differ and a node's time may be played faster than real.
"""

from __future__ import annotations

import threading
import time

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, delete, func, literal_column, or_

from shared.db.dialect import insert_into
from shared.db.engine import write
from shared.ids import process_id, random_key
from sync.tables import lease


def db_now_ms(dialect: str) -> ColumnElement[int]:
    """The database's time as an SQL expression, ms since 1970."""
    if dialect == "postgresql":
        return literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", BigInteger())
    return literal_column("CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)", BigInteger())


def get_db_now_ms(conn: Connection) -> int:
    """The database's time, ms since 1970."""
    return int(conn.execute(func.coalesce(db_now_ms(conn.dialect.name), 0).select()).scalar_one())


LEASE_S = 5.0
"""How long a dead holder keeps others out. Short: two holders at once cost double work, never a double effect."""


class Lease:
    """A named right that one process holds for ttl_s and renews before it ends."""

    def __init__(self, engine: Engine, name: str, ttl_s: float) -> None:
        self._engine = engine
        self._name = name
        self._ttl_ms = round(ttl_s * 1000)
        self._renew_s = ttl_s / 3
        self._sure_until = 0.0
        self._lock = threading.Lock()
        self.holder = f"{process_id()}-{random_key()[:12]}"

    def held(self) -> bool:
        """Whether this holder may work now; asks the database only every third of the lease's time."""
        with self._lock:
            if time.monotonic() < self._sure_until:
                return True
            asked = time.monotonic()
            taken = self.take()
            self._sure_until = asked + self._renew_s if taken else 0.0
            return taken

    def take(self) -> bool:
        """Take or renew the lease; False while another holds it."""
        with write(self._engine) as conn:
            now = db_now_ms(conn.dialect.name)
            until = now + self._ttl_ms
            statement = insert_into(conn, lease).values(name=self._name, holder=self.holder, until_db_ms=until)
            taken = statement.on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": self.holder, "until_db_ms": until},
                where=or_(lease.c.holder == self.holder, lease.c.until_db_ms < now),
            )
            return conn.execute(taken.returning(lease.c.holder)).first() is not None

    def give_up(self) -> None:
        """Let the next one in at once."""
        self._sure_until = 0.0
        with write(self._engine) as conn:
            conn.execute(delete(lease).where(lease.c.name == self._name, lease.c.holder == self.holder))
