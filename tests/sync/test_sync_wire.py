"""What a fact costs on the line: at most 130 bytes for facts of about 700, whatever is random in them."""

from __future__ import annotations

from sqlalchemy import func, select

from bench.day_facts import FACTS_A_COIL, day_facts
from bench.filling import fill_journal
from shared.db.engine import read
from shared.journal.tables import fact
from shared.journal.verify import verify

FACTS = 2_200
ASKED_FOR = 130
"""Bytes a fact, seals and all."""


class Counting:
    def __init__(self, inner):
        self._inner, self.sent = inner, 0

    def send(self, door, body):
        self.sent += len(body) if door == "push" else 0
        return self._inner.send(door, body)


def test_a_fact_of_a_days_work_takes_at_most_130_bytes_on_the_line(kit):
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    fill_journal(plant.node, day_facts(plant.node, FACTS // FACTS_A_COIL))
    with read(plant.node.engine) as conn:
        assert verify(conn).findings == ()
        own = conn.execute(select(func.avg(func.length(fact.c.body)))).scalar_one()
        kinds = conn.execute(select(fact.c.type).distinct()).scalars().all()
    assert 600 < own < 800
    assert len(kinds) == 5
    way = Counting(kit.memory(hub))
    for entries_max in (2_000, 100):
        way.sent, before = 0, hub.entries_of("ALD")
        kit.drain(kit.caller(plant, way), entries_max, heartbeat=False)
        came = hub.entries_of("ALD") - before
        assert came == FACTS
        assert 0 < way.sent / came <= ASKED_FOR, f"batches of {entries_max}"
        fill_journal(plant.node, day_facts(plant.node, FACTS // FACTS_A_COIL, seed=2))
