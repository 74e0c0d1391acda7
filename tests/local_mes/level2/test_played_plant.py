"""A plant that is played calls nobody's Level 2: what its model names stays untouched unless its settings name it too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from level2_peers import PLANTS

from local_mes.cli import plant as plant_command
from local_mes.level2.collector import run_level2
from local_mes.level2.drivers.registry import find_driver, installed
from local_mes.level2.edge.site import run_edge
from local_mes.level2.links import Link, load_links
from local_mes.level2.played_plant import is_own_loopback, refuse_real_peers
from local_mes.wiring import init_plant
from shared.errors import BadSetup, Refused
from shared.settings import PlantSettings, check

RING, REAL = "opc.tcp://127.0.0.1:4841", "opc.tcp://l2-melt.mill.example:4840"


def made(folder: Path, **more: Any) -> PlantSettings:
    """A plant with the real plant's model: its melt shop's server is where the steel is."""
    shutil.copytree(PLANTS / "ald", folder / "model", dirs_exist_ok=True)
    model = folder / "model" / "model.toml"
    model.write_text(model.read_text().replace(RING, REAL))
    values = {"code": "ALD", "name": "ALD", "folder": folder / "ald", "model": model}
    return check(PlantSettings, values | {"clock_file": folder / "clock.json"} | more, "test")


def test_a_played_plant_does_not_call_the_addresses_of_its_model(tmp_path: Path) -> None:
    settings = made(tmp_path)
    for run in (run_level2, run_edge):
        with pytest.raises(Refused) as refused:
            run(settings)
        assert f"would call what its plant model names: ALD-MELT ({REAL})" in refused.value.what
        assert "Nothing was called" in refused.value.kept
        assert "`link_addresses`" in refused.value.todo
    refuse_real_peers(made(tmp_path, link_addresses={"ALD-MELT": "opc.tcp://replay.example:1"}), load_links(settings))
    refuse_real_peers(made(tmp_path, clock_file=None), load_links(settings))


def test_a_replay_into_such_a_plant_is_refused_by_command(tmp_path: Path) -> None:
    settings = made(tmp_path)
    day, file = tmp_path / "day.jsonl", tmp_path / "plant.toml"
    day.write_text('{"strandline_capture":1,"plant":"ALD","from_ms":0,"to_ms":1}\n')
    (tmp_path / "clock.json").write_text('{"real_ms":0,"virtual_ms":0,"speed":1,"not_after_ms":1}')
    file.write_text(
        f'code = "ALD"\nname = "ALD"\nfolder = "{settings.folder}"\nmodel = "{settings.model}"\nclock_file = "clock.json"\n'
    )
    plant = init_plant(settings)
    plant.node.engine.dispose()
    plant.spool.dispose()
    done = CliRunner().invoke(plant_command, ["replay", "--config", str(file), str(day)])
    assert isinstance(done.exception, Refused | BadSetup), done.output
    assert "ALD-MELT" in str(done.exception)


def link(kind: str, address: str = "10.0.0.1:1", **settings: str) -> Link:
    return Link(code="A", kind=kind, address=address, settings=settings)


def test_every_kind_of_link_on_which_the_plant_calls_is_held_to_it() -> None:
    peers_call = [
        link("telegram"),
        link("rest"),
        link("scanner", "", by="keyboard"),
        link("scale", side="server"),
    ]
    plant_calls = [link(kind) for kind in installed() if kind not in ("telegram", "rest")]
    assert [one.kind for one in peers_call if find_driver(one).calls(one)] == []
    assert [one.kind for one in plant_calls if not find_driver(one).calls(one)] == []
    assert len(plant_calls) > 10
    assert find_driver(link("telegram")).calls(link("telegram", side="client"))


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1:7111", True),
        ("opc.tcp://localhost:4840/path", True),
        ("[::1]:502", True),
        ("[::ffff:127.0.0.1]:502", True),
        ("10.0.0.5:502", False),
        ("0.0.0.0:502", False),
        ("opc.tcp://l2.example:4840", False),
        ("localhost.example:1", False),
        ("drop", False),
        ("", False),
    ],
)
def test_this_machine_alone_is_known_by_its_address(address: str, own: bool) -> None:
    assert is_own_loopback(address) is own
