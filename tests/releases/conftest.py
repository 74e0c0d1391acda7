"""Two releases side by side: this tree, and the previous release taken out of the history into a folder of its own.

Only the product's command lines and its HTTP API are used: they are what both releases have in common.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from shared.ports import free_port

ROOT = Path(__file__).parents[2]
PREVIOUS = Path(__file__).parent / "previous.toml"
SUPPORT = ROOT / "tests" / "support"
WAIT_S = 120
END = "\x04"
COMMANDS = f"""
import json, sys, traceback
from shared.cli import main
for line in sys.stdin:
    sys.argv = ["strandline", *json.loads(line)]
    try:
        main()
    except SystemExit as end:
        print("exit", end.code)
    print({END!r}, flush=True)
"""
SYNC = "[sync]\nheartbeat_s = 0.5\npoll_s = 1\nretry_first_s = 0.2\nretry_max_s = 1\n"


@dataclass
class Release:
    """A tree of the product, and one process of it that runs its commands one after another."""

    version: str
    tree: Path
    _process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.tree)}

    def start(self, *program: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as said:
            return subprocess.Popen(
                [sys.executable, *program], cwd=self.tree, env=self.environment, stdout=said, stderr=said
            )

    def run(self, *arguments: str | Path) -> str:
        """One command of this release; what it printed. Fails when the command refused."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", COMMANDS],
                cwd=self.tree,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(a) for a in arguments]) + "\n")
        self._process.stdin.flush()
        said = []
        for line in self._process.stdout:
            if END in line:
                text = "".join(said)
                assert "exit " not in text, text
                return text
            said.append(line)
        raise AssertionError("".join(said))

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()


@dataclass
class Running:
    """A node that runs a release, and the token of a program that may do everything there."""

    code: str
    release: Release
    config: Path
    port: int
    token: str = ""
    process: subprocess.Popen[bytes] | None = None
    commands: int = 0

    @property
    def kind(self) -> str:
        return "hub" if self.code == "HUB" else "plant"

    @property
    def folder(self) -> Path:
        return self.config.with_suffix("")

    def command(self, *arguments: str) -> str:
        first, *rest = arguments
        words = (first,) if first != "journal" else (first, rest.pop(0))
        return self.release.run(self.kind, *words, "--config", self.config, *rest)

    def init(self) -> None:
        self.command("init")
        roles = ("logistics", "owner", "engineer") if self.kind == "hub" else ("planner", "yard", "lead", "quality")
        given = [part for role in roles for part in ("--role", role)]
        self.command("user-add", "--login", "desk", "--name", "Desk", *given, "--password", "long-enough-1")
        self.token = self.command("token-add", "--login", "desk", "--title", "test").strip().splitlines()[-1]

    def start(self) -> None:
        self.launch()
        self.wait_up()

    def launch(self) -> None:
        code = "from shared.cli import main; main()"
        log = self.config.with_suffix(".log")
        self.process = self.release.start("-c", code, self.kind, "run", "--config", str(self.config), log=log)

    def wait_up(self) -> None:
        self.until(lambda: self.get("status")["code"] == self.code)

    def upgrade_to(self, release: Release, kills: int) -> None:
        """Bring the database of a stopped node to another release; before it succeeds it is killed half-way."""
        for nth in range(1, kills + 1):
            died = self._die_in_upgrade(release, nth)
            assert died.returncode == -signal.SIGKILL, died.stderr.decode()
            assert "holds" in self.command("journal", "verify"), "the old release no longer reads its database"
        self.release = release
        assert "has the schema of this release" in self.command("upgrade")
        assert "holds" in self.command("journal", "verify")

    def _die_in_upgrade(self, release: Release, nth: int) -> subprocess.CompletedProcess[bytes]:
        program = Path(__file__).parent / "upgrade_and_die.py"
        return subprocess.run(
            [sys.executable, str(program), str(SUPPORT), self.kind, str(self.config), str(nth)],
            env=release.environment,
            cwd=release.tree,
            capture_output=True,
            check=False,
            timeout=WAIT_S,
        )

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it as a supervisor would, or by kill -9 with its workers."""
        if self.process is None:
            return
        for pid in [self.process.pid, *_children(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        self.process.wait(WAIT_S)
        self.process = None

    def get(self, path: str) -> Any:
        return self._answer(requests.get(self._url(path), headers=self._headers, timeout=30))

    def post(self, path: str, **body: Any) -> Any:
        self.commands += 1
        body["command_id"] = f"{self.code}-{time.monotonic_ns()}-{self.commands}"
        return self._answer(requests.post(self._url(path), json=body, headers=self._headers, timeout=60))

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while True:
            try:
                if condition():
                    return
            except requests.ConnectionError:
                assert self.process is None or self.process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.2)

    @property
    def log(self) -> str:
        file = self.config.with_suffix(".log")
        return file.read_text()[-3000:] if file.exists() else ""

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/{path}"

    def _answer(self, response: requests.Response) -> Any:
        assert response.ok, f"{response.status_code} {response.text}\n{self.log}"
        return response.json()


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(text) for text in found.read_text().split()] if found.exists() else []


@dataclass
class Pair:
    """Both releases and a folder; everything started is ended with it."""

    folder: Path
    new: Release
    old: Release
    nodes: list[Running] = field(default_factory=list)

    def node(self, code: str, release: Release, hub: Running | None = None, database: str = "") -> Running:
        """The settings of a node; nothing is made yet."""
        port = free_port()
        lines = [f'code = "{code}"', f'name = "{code}"', f'folder = "{self.folder / code}"']
        if database:
            lines.append(f'database_url = "{database}"')
        if hub is not None:
            model = release.tree / "demo" / "plants" / code.lower() / "model.toml"
            lines += [f'model = "{model}"', f'hub_url = "http://127.0.0.1:{hub.port}"']
        config = self.folder / f"{code}.toml"
        config.write_text("\n".join(lines) + f"\n[web]\nport = {port}\nthreads = 12\n{SYNC}")
        made = Running(code, release, config, port)
        self.nodes.append(made)
        return made


@pytest.fixture(scope="session")
def previous_tree(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The previous release out of the history; skipped where the history does not reach so far."""
    named = tomllib.loads(PREVIOUS.read_text())
    taken = subprocess.run(
        ["git", "archive", "--format=tar", named["commit"]], cwd=ROOT, capture_output=True, check=False
    )
    if taken.returncode:
        pytest.skip(f"release {named['version']} is not in this clone's history: {taken.stderr.decode()[:200]}")
    tree = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=io.BytesIO(taken.stdout)) as archive:
        archive.extractall(tree, filter="data")
    made = Release(named["version"], tree)
    ask = [sys.executable, "-c", "import shared; print(shared.__file__)"]
    where = subprocess.run(ask, env=made.environment, cwd=tree, capture_output=True, text=True, check=True)
    assert where.stdout.startswith(str(tree)), "the previous release's processes would run this tree"
    return made


@pytest.fixture
def pair(tmp_path: Path, previous_tree: Release) -> Iterator[Pair]:
    made = Pair(tmp_path, Release("this", ROOT), Release(previous_tree.version, previous_tree.tree))
    yield made
    for node in made.nodes:
        node.stop()
    made.new.close()
    made.old.close()
