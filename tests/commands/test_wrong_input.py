"""Wrong input at the command line: one paragraph that says what, where and what to do, exit code 2, nothing half done."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "demo" / "plants"
STRANDLINE = Path(sys.executable).with_name("strandline")


def strandline(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STRANDLINE_")}
    return subprocess.run(
        [str(STRANDLINE), *words], capture_output=True, text=True, timeout=60, check=False, env=environment
    )


def settings(folder: Path, **changes: object) -> Path:
    values: dict[str, object] = {
        "code": "CLD",
        "name": "Coldharbour",
        "folder": "node",
        "model": str(MODELS / "cld" / "model.toml"),
        "hub_url": "http://127.0.0.1:9",
    } | changes
    port = values.pop("port", None)
    lines = [f'{key} = "{value}"' for key, value in values.items()]
    if port is not None:
        lines += ["[web]", f"port = {port}"]
    file = folder / "cld.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    said = done.stderr.strip()
    assert said.startswith("strandline: ")
    assert "Traceback" not in said
    assert "\n\n" not in said
    for word in words:
        assert word in said


def test_a_settings_file_that_is_not_there(tmp_path: Path) -> None:
    refused(strandline("plant", "init", "--config", str(tmp_path / "none.toml")), "none.toml")


def test_a_settings_file_with_an_unknown_key(tmp_path: Path) -> None:
    refused(strandline("plant", "init", "--config", str(settings(tmp_path, colour="red"))), "colour")


def test_a_settings_file_that_is_not_toml(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("code = \n")
    refused(strandline("plant", "init", "--config", str(file)), "bad.toml", "TOML")


def test_a_bad_plant_model_leaves_nothing_behind(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "cld", tmp_path / "cld")
    model = tmp_path / "cld" / "model.toml"
    model.write_text(model.read_text().replace("zone = ", "zoone = ", 1))
    refused(strandline("plant", "init", "--config", str(settings(tmp_path, model=str(model)))), "zoone", "model.toml")
    assert not (tmp_path / "node").exists()


def test_the_model_of_another_plant(tmp_path: Path) -> None:
    refused(strandline("plant", "init", "--config", str(settings(tmp_path, code="BRK"))), "BRK", "CLD")
    assert not (tmp_path / "node" / "keys" / "node.pem").exists()


def test_a_hub_whose_database_is_away_can_be_made_once_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    lines = 'code = "HUB"\nname = "Group"\nfolder = "hub"\n'
    file.write_text(lines + 'database_url = "postgresql://hub:hush-hush@127.0.0.1:9/hub"\n')
    done = strandline("hub", "init", "--config", str(file))
    refused(done, "database", "reached")
    assert "hush-hush" not in done.stderr
    file.write_text(lines)
    assert strandline("hub", "init", "--config", str(file)).returncode == 0


def test_a_database_address_that_is_none_is_not_repeated_with_its_password(tmp_path: Path) -> None:
    done = strandline("plant", "init", "--config", str(settings(tmp_path, database_url="hush-hush")))
    refused(done, "database_url")
    assert "hush-hush" not in done.stderr


def test_other_users_of_the_machine_read_nothing_of_a_node(tmp_path: Path) -> None:
    assert strandline("plant", "init", "--config", str(settings(tmp_path))).returncode == 0
    made = [tmp_path / "node", *(tmp_path / "node").rglob("*")]
    assert any(path.name == "node.sqlite" for path in made)
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o500)
    refused(strandline("plant", "init", "--config", str(settings(tmp_path, folder=str(shut / "node")))), "shut")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("in the way")
    refused(strandline("plant", "init", "--config", str(settings(tmp_path))), "node")


def test_a_second_init_refuses_and_keeps_the_first_key(tmp_path: Path) -> None:
    file = settings(tmp_path)
    assert strandline("plant", "init", "--config", str(file)).returncode == 0
    key = (tmp_path / "node" / "keys" / "node.pem").read_bytes()
    refused(strandline("plant", "init", "--config", str(file)), "already")
    assert (tmp_path / "node" / "keys" / "node.pem").read_bytes() == key


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        file = settings(tmp_path, port=taken.getsockname()[1])
        assert strandline("plant", "init", "--config", str(file)).returncode == 0
        refused(strandline("plant", "run", "--config", str(file)), "Port", "taken")


def test_running_before_init(tmp_path: Path) -> None:
    refused(strandline("plant", "run", "--config", str(settings(tmp_path))), "init")


def test_enrolling_with_a_hub_that_does_not_answer(tmp_path: Path) -> None:
    file = settings(tmp_path)
    assert strandline("plant", "init", "--config", str(file)).returncode == 0
    refused(strandline("plant", "enrol", "--config", str(file), "--token", "wrong"), "127.0.0.1:9")


def test_an_unknown_role(tmp_path: Path) -> None:
    file = settings(tmp_path)
    assert strandline("plant", "init", "--config", str(file)).returncode == 0
    done = strandline(
        "plant",
        "user-add",
        "--config",
        str(file),
        "--login",
        "x",
        "--name",
        "X",
        "--role",
        "king",
        "--password",
        "long enough for us",
    )
    refused(done, "king")
