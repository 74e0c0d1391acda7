"""PostgreSQL put back by its own means: a standby that lagged behind is promoted in the place of the first server."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from shared.db.engine import read
from shared.journal.life import get_identity, node_life
from shared.journal.reading import lives
from shared.journal.verify import verify
from sync.beginning import begin
from sync.link import AWAY, report_link
from sync.losses import list_missing
from sync.marks import list_holdings
from tools.postgres import find_programs, other_user, temporary_cluster


@pytest.fixture
def cluster():
    """A server of this test's own, whose folder can be put back: its URL and its folder."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server programs on this machine")
    with temporary_cluster(programs, fsync=False) as url:
        yield url, Path(parse_qs(urlsplit(url).query)["host"][0])


def control(folder, *words):
    programs = find_programs()
    command = [*other_user(), str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w", *words]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)


def start(folder):
    # the options that the cluster was first started with lie in postmaster.opts; -k names the socket's folder
    control(folder, "-o", f"-c fsync=off -c listen_addresses='' -k {folder}", "-l", str(folder / "log"), "start")


@pytest.mark.postgres
@pytest.mark.fault(51, 52)
def test_a_lagging_standby_that_was_promoted_begins_a_new_life_and_is_filled_again(kit, cluster):
    url, folder = cluster
    hub, plant = kit.hub(url), kit.plant()
    kit.enrol(plant, hub)
    hub.create(2)
    plant.create(3)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    hub.node.engine.dispose()
    control(folder, "-m", "fast", "stop")
    subprocess.run(["cp", "-a", str(folder / "data"), str(folder / "standby")], check=True)
    start(folder)
    hub.create(3)
    plant.create(4)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    hub.ground.anchoring.write_now()
    content, before = hub.hash_of("ALD"), identity(hub)
    hub.node.engine.dispose()
    control(folder, "-m", "immediate", "stop")
    shutil.rmtree(folder / "data")
    (folder / "standby").rename(folder / "data")
    subprocess.run([*other_user(), "touch", str(folder / "data" / "standby.signal")], check=True)
    start(folder)
    control(folder, "promote")
    hub = kit.hub(url)
    assert identity(hub) != before
    with read(hub.node.engine) as conn:
        assert [life.seq for life in lives(conn, "HUB")] == [2, 0]
        assert [(gone.first, gone.last) for gone in list_missing(conn)] == [(3, 5)]
        assert mark(conn).endswith("/00000002")
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    assert hub.hash_of("ALD") == content == plant.hash_of("ALD")
    assert begin(hub.node).reason == ""
    hub.node.engine.dispose()
    control(folder, "-m", "fast", "stop")
    subprocess.run([*other_user(), "touch", str(folder / "data" / "standby.signal")], check=True)
    start(folder)
    control(folder, "promote")  # nothing is missing this time: the timeline alone tells
    assert begin(hub.node).reason == "another database or timeline"
    assert begin(hub.node).reason == ""
    hub.node.engine.dispose()


@pytest.mark.postgres
@pytest.mark.fault(24)
def test_a_database_that_is_stopped_dead_while_facts_arrive_loses_nothing_that_was_receipted(kit, cluster):
    url, folder = cluster
    hub, plant = kit.hub(url), kit.plant()
    kit.enrol(plant, hub)
    exchange = kit.exchange(plant, kit.http(kit.serve(hub)))
    exchange.start()
    for _ in range(3):
        before = receipted(plant)
        plant.create(5)
        until(lambda n=before: receipted(plant) > n)
        control(folder, "-m", "immediate", "stop")
        plant.create(3)  # production goes on
        until(lambda: line(plant) == AWAY)
        promised = receipted(plant)
        start(folder)
        assert hub.entries_of("ALD") >= promised
    until(lambda: receipted(plant) == 24)
    exchange.stop()
    hub.apply()
    assert hub.hash_of("ALD") == plant.hash_of("ALD")
    with read(hub.node.engine) as conn:
        assert verify(conn).findings == ()
    hub.node.engine.dispose()


def receipted(plant):
    with read(plant.node.engine) as conn:
        return sum(copy.seq for copy in list_holdings(conn, "HUB", ["ALD"]))


def line(plant):
    with read(plant.node.engine) as conn:
        return report_link(conn, "ALD", "HUB").state


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def identity(box):
    with read(box.node.engine) as conn:
        return get_identity(conn)


def mark(conn):
    return conn.execute(select(node_life.c.value).where(node_life.c.name == "database")).scalar_one()
