"""Backups of a plant and of its hub, taken at different times, are restored beside each other and become the same."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from central_hub.hub import Hub
from central_hub.plants.service import issue_token
from central_hub.wiring import init_hub
from drill.cli import drill
from drill.nodes import MODEL
from drill.restored import EnrolDoor
from drill.work import PLANT, Work
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from shared.clock import FixedClock, SystemClock
from shared.db.engine import read
from shared.journal.bulk import record_many
from shared.journal.content_hash import content_hash
from shared.settings import HubSettings, PlantSettings
from sync.backups.taking import take
from sync.beginning import begin
from sync.caller import Caller
from sync.enrolment import enrol
from sync.peers import find_peer
from sync.station import build_called
from sync.transport import MemoryTransport


class Pair:
    """A plant and its hub that are about to be lost."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(SystemClock().now_ms() - 86_400_000)
        plant = PlantSettings(code=PLANT, name="Plant", folder=folder / "plant", model=MODEL)
        self.plant: Plant = init_plant(plant, self.clock)
        self.hub: Hub = init_hub(HubSettings(code="HUB", name="Hub", folder=folder / "hub"), self.clock)
        begin(self.plant.node)
        self.station = build_called(self.hub.node, 500)
        self.drafts = Work(1, self.clock).drafts()
        enrol(self.plant.node, issue_token(self.hub, PLANT).token, EnrolDoor(self.hub))

    def work(self, facts: int) -> None:
        with self.plant.journal.work() as tx:
            record_many(tx, list(islice(self.drafts, facts)))
        self.clock.advance(60_000)

    def send(self) -> None:
        with read(self.plant.node.engine) as conn:
            peer = find_peer(conn, "HUB")
        node, door = self.plant.node, MemoryTransport(self.station.desk)
        caller = Caller(PLANT, peer, node.engine, node.clock, node.key, door, lambda: None, bytes_max=2 << 20)
        session = caller.hello()
        while (run := caller.next_run(2_000)) is not None:
            caller.push(session, run)
        caller.push(session, None)
        self.station.ground.applying.apply_all()


@pytest.fixture
def lost(tmp_path: Path) -> tuple[Pair, Path, Path]:
    """The plant's backup lacks what came after it and is at the hub."""
    pair = Pair(tmp_path)
    pair.work(40)
    early, _ = take(pair.plant.node, tmp_path / "kept")
    pair.work(30)
    pair.send()
    at_hub, _ = take(pair.hub.node, tmp_path / "kept")
    return pair, early, at_hub


def drilled(*options: object) -> str:
    done = CliRunner().invoke(drill, ["restored", *map(str, options)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.timeout(300)
def test_what_one_backup_lacks_the_other_brings_and_nothing_stays(lost, tmp_path: Path) -> None:
    pair, early, at_hub = lost
    said = drilled("--plant", early, "--hub", at_hub)
    assert "70 facts of DRL" in said
    assert said.endswith("PASSED\n")
    pair.work(25)
    late, _ = take(pair.plant.node, tmp_path / "later")
    assert "95 facts of DRL" in drilled("--plant", late, "--hub", at_hub)
    assert {file.name for file in late.parent.iterdir()} == {late.name}
    with read(pair.plant.node.engine) as here, read(pair.hub.node.engine) as there:
        assert content_hash(here, PLANT) != content_hash(there, PLANT)  # the living were not touched


def test_a_backup_that_is_not_what_was_written_ends_it(lost) -> None:
    _, early, at_hub = lost
    with (at_hub / "node.sqlite").open("r+b") as file:
        file.seek(5_000)
        file.write(b"torn")
    done = CliRunner().invoke(drill, ["restored", "--plant", str(early), "--hub", str(at_hub)])
    assert done.exit_code != 0
    assert "SHA-256 differs" in str(done.exception)


def test_an_environment_that_names_another_node_is_refused(lost, monkeypatch: pytest.MonkeyPatch) -> None:
    pair, early, at_hub = lost
    monkeypatch.setenv("STRANDLINE_DATABASE_URL", pair.hub.settings.database)
    done = CliRunner().invoke(drill, ["restored", "--plant", str(early), "--hub", str(at_hub)])
    assert "Run it without STRANDLINE_" in str(done.exception) + str(vars(done.exception))
