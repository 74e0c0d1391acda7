"""What a group would keep on the machine that runs Ansible: inventory, models, certificates of its own authority, bundles."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.rollout.machines import SSH_OPTIONS, Failed, Machine, run

ROOT = Path(__file__).resolve().parents[2]
LINES = {"ALD": "ALD-LAB", "CLD": "CLD-PL"}
"""The link to Level 2 that the test's peer calls, by plant."""
LINK_PORT = 7110


@dataclass(frozen=True)
class Played:
    """What a playbook did: changes by host, and seconds."""

    changed: dict[str, int]
    seconds: float
    said: str


@dataclass(frozen=True)
class Site:
    """The folder of a group, and the Ansible that plays on its hosts."""

    folder: Path
    ansible: Path
    hub: Machine
    plants: Mapping[str, Machine]
    key: Path
    more: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Further settings by code, for the next writing of the inventory."""

    def prepare(self) -> None:
        """Certificates, models and inventory."""
        self._authority()
        for machine in (self.hub, *self.plants.values()):
            self._certificate(machine)
        for code in self.plants:
            model = (
                shutil.copytree(ROOT / "demo" / "plants" / code.lower(), self.folder / "models" / code) / "model.toml"
            )
            line = f'code = "{LINES[code]}"\n'
            # the demo's peers are on the plant's own machine, these are not
            model.write_text(model.read_text().replace(line, f'{line}settings.hosts = ["10.77.0.1"]\n'))
        self.write_inventory()

    def write_inventory(self) -> None:
        """Hosts with their codes; the first plant is the canary."""
        canary, *others = self.plants.items()
        plants = {
            "children": {
                "canary": {"hosts": {canary[1].name: self._plant(*canary)}},
                "wave_1": {"hosts": {machine.name: self._plant(code, machine) for code, machine in others}},
                "wave_2": {}, "wave_3": {}, "wave_4": {},
            },
            "vars": {
                "strandline_hub_url": f"https://{self.hub.address}",
                "strandline_hub_authority": str(self.folder / "ca.pem"),
            },
        }  # fmt: skip
        everybody = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": " ".join(SSH_OPTIONS),
            "strandline_environment": "test",
            "strandline_backup_passphrase": "a passphrase for trials",
            "strandline_upgrade_wait_minutes": 1,
        }
        of_hub = {"strandline_code": "HUB", "strandline_database": "postgresql", **self.more.get("HUB", {})}
        hub = {"hosts": {self.hub.name: {**self._host(self.hub), **of_hub}}}
        inventory = {"all": {"children": {"hub": hub, "plants": plants}, "vars": everybody}}
        (self.folder / "hosts.yml").write_text(json.dumps(inventory, indent=1))

    def play(self, book: str, *options: str, fails: bool = False, **given: Any) -> Played:
        """Play a book; Failed unless it ends as it should."""
        began = time.monotonic()
        command = [
            str(self.ansible / "ansible-playbook"),
            "-i",
            str(self.folder / "hosts.yml"),
            f"{book}.yml",
            *options,
        ]
        log = self.folder / f"{time.monotonic():09.0f}-{book}.log"
        with log.open("w") as said:
            code = subprocess.run(
                [*command, "-e", json.dumps(given)],
                cwd=ROOT / "ansible", stdout=said, stderr=said, check=False, env=self._environment(),
            ).returncode  # fmt: skip
        text, seconds = log.read_text(), time.monotonic() - began
        if (code != 0) != fails:
            raise Failed(f"{book} ended with {code}:\n{text[-6000:]}")
        return Played(_changes(text), seconds, text)

    def _environment(self) -> dict[str, str]:
        folder = self.folder / "home"
        return {
            "PATH": f"{self.ansible}:{os.defpath}:/usr/local/bin:/usr/sbin:/sbin", "HOME": str(folder), "LANG": "C.UTF-8",
            "ANSIBLE_HOST_KEY_CHECKING": "False", "ANSIBLE_NOCOLOR": "1",
        }  # fmt: skip

    def _plant(self, code: str, machine: Machine) -> dict[str, Any]:
        link = LINES[code]
        return {
            **self._host(machine),
            "strandline_code": code,
            "strandline_model": str(self.folder / "models" / code),
            "strandline_open_ports": [{"port": LINK_PORT, "from": "10.77.0.0/24"}],
            "strandline_settings": {"link_addresses": {link: f"0.0.0.0:{LINK_PORT}"}},
            **self.more.get(code, {}),
        }

    def _host(self, machine: Machine) -> dict[str, Any]:
        return {
            "ansible_host": machine.address,
            "strandline_public_name": machine.address,
            "strandline_tls_certificate": str(self.folder / f"{machine.name}.pem"),
            "strandline_tls_key": str(self.folder / f"{machine.name}.key"),
        }

    def _authority(self) -> None:
        run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=Authority of the group", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", "ca.key", "-out", "ca.pem", cwd=self.folder,
        )  # fmt: skip

    def _certificate(self, machine: Machine) -> None:
        (self.folder / "alt").write_text(f"subjectAltName=IP:{machine.address}\n")
        name = machine.name
        run(
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={machine.address}", "-keyout", f"{name}.key", "-out", f"{name}.csr", cwd=self.folder,
        )  # fmt: skip
        run(
            "openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "30", "-extfile", "alt", "-out", f"{name}.pem", cwd=self.folder,
        )  # fmt: skip


def _changes(said: str) -> dict[str, int]:
    recap = said.rpartition("PLAY RECAP")[2]
    found = {}
    for line in recap.splitlines():
        name, _, counts = line.partition(":")
        if "changed=" in counts:
            found[name.strip()] = int(counts.split("changed=")[1].split()[0])
    return found
