"""Bundles by the commands that operators type: plant to hub and back, with real settings and models."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from central_hub.cli import hub
from central_hub.plants.errors import TokenRefused
from central_hub.wiring import build_hub, init_hub
from local_mes.cli import plant
from local_mes.wiring import build_plant, build_station, init_plant
from shared.db.engine import read, write
from shared.errors import BadInput, BadSetup, Denied, Refused
from shared.journal.fact import Draft, Occurred
from shared.keys import fingerprint
from shared.material.facts import MaterialMoved
from shared.settings import HubSettings, PlantSettings, load
from sync.beginning import begin
from sync.errors import Malformed, Unreachable
from sync.figures import figures
from sync.peers import list_peers, trust_peer

MODEL = Path(__file__).parents[2] / "demo" / "plants" / "ald" / "model.toml"


@pytest.fixture
def files(tmp_path):
    """Settings files of a hub and a plant that trust each other; neither was started yet."""
    for name, more in (("HUB", ""), ("ALD", f'model = "{MODEL}"\nhub_url = "http://127.0.0.1:9"\n')):
        (tmp_path / f"{name}.toml").write_text(f'code = "{name}"\nname = "{name}"\nfolder = "{name}"\n{more}')
    here = init_plant(load(PlantSettings, tmp_path / "ALD.toml"))
    there = init_hub(load(HubSettings, tmp_path / "HUB.toml"))
    for node, peer in ((here.node, there.node), (there.node, here.node)):
        with write(node.engine) as conn:
            trust_peer(conn, peer.code, peer.key.public, 1)
    return tmp_path


def run(group, *arguments):
    done = CliRunner().invoke(group, [str(part) for part in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_up_and_down_by_command(files):
    with pytest.raises(Refused, match="never started"):
        run(plant, "sync", "export", "--config", files / "ALD.toml", files / "up.bundle")
    here = build_plant(load(PlantSettings, files / "ALD.toml"))
    build_station(here)
    begin(build_hub(load(HubSettings, files / "HUB.toml")).node)
    with here.journal.work() as tx:
        moved = MaterialMoved(material_id="m", place="YA")
        tx.record(Draft(payload=moved, subjects=("m",), actor="p", occurred=Occurred(1, "manual")))
    said = run(plant, "sync", "export", "--config", files / "ALD.toml", files / "up.bundle")
    assert "1 facts of ALD for HUB" in said
    assert "starts at the same place" in said
    said = run(hub, "sync", "import", "--config", files / "HUB.toml", files / "up.bundle")
    assert "1 new facts of ALD were taken" in said
    run(hub, "sync", "export", "--config", files / "HUB.toml", "ALD", files / "down.bundle")
    run(plant, "sync", "import", "--config", files / "ALD.toml", files / "down.bundle")
    with read(here.node.engine) as conn:
        assert figures(conn, "ALD").backlog == 0
    with pytest.raises(BadSetup, match="exists already"):
        run(plant, "sync", "export", "--config", files / "ALD.toml", files / "up.bundle")


def test_a_plant_without_any_line_enters_the_group_by_two_files(tmp_path):
    for name, more in (("HUB", ""), ("ALD", f'model = "{MODEL}"\nhub_url = "http://127.0.0.1:9"\n')):
        (tmp_path / f"{name}.toml").write_text(f'code = "{name}"\nname = "{name}"\nfolder = "{name}"\n{more}')
    ald, centre = ("--config", tmp_path / "ALD.toml"), ("--config", tmp_path / "HUB.toml")
    here = init_plant(load(PlantSettings, tmp_path / "ALD.toml"))
    there = init_hub(load(HubSettings, tmp_path / "HUB.toml"))
    token = run(hub, "enrol-token", *centre, "ALD").splitlines()[0]
    with pytest.raises(BadInput, match="waits for no answer"):
        run(plant, "enrol", *ald, "--read", tmp_path / "answer", "--fingerprint", "x")
    run(plant, "enrol", *ald, "--token", token, "--write", tmp_path / "other")
    with pytest.raises(BadSetup, match="cannot be written"):  # the token is not used by an answer that is not written
        run(hub, "enrol", *centre, tmp_path / "other", tmp_path / "no folder" / "answer")
    with pytest.raises(BadSetup, match="cannot be written"):
        run(plant, "enrol", *ald, "--token", token, "--write", tmp_path / "no folder" / "request")
    run(plant, "enrol", *ald, "--token", token, "--write", tmp_path / "request")
    said = run(hub, "enrol", *centre, tmp_path / "request", tmp_path / "answer")
    assert fingerprint(there.node.key.public) in said
    assert fingerprint(here.node.key.public) in said
    with pytest.raises(BadSetup, match="exists already"):
        run(hub, "enrol", *centre, tmp_path / "request", tmp_path / "answer")
    with pytest.raises(TokenRefused):
        run(hub, "enrol", *centre, tmp_path / "request", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    with pytest.raises(Denied, match="not the one that was said"):
        run(plant, "enrol", *ald, "--read", tmp_path / "answer", "--fingerprint", fingerprint(here.node.key.public))
    with read(here.node.engine) as conn:
        assert list_peers(conn) == []
    voice = fingerprint(there.node.key.public).upper()
    assert "ALD is enrolled at HUB" in run(plant, "enrol", *ald, "--read", tmp_path / "answer", "--fingerprint", voice)
    begin(here.node)
    begin(there.node)
    run(plant, "sync", "export", *ald, tmp_path / "up.bundle")
    assert "new facts of ALD" in run(hub, "sync", "import", *centre, tmp_path / "up.bundle")
    said = run(hub, "sync", "history", *centre, tmp_path / "up.bundle", tmp_path / "own")
    assert "0 entries of ALD" in said
    assert "Nothing that HUB held of ALD is missing" in run(plant, "sync", "recover", *ald, tmp_path / "own")


def test_an_answer_to_another_request_is_not_taken(tmp_path):
    (tmp_path / "ALD.toml").write_text(
        f'code = "ALD"\nname = "ALD"\nfolder = "ALD"\nmodel = "{MODEL}"\nhub_url = "http://127.0.0.1:9"\n'
    )
    (tmp_path / "HUB.toml").write_text('code = "HUB"\nname = "HUB"\nfolder = "HUB"\n')
    here = init_plant(load(PlantSettings, tmp_path / "ALD.toml"))
    there = init_hub(load(HubSettings, tmp_path / "HUB.toml"))
    ald, centre = ("--config", tmp_path / "ALD.toml"), ("--config", tmp_path / "HUB.toml")
    token = run(hub, "enrol-token", *centre, "ALD").splitlines()[0]
    run(plant, "enrol", *ald, "--token", token, "--write", tmp_path / "request")
    run(hub, "enrol", *centre, tmp_path / "request", tmp_path / "answer")
    run(plant, "enrol", *ald, "--token", token, "--write", tmp_path / "later")
    voice = fingerprint(there.node.key.public)
    with pytest.raises(Unreachable, match="another key"):
        run(plant, "enrol", *ald, "--read", tmp_path / "answer", "--fingerprint", voice)
    (tmp_path / "answer").write_bytes(b"garbage")
    with pytest.raises(Malformed):
        run(plant, "enrol", *ald, "--read", tmp_path / "answer", "--fingerprint", voice)
    with read(here.node.engine) as conn:
        assert list_peers(conn) == []
