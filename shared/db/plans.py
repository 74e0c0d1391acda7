"""Plans that PostgreSQL keeps, for the few statements whose right plan never changes.

Elsewhere a statement is planned for the tables as they are then. A prepared one would keep the plan of its first
executions; made on a fresh hub, where every table is empty, that is a scan of all rows of an author for each row, until
the statistics change. A walk along keys has one right plan, through its indexes, and planning it takes longer than running it.
So such a statement asks for a kept plan, made without a look at how full the tables are; the next ordinary statement of
the same transaction is planned anew again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event

_KEPT = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off"
_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = on"
_MODE = "strandline.plans_kept"


def plan_anew(engine: Engine) -> None:
    """Have every connection plan each statement anew, but for those that keep_plan() was called for."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.execute("SET plan_cache_mode = force_custom_plan")
        connection.commit()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.info.pop(_MODE, None)  # SET LOCAL ended with the transaction before

    @event.listens_for(engine, "rollback_savepoint")
    def on_rollback(connection: Connection, *_: Any) -> None:
        connection.info[_MODE] = True  # what was set inside it is as it was before: say it again

    @event.listens_for(engine, "before_cursor_execute")
    def on_statement(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        # after an error nothing but the return to the savepoint is heard
        if not statement.startswith("ROLLBACK") and connection.info.pop(_MODE, None):
            cursor.execute(_ANEW)


def keep_plan(connection: Connection, cursor: Any) -> None:
    """Have the driver's next statements in this transaction keep their plans, until an ordinary one comes."""
    if not connection.info.get(_MODE):
        cursor.execute(_KEPT)
        connection.info[_MODE] = True
