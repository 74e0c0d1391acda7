"""What of the rollout can be tried without hosts: settings that the node takes, alarms that have figures and words, syntax."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.settings import HubSettings, PlantSettings, load

ROOT = Path(__file__).parents[2]
ANSIBLE = ROOT / "ansible"
ROLES = ANSIBLE / "roles"
PLAYBOOKS = sorted(file.name for file in ANSIBLE.glob("*.yml"))
ADDED_BY_PROMETHEUS = {"strandline_request_seconds_bucket"}


def environment(folder: Path) -> Environment:
    made = Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, trim_blocks=True, autoescape=False)
    made.filters |= {"to_json": json.dumps, "bool": bool, "basename": lambda path: Path(path).name}
    made.filters["regex_replace"] = lambda text, pattern, by: re.sub(pattern, by, text)
    return made


def settings_of(host: dict[str, Any]) -> dict[str, Any]:
    """The role's defaults under a host's own values, each resolved, as Ansible does when it is used."""
    given = {"groups": {}} | yaml.safe_load((ROLES / "settings/defaults/main.yml").read_text()) | host
    resolve = environment(ANSIBLE)
    for _ in range(3):
        for name, value in given.items():
            if isinstance(value, str) and "{{" in value:
                given[name] = resolve.from_string(value).render(given)
    return given | {"ansible_managed": "by a test"}


def render(role: str, template: str, host: dict[str, Any], **more: Any) -> str:
    values = settings_of({"group_names": ["plants"], "inventory_hostname": "host", **host}) | more
    return environment(ROLES / role / "templates").get_template(template).render(values)


def test_a_node_takes_the_settings_that_are_written_for_it(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_text("x")
    file = tmp_path / "node.toml"
    host = {
        "strandline_code": "ALD",
        "strandline_name": "Aldermoor",
        "strandline_environment": "test",
        "strandline_hub_url": "https://hub.example",
        "strandline_hub_routes": [{"name": "lte", "url": "https://lte.example", "priority": 2}],
        "strandline_hub_authority": "/here/ca.pem",
        "strandline_config": str(tmp_path),
        "strandline_settings": {"": {"archive_days": 30}, "sync": {"poll_s": 20}, "link_addresses": {"A": "0.0.0.0:1"}},
    }
    file.write_text(render("node", "node.toml.j2", host))
    plant = load(PlantSettings, file)
    assert (plant.name, plant.archive_days, plant.web.host) == ("Aldermoor (test)", 30, "127.0.0.1")
    assert (plant.web.secure_cookies, plant.sync.authority, plant.sync.poll_s) == (True, authority, 20)
    assert [route.name for route in plant.routes] == ["main", "lte"]
    assert plant.link_addresses == {"A": "0.0.0.0:1"}
    hub = {"group_names": ["hub"], "strandline_code": "HUB", "strandline_database": "postgresql"}
    file.write_text(render("node", "node.toml.j2", hub))
    assert load(HubSettings, file).database == "postgresql://strandline@/strandline?host=/var/run/postgresql"


def test_a_plant_may_write_the_folder_of_its_model() -> None:
    """Its pages change the model and the mapping files; the unit lets it write one folder."""
    host = {"strandline_code": "ALD", "strandline_hub_url": "https://hub.example"}
    settings = tomllib.loads(render("node", "node.toml.j2", host))
    unit = render("node", "unit.service.j2", host, unit_words="", unit_command="", unit_memory_max="1G")
    (writable,) = re.findall("^ReadWritePaths=(.+)$", unit, re.MULTILINE)
    assert Path(settings["model"]).is_relative_to(writable)
    tasks = yaml.safe_load((ROLES / "plant/tasks/model.yml").read_text())
    (put,) = [task["ansible.builtin.copy"] for task in tasks if task["name"] == "Files of the model"]
    assert (put["owner"], put["dest"]) == ("{{ strandline_user }}", "{{ strandline_state }}/model/{{ item }}")


def write_files(folder: Path, model: str, mapping: str) -> None:
    (folder / "mapping").mkdir(parents=True)
    (folder / "model.toml").write_text(model)
    (folder / "mapping" / "melt.toml").write_text(mapping)


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".venv-rollout/.ready").exists(), reason="no Ansible here (make .venv-rollout/.ready)")
@pytest.mark.skipif(os.geteuid() != 0, reason="what was rolled out last belongs to root")
def test_what_was_changed_on_a_host_is_not_overwritten_by_the_rollout(tmp_path: Path) -> None:
    """Hosts: a bare one; one whose model was changed by its engineer; two where the inventory's was changed too."""
    for name in ("bare", "own", "both", "told"):
        wanted = "another" if name in ("both", "told") else "first"
        write_files(tmp_path / name / "inventory", model=wanted, mapping="second")
        if name != "bare":
            write_files(tmp_path / name / "etc/model", model="first", mapping="first")
            write_files(tmp_path / name / "state/model", model="mine", mapping="first")
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars": {
            "strandline_user": "root",
            "strandline_code": "ALD",
            "strandline_state": f"{tmp_path}/{{{{ inventory_hostname }}}}/state",
            "strandline_config": f"{tmp_path}/{{{{ inventory_hostname }}}}/etc",
            "strandline_model": f"{tmp_path}/{{{{ inventory_hostname }}}}/inventory",
            "strandline_model_replace": "{{ inventory_hostname == 'told' }}",
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        },
        "tasks": [{"ansible.builtin.include_tasks": str(ROLES / "plant/tasks/model.yml")}],
        "handlers": [{"name": "Restart strandline-plant", "ansible.builtin.debug": {"msg": "restarted"}}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    program = ROOT / ".venv-rollout" / "bin" / "ansible-playbook"
    command = [str(program), "-i", "bare,own,both,told", "play.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=400)

    def read(folder: str, file: str) -> list[str]:
        return [(tmp_path / name / folder / file).read_text() for name in ("bare", "own", "both", "told")]

    assert read("state/model", "model.toml") == ["first", "mine", "mine", "another"], done.stdout + done.stderr
    assert read("state/model", "mapping/melt.toml") == ["second", "second", "first", "second"]
    assert read("etc/model", "model.toml") == ["first", "first", "first", "another"]
    assert "and kept: model.toml" in done.stdout
    assert "model.toml of the model of ALD was changed on the host and in the inventory" in done.stdout
    (beside,) = (tmp_path / "told/state/model").glob("model.toml.*")
    assert beside.read_text() == "mine"


def test_every_alarm_says_what_to_do_and_every_figure_exists() -> None:
    rules = (ROLES / "monitoring/files/alarms.yml").read_text()
    words = (ROOT / "docs" / "on-call.md").read_text()
    alarms = [rule["alert"] for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]]
    assert len(alarms) > 10
    assert [alarm for alarm in alarms if f"`{alarm}`" not in words] == []
    shown = rules + (ROLES / "monitoring/files/dashboard.json").read_text()
    code = "".join(file.read_text() for room in ("shared", "sync", "local_mes") for file in (ROOT / room).rglob("*.py"))
    asked = set(re.findall(r"\bstrandline_[a-z_]+", shown)) - ADDED_BY_PROMETHEUS
    # a node's own figures beside the common ones get their names from its status
    assert [name for name in sorted(asked) if f'"{name}"' not in code and f'"{name[11:]}"' not in code] == []


def test_every_playbook_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "rollout.md").read_text()
    assert [name for name in PLAYBOOKS if f"`{name.removesuffix('.yml')}`" not in guide] == []


def test_every_setting_of_the_rollout_that_is_used_has_a_default() -> None:
    given = set(yaml.safe_load((ROLES / "settings/defaults/main.yml").read_text()))
    used = {
        name
        for file in ANSIBLE.rglob("*")
        if file.suffix in (".yml", ".j2")
        and "inventory.example" not in file.parts
        and "monitoring/files" not in str(file)
        for name in re.findall(r"(?<![\w./-])strandline_[a-z0-9_]+", file.read_text())
    }
    optional = {"strandline_rollback_to", "strandline_check", "strandline_drill_"}  # the latter two name databases
    assert sorted(used - given - optional) == []


@pytest.mark.skipif(shutil.which("nft") is None, reason="no nftables here")
def test_the_firewall_reads_its_rules(tmp_path: Path) -> None:
    host = {"strandline_code": "ALD", "strandline_open_ports": [{"port": 7110, "from": "10.0.0.0/8"}]}
    file = tmp_path / "nftables.conf"
    file.write_text(render("base", "nftables.conf.j2", host))
    subprocess.run(["nft", "--check", "--file", str(file)], check=True)


@pytest.mark.skipif(not (ROOT / ".venv-rollout/.ready").exists(), reason="no Ansible here (make .venv-rollout/.ready)")
def test_the_playbooks_can_be_read() -> None:
    program = ROOT / ".venv-rollout" / "bin" / "ansible-playbook"
    checked = [str(program), "--syntax-check", "-i", "inventory.example/hosts.yml", *PLAYBOOKS]
    done = subprocess.run(checked, cwd=ANSIBLE, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
