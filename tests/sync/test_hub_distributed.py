"""A hub's journal spread over two servers by Citus: the same doors, the same rows, the same refusals.

Where Citus is not built for this machine's PostgreSQL only the refusal is asked for; the rest is skipped and says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.exc import DBAPIError

from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import BadSetup
from shared.journal.distributing import distribute
from shared.journal.rebuild import rebuild
from shared.journal.verify import verify
from shared.ports import free_port
from shared.transfers.tables import transfer_case
from tools.postgres import find_programs, temporary_cluster

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from steel_group import HOUR, SteelGroup

SERVERS = 2


@pytest.mark.postgres
def test_without_the_extension_it_says_what_is_missing_and_changes_nothing(kit, postgres_url):
    hub, plant = kit.hub(postgres_url), kit.plant()
    with pytest.raises(BadSetup, match="one file"):
        distribute(plant.node.engine, 4)
    with pytest.raises(BadSetup, match="has no Citus"):
        distribute(hub.node.engine, 4)
    with read(hub.node.engine) as conn:
        guards = conn.execute(text("SELECT count(*) FROM pg_trigger WHERE tgname IN ('entry_refers', 'fact_referred')"))
        assert guards.scalar() == 2


@pytest.fixture
def servers() -> Iterator[list[str]]:
    programs = find_programs()
    if programs is None or not list((programs.parent / "lib").glob("citus.so")):
        pytest.skip("Citus is not built for the PostgreSQL of this machine")
    with ExitStack() as stack:
        urls, ports = zip(*(start_one(stack, programs) for _ in range(SERVERS)), strict=True)
        for url in urls:
            run(url, "CREATE EXTENSION citus")
        first, *others = ports
        run(urls[0], f"SELECT citus_set_coordinator_host('127.0.0.1', {first})")
        for port in others:
            run(urls[0], f"SELECT citus_add_node('127.0.0.1', {port})")
        run(urls[0], f"SELECT citus_set_node_property('127.0.0.1', {first}, 'shouldhaveshards', true)")
        yield list(urls)


def start_one(stack: ExitStack, programs: Path, preload: str = "citus", tries: int = 3) -> tuple[str, int]:
    """URL and port. The port is not held while the cluster is made: one that another took meanwhile is drawn anew."""
    port = free_port()
    try:
        return stack.enter_context(temporary_cluster(programs, fsync=False, port=port, preload=preload)), port
    except CalledProcessError:
        if tries == 1:
            raise
        return start_one(stack, programs, preload, tries - 1)


def run(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(text(statement))
    engine.dispose()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_hub_goes_on_when_its_journal_is_spread(kit, servers, tmp_path: Path):
    hub, plants = kit.hub(servers[0]), [kit.plant("ALD"), kit.plant("BRK")]
    door = kit.http(kit.serve(hub))
    for plant in plants:
        kit.enrol(plant, hub)
        plant.create(20)
        kit.drain(kit.caller(plant, door))
    hub.apply()
    before = [hub.hash_of(plant.code) for plant in plants]

    lines = distribute(hub.node.engine, 4)
    assert lines[0] == "fact lies by its id in 4 parts."
    assert distribute(hub.node.engine, 4) == ()
    with read(hub.node.engine) as conn:
        assert servers_with_shards(conn) == SERVERS

    for plant in plants:
        piece = plant.create(30)[0]
        plant.move(piece, "bay 7")
        kit.drain(kit.caller(plant, door), entries_max=10)
    hub.apply()
    assert [hub.hash_of(plant.code) for plant in plants] == [plant.hash_of(plant.code) for plant in plants] != before
    assert [hub.entries_of(plant.code) for plant in plants] == [51, 51]
    with write(hub.node.engine) as conn:
        assert verify(conn).findings == ()
        rebuild(conn, hub.node.journal.appliers, 1)
    assert hub.hash_of("ALD") == plants[0].hash_of("ALD")
    for change in ("UPDATE fact SET type = 'x'", "DELETE FROM entry WHERE stream = 'ALD'", "DELETE FROM fact"):
        with pytest.raises(DBAPIError, match="append-only"), write(hub.node.engine) as conn:
            conn.execute(text(change))
    hub.node.engine.dispose()


def servers_with_shards(conn: Connection) -> int:
    found = conn.execute(
        text("SELECT count(DISTINCT nodeport) FROM citus_shards WHERE citus_table_type = 'distributed'")
    )
    return int(found.scalar_one())


@pytest.mark.slow
@pytest.mark.postgres
def test_transfers_are_judged_on_a_journal_that_is_spread(servers, tmp_path: Path, clock: FixedClock):
    group = SteelGroup(tmp_path, clock, hub_database=servers[0])
    try:
        distribute(group.hub.node.engine, 4)
        pieces = [group.stock("ALD", f"161738-1-{n}", 20_000) for n in (1, 2)]
        group.ship("ALD", "BRK", "L-1", pieces)
        group.sync()
        group.receive("BRK", "161738-1-1", 19_990, "L-1")
        group.receive("BRK", "261838-9-9", 20_000)  # nobody sent it
        group.pass_time(60 * HOUR)
        group.sync()
        with read(group.hub.node.engine) as conn:
            kinds = set(conn.execute(select(transfer_case.c.kind)).scalars())
            assert verify(conn).findings == ()
        assert kinds != set()
    finally:
        group.close()
