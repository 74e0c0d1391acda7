"""A plant enters the group: by its one-time token, once, with fingerprints that two people can compare."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner
from flask import Flask

from central_hub.plants import api, service
from central_hub.plants.errors import BadPlantCode, TokenRefused
from central_hub.plants.queries import list_plants
from central_hub.wiring import build_hub, build_station, init_hub
from shared.clock import FixedClock
from shared.db.engine import read
from shared.errors import BadSetup, Denied
from shared.keys import fingerprint, new_key
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings, NodeSettings
from shared.web import problems
from sync.endpoint import endpoint, install_desk
from sync.enrolment import enrol
from sync.errors import BadSeal, PeerHeld, Unreachable
from sync.messages import ANY_HUB, ENROL, Enrol
from sync.peers import find_peer, find_standards_root
from sync.seal import sign
from sync.station import http_transport

START_MS = 1_773_205_200_000


class Door:
    """Hands an enrolment straight to the hub."""

    def __init__(self, hub, root="root document"):
        self.hub, self.root = hub, root

    def send(self, _door, body):
        return service.enrol_plant(self.hub, body, self.root)


@pytest.fixture
def clock():
    return FixedClock(START_MS)


@pytest.fixture
def hub(tmp_path, clock):
    return init_hub(HubSettings(code="HUB", name="Group hub", folder=tmp_path / "hub"), clock)


@pytest.fixture
def plant(tmp_path, clock):
    settings = NodeSettings(code="ALD", name="Alder", folder=tmp_path / "ald")
    make_folder(settings)
    node = build_node(settings, [], clock)
    create_tables(node.engine)
    return node


def peer_of(node, code):
    with read(node.engine) as conn:
        return find_peer(conn, code)


def test_both_ends_trust_each_other_and_show_the_same_fingerprints(hub, plant):
    issued = service.issue_token(hub, "ALD")
    done = enrol(plant, issued.token, Door(hub))
    assert (done.hub, done.standards_root) == ("HUB", "root document")
    assert done.hub_fingerprint == fingerprint(hub.node.key.public)
    assert done.own_fingerprint == fingerprint(plant.key.public)
    assert peer_of(plant, "HUB").public_key == hub.node.key.public
    assert peer_of(hub.node, "ALD").public_key == plant.key.public
    with read(plant.engine) as conn:
        assert find_standards_root(conn, "HUB") == "root document"
    with read(hub.node.engine) as conn:
        (line,) = list_plants(conn, "HUB", 60)
    assert (line.code, line.name, line.state, line.fingerprint) == ("ALD", "Alder", "never", done.own_fingerprint)


@pytest.mark.parametrize("fault", ["wrong", "used", "expired", "other plant", "replaced"])
def test_a_token_is_good_once_for_one_plant_for_a_while(hub, plant, clock, fault):
    issued = service.issue_token(hub, "BRK" if fault == "other plant" else "ALD")
    token = issued.token
    if fault == "wrong":
        token += "x"
    elif fault == "used":
        enrol(plant, token, Door(hub))
    elif fault == "expired":
        clock.set(issued.expires_at_ms)
    elif fault == "replaced":
        service.issue_token(hub, "ALD")
    known = peer_of(hub.node, "ALD")
    with pytest.raises(TokenRefused, match=r"wrong, used or expired.*enrol-token"):
        enrol(plant, token, Door(hub))
    assert peer_of(hub.node, "ALD") == known
    assert (peer_of(plant, "HUB") is None) == (fault != "used")


def test_the_hub_keeps_only_the_hash_of_a_token(hub, tmp_path):
    token = service.issue_token(hub, "ALD").token
    hub.node.engine.dispose()
    assert token.encode() not in (tmp_path / "hub" / "node.sqlite").read_bytes()


@pytest.mark.parametrize("code", ["", "ald", "A", "HUB", "ALD>BRK", "TOOLONGACODE1", "AL D"])
def test_codes_that_no_plant_can_have(hub, code):
    with pytest.raises(BadPlantCode):
        service.issue_token(hub, code)


def test_a_plant_enrolled_again_speaks_with_its_new_key(hub, plant):
    enrol(plant, service.issue_token(hub, "ALD").token, Door(hub))
    renewed = replace(plant, key=new_key())
    enrol(renewed, service.issue_token(hub, "ALD").token, Door(hub))
    assert peer_of(hub.node, "ALD").public_key == renewed.key.public
    with read(hub.node.engine) as conn:
        assert len(list_plants(conn, "HUB", 60)) == 1


def test_a_key_is_enrolled_only_by_who_holds_it(hub, plant):
    token = service.issue_token(hub, "ALD").token
    request = Enrol(
        proto=1,
        node="ALD",
        audience=ANY_HUB,
        sent_ms=1,
        token=token,
        name="x",
        nonce="0" * 32,
        public_key=plant.key.public.hex(),
    )
    with pytest.raises(BadSeal):
        service.enrol_plant(hub, sign(new_key(), ENROL, request), "")
    assert peer_of(hub.node, "ALD") is None


class Liar(Door):
    """A proxy that enrols its own key with our token."""

    def send(self, _door, _body):
        mine = new_key()
        request = Enrol(
            proto=1,
            node="ALD",
            audience=ANY_HUB,
            sent_ms=1,
            token=self.token,
            name="x",
            nonce="0" * 32,
            public_key=mine.public.hex(),
        )
        return service.enrol_plant(self.hub, sign(mine, ENROL, request), "")


def test_a_proxy_that_enrols_its_own_key_is_noticed(hub, plant):
    liar = Liar(hub)
    liar.token = service.issue_token(hub, "ALD").token
    with pytest.raises(Unreachable, match="another key"):
        enrol(plant, liar.token, liar)
    assert peer_of(plant, "HUB") is None


def test_a_plant_belongs_to_one_hub(hub, plant, tmp_path, clock):
    enrol(plant, service.issue_token(hub, "ALD").token, Door(hub))
    other = init_hub(HubSettings(code="HUB2", name="Other", folder=tmp_path / "hub2"), clock)
    with pytest.raises(Denied, match="HUB"):
        enrol(plant, service.issue_token(other, "ALD").token, Door(other))


@pytest.fixture
def served(hub):
    import threading

    from werkzeug.serving import make_server

    app = Flask("hub")
    problems.install(app)
    app.extensions["strandline.hub"] = hub
    app.extensions["strandline.node"] = hub.node
    app.register_blueprint(endpoint)
    app.register_blueprint(api.make_enrol_door(lambda _conn: "the root"))
    install_desk(app, build_station(hub).desk)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)


def test_over_http_a_plant_is_enrolled_and_a_refusal_arrives_in_words(hub, plant, served):
    way = http_transport(plant, served)
    with pytest.raises(PeerHeld, match=r"wrong, used or expired. Ask for a new one"):
        enrol(plant, "not a token", way)
    assert enrol(plant, service.issue_token(hub, "ALD").token, way).standards_root == "the root"


def test_nobody_at_the_address(plant):
    with pytest.raises(Unreachable, match="does not answer"):
        enrol(plant, "some token", http_transport(plant, "http://127.0.0.1:9"))
    with pytest.raises(BadSetup, match="no address of a hub"):
        http_transport(plant, "hub.example")


def test_the_command_makes_a_token_and_says_for_whom(hub, tmp_path):
    from central_hub.cli import hub as command

    file = tmp_path / "hub.toml"
    file.write_text(f'code = "HUB"\nname = "Group hub"\nfolder = "{tmp_path / "hub"}"\n')
    result = CliRunner().invoke(command, ["enrol-token", "--config", str(file), "ALD"])
    assert result.exit_code == 0, result.output
    token = result.stdout.strip()
    assert "Good once for ALD" in result.stderr
    assert fingerprint(hub.node.key.public) in result.stderr
    body = Enrol(
        proto=1,
        node="ALD",
        audience=ANY_HUB,
        sent_ms=1,
        token=token,
        name="x",
        nonce="0" * 32,
        public_key=(key := new_key()).public.hex(),
    )
    here = build_hub(HubSettings(code="HUB", name="Group hub", folder=tmp_path / "hub"))
    assert service.enrol_plant(here, sign(key, ENROL, body), "")
