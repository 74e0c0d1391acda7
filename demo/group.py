"""Sets the group up and runs it, only by the product's commands and its HTTP API: hub, three plants, their Level 2,
the simulator.

Set-up happens once a folder: nodes, people, keys of the standards' signers, root of trust, enrolment of each plant by
a one-time token. Two processes give the product's commands side by side, one at the hub and one at the plants, while
the simulator opens its OPC UA servers; what belongs together is in one method.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from demo.people import DESK, PEOPLE, PROGRAMS, Person, write_file
from demo.product import Commands, strandline
from demo.runfolder import HERE, HUB, PLANTS, Choices, RunFolder
from demo.scenario.day import BEGINS
from demo.simulator.clock_signal import ClockSignal, write_whole
from demo.simulator.people import Desk
from demo.supervisor import Supervisor, python

HOLDERS = ("holder-quality", "holder-process")
UP_S = 60.0


class Group:
    """One run in its folder."""

    def __init__(self, folder: RunFolder, choices: Choices) -> None:
        self.folder = folder
        self.choices = choices
        self.processes = Supervisor(folder / "pids.json", Path.cwd())

    def set_up(self) -> None:
        """Make everything and leave hub and plants running; afterwards the folder can be started again as it is."""
        ClockSignal(self.folder / "clock.json").hold(BEGINS)
        write_whole(self.folder / "wan.json", json.dumps({"cut": []}))
        self._start_lines()
        with (
            Commands(self.folder / "logs/set-up-hub.log") as at_hub,
            Commands(self.folder / "logs/set-up-plants.log") as at_plants,
            ThreadPoolExecutor(1) as beside,
        ):
            plants = beside.submit(self._make_plants, at_plants)
            hub, admissions = self._make_hub(at_hub)
            self._start_node(HUB)
            self._make_keys(at_hub)
            self._trust(at_hub, hub[DESK])
            tokens = {HUB: hub, **plants.result()}
            for plant in PLANTS:
                at_plants.run("plant", "enrol", "--config", self._settings(plant), "--token", admissions[plant])
                self._start_node(plant)
        self._write_simulator(tokens)
        self.folder.keep(self.choices)

    def add_people(self) -> None:
        """The people of the demo: not needed by the simulator, wanted by visitors."""
        with Commands(self.folder / "logs/set-up-people.log") as product:
            for node in (HUB, *PLANTS):
                self._add_people(product, node, PEOPLE[node])

    def start(self, level2: bool = True) -> None:
        """Start all that is not running yet; level2 = False leaves the plants without their Level 2."""
        self._start_lines()
        for node in (HUB, *PLANTS):
            self._start_node(node, level2)

    def start_simulator(self, speed: float) -> None:
        """Let the day begin, or go on."""
        self.processes.start(
            "simulator", self._simulator(speed), self.folder / "logs/simulator.log", again=not self.choices.once
        )

    def wait_up(self) -> None:
        """Return when every node answers."""
        nodes = json.loads((self.folder / "nodes.json").read_text())
        for node in nodes.values():
            Desk(node["url"], node["token"]).get("status")

    def url(self, node: str) -> str:
        """Where a node's pages are."""
        return f"http://127.0.0.1:{self.choices.ports[node]}"

    def _simulator(self, speed: float) -> list[str]:
        chosen = self.choices
        return python(
            "demo.simulator",
            "--dir",
            str(self.folder.path),
            "--seed",
            str(chosen.seed),
            "--size",
            chosen.size,
            "--caster",
            chosen.caster,
            "--speed",
            str(speed),
        )

    def _start_lines(self) -> None:
        if "wan" not in self.processes.children:
            lines = [f"{plant}={self.choices.ports[f'WAN-{plant}']}" for plant in PLANTS]
            command = python(
                "demo.wan",
                "--state",
                str(self.folder / "wan.json"),
                "--to",
                f"127.0.0.1:{self.choices.ports[HUB]}",
                *lines,
            )
            self.processes.start("wan", command, self.folder / "logs/wan.log")

    def _start_node(self, node: str, level2: bool = True) -> None:
        settings = self._settings(node)
        kind = self._kind(node)
        if node not in self.processes.children:
            self.processes.start(
                node, strandline(*kind, "run", "--config", settings), self.folder / f"logs/{node.lower()}.log"
            )
        if level2 and node != HUB and f"{node}-L2" not in self.processes.children:
            self.processes.start(
                f"{node}-L2",
                strandline("plant", "level2", "--config", settings),
                self.folder / f"logs/{node.lower()}-l2.log",
            )

    def _make_hub(self, product: Commands) -> tuple[dict[str, str], dict[str, str]]:
        """The hub; its programs' tokens by login, and a one-time token to enter the group by plant."""
        tokens = self._make_node(product, HUB)
        ask = ("hub", "enrol-token", "--config", self._settings(HUB))
        return tokens, {plant: product.run(*ask, plant).strip() for plant in PLANTS}

    def _make_plants(self, product: Commands) -> dict[str, dict[str, str]]:
        return {plant: self._make_node(product, plant) for plant in PLANTS}

    def _make_node(self, product: Commands, node: str) -> dict[str, str]:
        product.run(*self._kind(node), "init", "--config", self._settings(node))
        return self._add_people(product, node, PROGRAMS[node])

    def _add_people(self, product: Commands, node: str, people: Sequence[Person]) -> dict[str, str]:
        """login -> token of those who get one."""
        file = self.folder / f"people-{node.lower()}.toml"
        write_file(file, people)
        try:
            said = product.run(*self._kind(node), "people-add", "--config", self._settings(node), "--file", str(file))
        finally:
            file.unlink()
        return dict(line.split() for line in said.splitlines())

    def _make_keys(self, product: Commands) -> None:
        """Two key holders and the root's keeper, each with a folder of their own that the hub never sees."""
        for name in (*HOLDERS, "root-keeper"):
            product.run("standards", "keygen", "--out", str(self.folder / "holders" / name), "--name", name)

    def _trust(self, product: Commands, token: str) -> None:
        """The root document: whose signatures on standards count; made away from the hub, handed to it."""
        hub = Desk(self.url(HUB), token)
        online = hub.get("standards/root")["online_key"]
        holders, root = self.folder / "holders", self.folder / "root.json"
        public = [part for name in HOLDERS for part in ("--standards-key", str(holders / name / f"{name}.pub"))]
        keeper = ["--root-key", str(holders / "root-keeper/root-keeper.pem")]
        product.run("standards", "root", *keeper, *public, "--online", online, "--out", str(root))
        hub.post("/api/v1/standards/root", {"envelope": root.read_text()})

    def _write_simulator(self, tokens: dict[str, dict[str, str]]) -> None:
        where = json.loads((self.folder / "simulator.json").read_text())
        where |= {
            "author_token": tokens[HUB]["author.quality"],
            "approver_token": tokens[HUB]["approver.quality"],
            "documents": str(HERE / "standards"),
            "strandline": strandline(),
            "holders": [str(self.folder / f"holders/{name}/{name}.pem") for name in HOLDERS],
        }
        write_whole(self.folder / "simulator.json", json.dumps(where, indent=1))
        nodes = {
            node: {"url": self.url(node), "token": tokens[node][DESK], "kind": "hub" if node == HUB else "plant"}
            for node in (HUB, *PLANTS)
        }
        write_whole(self.folder / "nodes.json", json.dumps(nodes, indent=1))

    def _settings(self, node: str) -> str:
        return str(self.folder / f"{node.lower()}.toml")

    @staticmethod
    def _kind(node: str) -> tuple[str, ...]:
        return ("hub",) if node == HUB else ("plant",)


def judge(folder: Path, as_json: bool) -> int:
    """Run the judge on the running group; its exit code."""
    return subprocess.run(
        python("demo.judge", "--dir", str(folder), *(["--json"] if as_json else [])), check=False
    ).returncode


def elapsed(since_s: float) -> str:
    """`12 s` since a moment of time.monotonic()."""
    return f"{time.monotonic() - since_s:.0f} s"


def tell(text: str) -> None:
    """Words for the person at the keyboard go to stderr: stdout belongs to the judge's JSON."""
    print(text, file=sys.stderr, flush=True)


def names(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
