"""A plant that starts alone, with no hub in its settings, and joins one later with its history."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select
from werkzeug.serving import make_server

from central_hub.plants.service import issue_token
from central_hub.wiring import init_hub
from central_hub.wsgi import start_hub
from local_mes.wiring import build_plant, init_plant
from local_mes.wsgi import start_plant
from shared.db.engine import read
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.material.tables import material
from shared.settings import HubSettings, PlantSettings
from sync.enrolment import enrol
from sync.errors import Unreachable
from sync.lines import routed_transport

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60
QUICK = {"retry_first_s": 0.1, "retry_max_s": 0.5, "heartbeat_s": 0.5, "poll_s": 1}


def test_a_plant_that_was_alone_joins_with_all_that_it_recorded(tmp_path):
    given = {"code": "CLD", "name": "Coldwater", "folder": tmp_path / "cld", "sync": QUICK}
    alone = PlantSettings(model=ROOT / "demo/plants/cld/model.toml", **given)
    plant = init_plant(alone)
    with pytest.raises(Unreachable, match="name no hub"):
        enrol(plant.node, "token", routed_transport(plant.node, alone))
    produce(plant, 0, 30)
    with running(start_plant(alone)) as (app, _):
        person = sign_in(app, plant.node, "planner", "planner")
        assert "The settings name no hub" in person.page("/connection/")
        assert person.client.get("/health/ready").status_code == 200
        produce(plant, 30, 35)
    hub_settings = HubSettings(code="HUB", name="Group", folder=tmp_path / "hub", sync=QUICK)
    hub = init_hub(hub_settings)
    with running(start_hub(hub_settings)) as (_, url):
        joined = PlantSettings(model=alone.model, hub_url=url, **given)
        plant = build_plant(joined)
        enrol(plant.node, issue_token(hub, "CLD").token, routed_transport(plant.node, joined))
        with running(start_plant(joined)):
            produce(plant, 35, 40)
            until(lambda: rows(hub) == rows(plant) != "")
            with read(hub.node.engine) as conn:
                assert conn.execute(select(func.count()).where(material.c.author == "CLD")).scalar_one() == 40


def rows(node_of):
    with read(node_of.node.engine) as conn:
        return content_hash(conn, "CLD")


def produce(plant, first, last):
    """Slabs with their places, each a business transaction of its own."""
    for number in range(first, last):
        with plant.journal.work() as tx:
            new = NewMaterial(
                material_id=f"{number:032x}",
                kind="slab",
                aliases=(NewAlias("CLD.slab", f"C6-{number}"),),
                mass=Mass(20_000_000, "theoretical"),
                size=Size(250_000, 1_500_000, 9_000_000),
                place="yard",
            )
            made = MaterialCreated(material=new, origin="made")
            tx.record(Draft(made, (new.material_id,), "p1", Occurred(tx.now_ms(), "manual")))


@contextmanager
def running(served):
    """A node's process as it is, without its fork: the app and its address."""
    server = make_server("127.0.0.1", 0, served.app, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    served.start()
    try:
        yield served.app, f"http://127.0.0.1:{server.server_port}"
    finally:
        served.stop()
        server.shutdown()
        thread.join(10)
        server.server_close()


def until(holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
