"""What programs see of a plant: figures behind a token of one role, health without one, and nothing more of either."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_mes.app import ROLES
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from local_mes.wsgi import start_plant
from shared.db.engine import write
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.keys import new_key
from shared.material.facts import Mass, MaterialCreated, NewMaterial
from shared.settings import PlantSettings, check
from shared.web import accounts
from shared.web.server import Served
from sync.peers import trust_peer

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import PASSWORD, sign_in

MODEL = Path(__file__).parents[3] / "demo" / "plants" / "cld" / "model.toml"
SECRETS = ("key", "token", "password", "/tmp", "/dev/shm", "sqlite", "127.0.0.1")


@pytest.fixture
def served(tmp_path: Path) -> Served:
    sync = {"watch_s": 0.1, "route_probe_s": 0.2, "retry_max_s": 0.5, "connect_timeout_s": 0.5}
    values = {"code": "CLD", "name": "CLD", "folder": tmp_path / "cld", "hub_url": "http://127.0.0.1:9"}
    settings = check(PlantSettings, {**values, "model": MODEL, "sync": sync}, "test")
    init_plant(settings)
    return start_plant(settings)


@pytest.fixture
def running(served: Served) -> Iterator[Served]:
    served.start()
    yield served
    served.stop()


def plant_of(served: Served) -> Plant:
    found: Plant = served.app.extensions["strandline.plant"]
    return found


def token_of(served: Served, *roles: str) -> dict[str, str]:
    node = plant_of(served).node
    with write(node.engine) as conn:
        accounts.add_person(conn, node.clock, "-".join(roles), "Watcher", roles, PASSWORD, ROLES)
        return {"Authorization": f"Bearer {accounts.issue_token(conn, node.clock, '-'.join(roles), 'test')}"}


def values(text: str) -> dict[str, float]:
    """Sample name with labels -> value."""
    return {m[1]: float(m[2]) for m in re.finditer(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)}


def test_figures_are_told_to_the_role_metrics_and_to_nobody_else(served: Served) -> None:
    client = served.app.test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer x.y"}).status_code == 401
    lead = token_of(served, "lead")
    assert client.get("/metrics", headers=lead).status_code == 403
    watcher = token_of(served, "metrics")
    assert client.get("/metrics", headers=watcher).status_code == 200
    for address in ("/api/v1/status", "/api/v1/materials"):
        assert client.get(address, headers=lead).status_code == 200
        assert client.get(address, headers=watcher).status_code == 403
    person = sign_in(served.app, plant_of(served).node, "watching", "metrics")
    assert "reads /metrics and nothing else" in person.page("/shift", 403)


def test_the_figures_are_those_of_the_node(running: Served) -> None:
    node = plant_of(running).node
    with write(node.engine) as conn:
        trust_peer(conn, "HUB", new_key().public, node.clock.now_ms())
    for _ in range(3):
        with node.journal.work() as tx:
            piece = new_id(node.clock)
            new = NewMaterial(material_id=piece, kind="coil", aliases=(), mass=Mass(1, "weighed"))
            at = Occurred(node.clock.now_ms(), "manual")
            tx.record(Draft(MaterialCreated(material=new, origin="made"), (piece,), "p1", at))
    client, watcher = running.app.test_client(), token_of(running, "metrics")
    assert client.get("/metrics", headers=watcher).status_code == 200
    found = values(client.get("/metrics", headers=watcher).text)
    assert found["strandline_facts_recorded_total"] == 3
    assert found['strandline_backlog_facts{peer="HUB"}'] == 3
    assert found['strandline_backlog_bytes{peer="HUB"}'] > 500
    assert 0 <= found['strandline_oldest_unsent_seconds{peer="HUB"}'] < 120
    assert found['strandline_link_up{peer="HUB"}'] == 0
    assert found['strandline_route_chosen{route="main",way="up"}'] == 1
    assert found["strandline_spool_open"] == 0
    assert found["strandline_disk_free_bytes"] > 0
    assert found['strandline_request_seconds_count{method="GET",room="metrics",status="2xx"}'] >= 1


def test_a_plant_without_its_hub_is_alive_and_ready(running: Served) -> None:
    client = running.app.test_client()
    assert client.get("/health/live").get_json() == {"status": "live"}
    assert client.get("/health/ready").get_json() == {"status": "ready"}


def test_a_plant_of_which_a_part_does_not_run_says_which(served: Served) -> None:
    client = served.app.test_client()
    before = client.get("/health/ready")
    assert (before.status_code, before.mimetype) == (503, "application/problem+json")
    assert "'interpreter' does not run" in before.get_json()["detail"]
    assert [word for word in SECRETS if word in before.text.lower()] == []


def test_a_plant_whose_database_is_gone_says_so_without_telling_where_it_was(served: Served) -> None:
    plant = plant_of(served)
    plant.node.engine.dispose()
    file = plant.settings.folder / "node.sqlite"
    file.unlink()
    file.mkdir()  # not to be opened by anyone
    client = served.app.test_client()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "The database does not answer." in answer.get_json()["detail"]
    assert [word for word in SECRETS if word in answer.text.lower()] == []
    assert client.get("/health/live").status_code == 200
