"""What the hub says reaches a plant with a line in under 5 s (p95): over HTTP, by the long poll, applied there."""

from __future__ import annotations

import statistics
import time

from sqlalchemy import select

from shared.db.engine import read
from shared.journal.tables import applied, entry
from sync.station import build_calling

LIMIT_S = 5.0
SAID = 20


def say(hub):
    """One fact of the hub's, sent down; returns its id."""
    hub.create(1)
    with read(hub.node.engine) as conn:
        query = select(entry.c.fact_id).where(entry.c.stream == "HUB").order_by(entry.c.seq.desc()).limit(1)
        fact_id = conn.execute(query).scalar_one()
    with hub.node.journal.work() as tx:
        tx.relay(fact_id, "HUB>ALD")
    return fact_id


def is_applied(plant, fact_id):
    with read(plant.node.engine) as conn:
        return conn.execute(select(applied.c.fact_id).where(applied.c.fact_id == fact_id)).first() is not None


def test_what_the_hub_says_is_applied_at_a_plant_with_a_line_in_time(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    station = build_calling(plant.node, lambda: None, 100, kit.http(kit.serve(hub)))
    station.start()
    kit.closing.append(station.stop)
    waits = []
    for number in range(SAID + 1):
        said = time.monotonic()
        fact_id = say(hub)
        while not is_applied(plant, fact_id):
            assert time.monotonic() - said < 60
            time.sleep(0.01)
        if number:  # the first one waits for the line to come up
            waits.append(time.monotonic() - said)
        plant.create(1)  # the way up has work meanwhile
    assert statistics.quantiles(waits, n=20)[-1] < LIMIT_S, waits
