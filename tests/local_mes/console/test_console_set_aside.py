"""A plant's own quarantine: what came down from the hub and could not be applied, found from the engineer's page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_mes.app import create_console
from local_mes.level2.spool import create_spool
from shared.clock import FixedClock
from shared.db.engine import write
from shared.journal.quarantine import Unapplied, set_aside
from shared.journal.reading import entries_after, lives

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in
from steel_group import SteelGroup


@pytest.fixture
def group(tmp_path: Path, clock: FixedClock) -> Iterator[SteelGroup]:
    made = SteelGroup(tmp_path, clock)
    yield made
    made.close()


def test_the_engineer_is_led_from_the_plants_page_to_the_fact_and_tries_it_again(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_500)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1"])
    group.sync()
    plant = group.plants["BRK"]
    create_spool(plant.spool, plant.clock)  # the engineer's page looks into it
    with write(plant.node.engine) as conn:
        (life,) = lives(conn, "HUB>BRK")
        entry = entries_after(conn, "HUB>BRK", life.epoch, 0, 1)[0]
        set_aside(conn, [Unapplied(entry, "quarantined", "broken for the test", ("s",))], 1)
    engineer = sign_in(create_console(plant), plant.node, "engineer", "engineer")
    page = engineer.page("/engineer")
    assert 'href="/quarantine/">Facts set aside</a>' in page
    assert f"/quarantine/ALD/{entry.fact_id}" in engineer.page("/quarantine/")
    item = engineer.page(f"/quarantine/ALD/{entry.fact_id}")
    assert "broken for the test" in item
    assert "161738-1-1" in item
    assert engineer.post("/quarantine/retry", "/quarantine/", author="ALD").status_code == 302
    assert "Nothing is set aside" in engineer.page("/quarantine/")
