"""A plant killed while it enters the group: it is in or it is not, and with a new token it is."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from werkzeug.serving import make_server

from central_hub.plants import api, service
from central_hub.wiring import build_station, init_hub
from shared.clock import SystemClock
from shared.db.engine import read
from shared.settings import HubSettings
from shared.web import problems
from sync.endpoint import endpoint, install_desk
from sync.enrolment import enrol
from sync.errors import PeerHeld
from sync.peers import list_peers
from sync.transport import HttpTransport

QUICK, LONG = 5, 200


@pytest.fixture
def hub(tmp_path):
    return init_hub(HubSettings(code="HUB", name="Group hub", folder=tmp_path / "group"), SystemClock())


@pytest.fixture
def port(hub, kit):
    app = Flask("hub")
    problems.install(app)
    app.extensions["strandline.hub"] = hub
    app.extensions["strandline.node"] = hub.node
    app.register_blueprint(endpoint)
    app.register_blueprint(api.make_enrol_door(lambda _conn: ""))
    install_desk(app, build_station(hub).desk)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    kit.closing.append(server.shutdown)
    return server.server_port


@pytest.mark.fault(20)
@pytest.mark.parametrize("cycles", [QUICK, pytest.param(LONG, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
@pytest.mark.parametrize(
    ("point", "when", "spent"),
    [
        ("sync.transport:HttpTransport.send", "before", False),
        ("sync.transport:HttpTransport.send", "after", True),
        ("sync.enrolment:trust_peer", "before", True),
        ("sync.enrolment:trust_peer", "after", True),
    ],
)
def test_plant_killed_while_it_enrols(kit, zygote, hub, port, point, when, spent, cycles):
    plant, way, token = kit.plant(), HttpTransport(f"http://127.0.0.1:{port}"), ""
    for _ in range(cycles):
        token = token or service.issue_token(hub, "ALD").token
        (kit.folder / "token").write_text(token)
        zygote.dies("enrol", port, point, when)
        with read(plant.node.engine) as conn:
            assert list_peers(conn) == [], "half enrolled"
        if spent:
            with pytest.raises(PeerHeld, match="used"):
                enrol(plant.node, token, way)
            token = ""
    token = token or service.issue_token(hub, "ALD").token
    assert enrol(plant.node, token, way).hub == "HUB"
    plant.create(3)
    kit.drain(kit.caller(plant, way))
    with read(hub.node.engine) as conn:
        assert [peer.code for peer in list_peers(conn)] == ["ALD"]
