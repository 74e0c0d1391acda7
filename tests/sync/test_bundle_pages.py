"""Bundles through the pages of console and portal: written as a download, read as an upload, listed."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path

import pytest

from central_hub.app import create_portal
from central_hub.wiring import init_hub
from local_mes.app import create_console
from local_mes.wiring import init_plant
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal.fact import Draft, Occurred
from shared.material.facts import MaterialMoved
from shared.settings import HubSettings, PlantSettings, check
from sync.beginning import begin
from sync.figures import figures
from sync.peers import set_state, trust_peer

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from browse import sign_in

MODEL = Path(__file__).parents[2] / "demo" / "plants" / "ald" / "model.toml"


@pytest.fixture
def pair(tmp_path: Path, clock: FixedClock):
    """A plant and its hub that trust each other, with a signed-in person at each."""
    sync = {"bundle_bytes_max": 65_536, "batch_entries_max": 50}
    plant_values = {"code": "ALD", "name": "ALD", "folder": tmp_path / "ald", "model": MODEL}
    plant = init_plant(
        check(PlantSettings, plant_values | {"hub_url": "http://127.0.0.1:9", "sync": sync}, "test"), clock
    )
    hub = init_hub(check(HubSettings, {"code": "HUB", "name": "G", "folder": tmp_path / "hub"}, "test"), clock)
    for node, peer in ((plant.node, hub.node), (hub.node, plant.node)):
        begin(node)
        with write(node.engine) as conn:
            trust_peer(conn, peer.code, peer.key.public, 1)
    yield plant, hub
    plant.node.engine.dispose()
    plant.spool.dispose()
    hub.node.engine.dispose()


def record(plant, count: int, text: str = "YA") -> None:
    for number in range(count):
        with plant.journal.work() as tx:
            moved = MaterialMoved(material_id=f"m{number}", place=text)
            tx.record(Draft(moved, (f"m{number}",), "p", Occurred(1, "manual")))


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def write_one(browser, peer: str):
    page = browser.get("/bundles/").text
    return browser.post("/bundles/write", data={"csrf_token": token(page), "command_id": "w1", "peer": peer})


def read_in(browser, *files: tuple[str, bytes]):
    data = {"csrf_token": token(browser.get("/bundles/").text), "command_id": "r1"}
    sent = [(io.BytesIO(content), name) for name, content in files]
    return browser.post("/bundles/read", data={**data, "files": sent}, follow_redirects=True)


def test_up_by_download_and_upload_and_down_again(pair) -> None:
    plant, hub = pair
    record(plant, 5)
    console = sign_in(create_console(plant), plant.node, "engineer", "engineer").client
    portal = sign_in(create_portal(hub), hub.node, "owner", "owner").client
    got = write_one(console, "HUB")
    assert got.status_code == 200
    assert "attachment; filename=ALD-to-HUB-" in got.headers["Content-Disposition"]
    said = read_in(portal, ("up.bundle", got.data)).text
    assert "5 new facts of ALD were taken" in said
    assert "0 new facts of ALD were taken" in read_in(portal, ("up.bundle", got.data)).text
    down = write_one(portal, "ALD")
    read_in(console, ("down.bundle", down.data))
    with read(plant.node.engine) as conn:
        assert figures(conn, "ALD").backlog == 0
    listed = console.get("/bundles/").text
    assert "Written here" in listed
    assert "Read here" in listed
    assert "Written here" not in console.get("/bundles/?way=in").text.split("What was carried")[1].split("<tbody>")[1]


def test_many_files_go_as_one_archive_and_are_read_in_any_order_although_larger_than_a_form(pair) -> None:
    plant, hub = pair
    record(plant, 150)
    console = sign_in(create_console(plant), plant.node, "engineer", "engineer").client
    plant.settings.sync.__dict__["bundle_bytes_max"] = 4_000
    got = write_one(console, "HUB")
    assert got.headers["Content-Disposition"].endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(got.data)) as packed:
        files = [(name, packed.read(name)) for name in packed.namelist()]
    assert len(files) >= 2
    app = create_portal(hub)
    app.config["MAX_CONTENT_LENGTH"] = 2_000  # of any other form
    portal = sign_in(app, hub.node, "owner", "owner").client
    said = read_in(portal, *reversed(files)).text
    assert said.count("new facts of ALD were taken") == len(files)


def test_a_file_that_cannot_be_taken_says_why_and_the_good_ones_are_in(pair) -> None:
    plant, hub = pair
    record(plant, 2)
    console = sign_in(create_console(plant), plant.node, "engineer", "engineer").client
    portal = sign_in(create_portal(hub), hub.node, "owner", "owner").client
    good = write_one(console, "HUB").data
    answer = read_in(portal, ("holiday.jpg", b"\xff\xd8\xff"), ("up.bundle", good))
    assert answer.status_code >= 400
    assert "2 new facts of ALD were taken" in answer.text
    assert "holiday.jpg" in answer.text
    assert "Choose the bundles" in read_in(portal).text


def test_who_may_not_carry_sees_no_page_and_a_held_plant_gets_nothing(pair) -> None:
    _, hub = pair
    reader = sign_in(create_portal(hub), hub.node, "auditor", "auditor").client
    page = reader.get("/bundles/")
    assert "Bundles on a stick" not in reader.get("/").text
    assert reader.post("/bundles/write", data={"csrf_token": token(page.text), "peer": "ALD"}).status_code == 403
    owner = sign_in(create_portal(hub), hub.node, "owner", "owner").client
    with write(hub.node.engine) as conn:
        set_state(conn, "ALD", "held", 1)
    assert "Nobody is enrolled here" in owner.get("/bundles/").text
