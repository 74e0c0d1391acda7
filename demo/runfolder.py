"""The folder of a demo run: which files it has, and what was chosen when it was made."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from demo.simulator.clock_signal import write_whole
from shared.ports import free_ports

HERE = Path(__file__).parent
HUB = "HUB"
PLANTS = ("ALD", "BRK", "CLD")
LINKS = {
    "ALD-LAB": 7110,
    "ALD-CC1": 7111,
    "ALD-MELT": 4841,
    "BRK-HSM": 4842,
    "CLD-PL": 7310,
    "CLD-CM": 7311,
    "CLD-CG": 7312,
    "CLD-SL": 7313,
}
DEVICES = {"BRK-WS1": 7210, "BRK-LP1": 7211, "BRK-MK1": 7212}
"""Links of a demo that is left running only: people ask something of them, no played day does."""
OPCUA_LINKS = {"ALD-MELT", "BRK-HSM"}
WEB_PORTS = {HUB: 8400, "ALD": 8401, "BRK": 8402, "CLD": 8403}
WAN_PORTS = {"ALD": 8411, "BRK": 8412, "CLD": 8413}
TUNING = {
    "once": {"heartbeat_s": 0.5, "retry_max_s": 0.5, "retry_first_s": 0.1},
    "left running": {"heartbeat_s": 5, "retry_max_s": 10, "retry_first_s": 1},
}
"""Real seconds: a day that is over in two minutes cannot wait half a minute for a heartbeat."""


class NotPossible(Exception):
    """The demo cannot be set up or started; the text is one paragraph for the person at the keyboard."""


@dataclass(frozen=True)
class Choices:
    """What makes a run; kept in run.json, so that a restart goes on with the same."""

    seed: int
    size: str
    caster: str
    hub_db: str
    once: bool
    ports: Mapping[str, int]


def choose_ports(auto: bool) -> dict[str, int]:
    """Ports by name: HUB, ALD..., WAN-ALD..., and each Level-2 link."""
    usual = {**WEB_PORTS, **{f"WAN-{plant}": port for plant, port in WAN_PORTS.items()}, **LINKS, **DEVICES}
    if not auto:
        return usual
    return dict(zip(usual, free_ports(len(usual)), strict=True))


def check_ports(ports: Mapping[str, int]) -> None:
    """Refuse in one paragraph when somebody listens on one of them."""
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise NotPossible(
                    f"Port {port}, which the demo needs for {name}, is taken by another program. Nothing was started. "
                    "Stop that program, or run the demo with --ports auto."
                ) from error


class RunFolder:
    """Paths of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def is_made(self) -> bool:
        """Whether a set-up was finished here."""
        return (self / "run.json").exists()

    def open(self, fresh: bool) -> None:
        """Make the folder; `fresh` empties one that holds a run, and nothing else."""
        try:
            if fresh and self.path.exists():
                if any(self.path.iterdir()) and not (self / "clock.json").exists():
                    raise NotPossible(
                        f"{self.path} holds something that is no demo run; it was left alone. Choose another --dir."
                    )
                shutil.rmtree(self.path)
            elif self.path.exists() and not self.is_made and (self / "clock.json").exists():
                shutil.rmtree(self.path)  # a set-up that was broken off: nothing in it was used yet
            (self / "logs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotPossible(
                f"The folder {self.path} cannot be used for the demo: {error.strerror}. Nothing was started. "
                "Choose a folder you may write with --dir."
            ) from error

    def keep(self, choices: Choices) -> None:
        """The set-up is finished."""
        write_whole(self / "run.json", json.dumps(asdict(choices), indent=1))

    def choices(self) -> Choices:
        """What was chosen when it was made."""
        return Choices(**json.loads((self / "run.json").read_text()))

    def write_settings(self, choices: Choices) -> None:
        """Settings files of hub and plants, plant models, the simulator's addresses."""
        shutil.copytree(HERE / "plants", self / "plants", dirs_exist_ok=True)
        if choices.caster == "summary":
            model = self / "plants" / "ald" / "model.toml"
            model.write_text(model.read_text().replace('CC1 = "strand"', 'CC1 = "heat"'))
        drops = {}
        if choices.caster == "file":
            ald = self / "plants" / "ald"
            (ald / "model.toml").write_text((ald / "model.toml").read_text() + (ald / "cc1-file.toml").read_text())
            (ald / "drop").mkdir(exist_ok=True)
            drops = {"ALD-CC1-FILE": str(ald / "drop")}
        devices = {} if choices.once else {link: f"127.0.0.1:{choices.ports[link]}" for link in DEVICES}
        if devices:
            brk = self / "plants" / "brk"
            (brk / "model.toml").write_text((brk / "model.toml").read_text() + (brk / "devices.toml").read_text())
        _write_toml(self / "hub.toml", self._hub_settings(choices))
        for plant in PLANTS:
            _write_toml(self / f"{plant.lower()}.toml", self._plant_settings(plant, choices))
        links = {link: _address(link, choices.ports[link]) for link in LINKS}
        layouts = {plant: str(self / f"plants/{plant.lower()}/telegrams") for plant in ("ALD", "CLD")}
        where = {"links": links, "devices": devices, "layouts": layouts, "drops": drops, "hub": HUB}
        write_whole(self / "simulator.json", json.dumps(where, indent=1))

    def _hub_settings(self, choices: Choices) -> dict[str, Any]:
        return {
            "code": HUB,
            "name": "Corvane Steel Group",
            "folder": "hub",
            "database_url": choices.hub_db,
            "clock_file": "clock.json",
            "log_level": "WARNING",
            "web": {"port": choices.ports[HUB]},
            "sync": TUNING["once" if choices.once else "left running"],
        }

    def _plant_settings(self, plant: str, choices: Choices) -> dict[str, Any]:
        names = {"ALD": "Aldermoor melt shop", "BRK": "Brackwell hot strip mill", "CLD": "Coldharbour finishing"}
        addresses = {link: _address(link, choices.ports[link]) for link in LINKS if link.startswith(plant)}
        if plant == "ALD" and choices.caster == "file":
            addresses["ALD-CC1-FILE"] = str(self / "plants" / "ald" / "drop")
        if not choices.once:
            addresses |= {link: _address(link, choices.ports[link]) for link in DEVICES if link.startswith(plant)}
        return {
            "code": plant,
            "name": names[plant],
            "folder": plant.lower(),
            "model": f"plants/{plant.lower()}/model.toml",
            "hub_url": f"http://127.0.0.1:{choices.ports[f'WAN-{plant}']}",
            "clock_file": "clock.json",
            "log_level": "WARNING",
            "web": {"port": choices.ports[plant]},
            "sync": TUNING["once" if choices.once else "left running"],
            "link_addresses": addresses,
        }


def _address(link: str, port: int) -> str:
    return f"opc.tcp://127.0.0.1:{port}" if link in OPCUA_LINKS else f"127.0.0.1:{port}"


def _write_toml(path: Path, values: Mapping[str, Any]) -> None:
    plain = [f"{key} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
    tables = [
        f"\n[{key}]\n" + "\n".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items())
        for key, value in values.items()
        if isinstance(value, dict)
    ]
    path.write_text("\n".join(plain) + "\n" + "\n".join(tables) + "\n")
    os.chmod(path, 0o600)
