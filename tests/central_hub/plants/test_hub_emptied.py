"""The hub's machine burned, keys and all: installed anew it has the group's cases again, once two people know its key."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner
from flask import Flask

from central_hub.cli import hub as command
from central_hub.hub import downlink
from central_hub.plants import api, service
from central_hub.wiring import build_hub, build_station
from shared.clock import FixedClock
from shared.db.engine import read
from shared.journal.fact import Draft, Occurred
from shared.journal.highest import NOTHING
from shared.keys import fingerprint
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings, NodeSettings, load
from shared.subjects import REGISTERS
from shared.transfers.case_queries import find_cases
from shared.transfers.facts import CaseOpened, CaseResolved
from shared.web import problems
from sync.caller import Caller
from sync.endpoint import endpoint, install_desk
from sync.enrolment import enrol
from sync.peers import find_peer
from sync.recovering import Recovery
from sync.station import begin, make_ground
from sync.transport import MemoryTransport

START_MS = 1_773_205_200_000
PASSWORD = "a-long-password-1"


def run(*words):
    result = CliRunner().invoke(command, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "hub.toml"
    made.write_text(f'code = "HUB"\nname = "Group"\nfolder = "{tmp_path / "group"}"\n')
    return made


@pytest.fixture
def plant(tmp_path):
    settings = NodeSettings(code="ALD", name="Alder", folder=tmp_path / "ald")
    make_folder(settings)
    node = build_node(settings, REGISTERS, FixedClock(START_MS))
    create_tables(node.engine)
    begin(node)
    return node


def install(file):
    run("init", "--config", file)
    for login in ("anna", "berta"):
        run(
            "user-add",
            "--config",
            file,
            "--login",
            login,
            "--name",
            login,
            "--role",
            "engineer",
            "--password",
            PASSWORD,
        )
    return build_hub(load(HubSettings, file), FixedClock(START_MS))


def let_in(hub, plant):
    app = Flask("hub")
    problems.install(app)
    app.extensions["strandline.hub"], app.extensions["strandline.node"] = hub, hub.node
    app.register_blueprint(endpoint)
    app.register_blueprint(api.make_enrol_door(lambda _conn: ""))
    desk = build_station(hub).desk
    install_desk(app, desk)

    class Door:
        def send(self, _door, body):
            return app.test_client().post("/sync/v1/enrol", data=body).data

    enrol(plant, service.issue_token(hub, "ALD").token, Door())
    return desk


def meet(plant, desk):
    with read(plant.engine) as conn:
        peer = find_peer(conn, "HUB")
    ground = make_ground(plant, 500)
    caller = Caller(
        "ALD", peer, plant.engine, plant.clock, plant.key, MemoryTransport(desk), lambda: None, bytes_max=2 << 20
    )
    session = caller.hello()
    assert not Recovery(caller, plant.journal, NOTHING, ground.anchoring.write_now).settle(session)
    while caller.pull(session, 0):
        pass
    ground.applying.apply_all()


def cases(node):
    with read(node.engine) as conn:
        return sorted((row.case_id, row.kind, row.state) for row in find_cases(conn))


def open_and_end_a_case(hub):
    """A case that concerns ALD, and another one that is over."""
    for case_id in ("c" * 32, "d" * 32):
        opened = CaseOpened(case_id=case_id, kind="short", plants=("ALD", "BRK"), summary="one slab is missing")
        with hub.node.journal.work() as tx:
            (fact_id,) = tx.record(Draft(opened, (case_id,), "p", Occurred(START_MS, "manual")))
            tx.relay(fact_id, downlink("HUB", "ALD"))
    over = CaseResolved(case_id="d" * 32, resolution="found", note="it was under snow")
    with hub.node.journal.work() as tx:
        (fact_id,) = tx.record(Draft(over, ("d" * 32,), "p", Occurred(START_MS, "manual")))
        tx.relay(fact_id, downlink("HUB", "ALD"))


@pytest.mark.fault(47)
def test_a_hub_that_lost_everything_has_its_cases_again_when_two_people_know_its_old_key(file, plant, tmp_path):
    hub = install(file)
    desk = let_in(hub, plant)
    open_and_end_a_case(hub)
    meet(plant, desk)
    before, old = cases(hub.node), fingerprint(hub.node.key.public)
    assert [state for _, _, state in before] == ["open", "resolved"]
    hub.node.engine.dispose()
    shutil.rmtree(tmp_path / "group")

    hub = install(file)
    desk = let_in(hub, plant)
    meet(plant, desk)
    assert cases(hub.node) == []
    assert f"{old}: 3 entries, given back by ALD" in run("history", "waiting", "--config", file)
    accept = ("history", "accept", "--config", file, old, "--password", PASSWORD)
    assert "Proposed" in run(*accept, "--login", "anna")
    assert "proposed by" in run("history", "waiting", "--config", file)
    assert CliRunner().invoke(command, [str(word) for word in (*accept, "--login", "anna")]).exit_code != 0
    assert cases(hub.node) == []
    assert "3 facts of HUB came back" in run(*accept, "--login", "berta")
    assert cases(hub.node) == before
    assert "Nothing" in run("history", "waiting", "--config", file)
    assert "holds" in run("journal", "verify", "--config", file)
    meet(plant, desk)
    assert cases(plant) == before


@pytest.mark.fault(47)
def test_a_hub_that_kept_its_keys_has_its_cases_again_by_itself(file, plant, tmp_path):
    hub = install(file)
    desk = let_in(hub, plant)
    open_and_end_a_case(hub)
    meet(plant, desk)
    before = cases(hub.node)
    hub.node.engine.dispose()
    for left in (tmp_path / "group").glob("node.sqlite*"):
        left.unlink()

    run("upgrade", "--config", file)
    hub = build_hub(load(HubSettings, file), FixedClock(START_MS))
    desk = let_in(hub, plant)
    meet(plant, desk)
    assert cases(hub.node) == before == cases(plant)
    assert "holds" in run("journal", "verify", "--config", file)
