"""The same branch given up, come back from a peer that was restored, and given up again."""

from __future__ import annotations

from sqlalchemy import insert, select

from shared.db.engine import read, write
from shared.ids import new_id
from shared.journal.abandon import abandon
from shared.journal.fact import Draft, Occurred
from shared.journal.tables import entry, entry_abandoned
from shared.material import projection
from shared.material.facts import MaterialMoved


def test_a_branch_that_came_back_can_be_given_up_again(make_journal, engine, clock):
    journal = make_journal("ALD", projection.register)
    with journal.work() as tx:
        for _ in range(3):
            piece = new_id(clock)
            moved = MaterialMoved(material_id=piece, place="YA")
            tx.record(Draft(moved, (piece,), "p1", Occurred(clock.now_ms(), "manual")))
    with write(engine) as conn:
        rows = [dict(row) for row in conn.execute(select(entry).where(entry.c.seq > 1)).mappings()]
        first = abandon(conn, "ALD", rows[0]["epoch"], 1, {}, 1)
        conn.execute(insert(entry), rows)
        again = abandon(conn, "ALD", rows[0]["epoch"], 1, {}, 2)
    assert [item.seq for item in first] == [item.seq for item in again] == [2, 3]
    with read(engine) as conn:
        assert [row.at_ms for row in conn.execute(select(entry_abandoned))] == [1, 1]
        assert [row.seq for row in conn.execute(select(entry))] == [1]
