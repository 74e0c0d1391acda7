"""The two nodes of a drill: a hub as a process of its own by the product's command, a plant in this process, so that
its time can be played. Both on SQLite in a scratch folder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from central_hub.plants.service import issue_token
from central_hub.wiring import init_hub
from drill.line import Line
from drill.work import PLANT
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from shared.clock import Clock
from shared.errors import BadSetup
from shared.ports import free_port
from shared.settings import HubSettings, PlantSettings, load
from sync.enrolment import enrol
from sync.errors import Unreachable
from sync.transport import HttpTransport

MODEL = Path(__file__).parent / "model.toml"
RUN = "from shared.cli import main; main()"
START_S = 90.0
STOP_S = 15.0
LOOK_S = 0.1


class HubProcess:
    """The hub as an operator runs it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "hub.toml"
        self._log = folder / "hub.log"
        self._config.write_text(
            f'code = "HUB"\nname = "Drill hub"\nfolder = "hub"\nlog_level = "WARNING"\n[web]\nport = {self.port}\n'
        )
        self.settings = load(HubSettings, self._config)
        hub = init_hub(self.settings)
        self.token = issue_token(hub, PLANT).token
        hub.node.engine.dispose()
        with self._log.open("wb") as log:
            command = [sys.executable, "-c", RUN, "hub", "run", "--config", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def check_alive(self) -> None:
        """BadSetup with the end of its log when it has ended."""
        if self._process.poll() is not None:
            said = self._log.read_text(errors="replace")[-500:]
            raise BadSetup("drill.hub_ended", f"The drill's hub ended by itself: {said}")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def make_plant(folder: Path, hub: HubProcess, line: Line, clock: Clock) -> Plant:
    """A new plant, enrolled over the line."""
    config = folder / "plant.toml"
    config.write_text(
        f'code = "{PLANT}"\nname = "Drill melt shop"\nfolder = "plant"\nmodel = "{MODEL}"\nhub_url = "{line.url}"\n'
    )
    settings = load(PlantSettings, config)
    plant = init_plant(settings, clock)
    transport = HttpTransport(line.url)
    wait_for(lambda: _enrolled(plant, hub, transport), hub, START_S, "the hub's start")
    return plant


def wait_for(done: Callable[[], bool], hub: HubProcess, limit_s: float, what: str) -> float:
    """Wait until done; returns the seconds it took. BadSetup after limit_s or when the hub ends."""
    began = time.monotonic()
    while not done():
        hub.check_alive()
        if time.monotonic() - began > limit_s:
            raise BadSetup("drill.too_slow", f"Waited {limit_s:.0f} s for {what}.", todo="Look at the hub's log.")
        time.sleep(LOOK_S)
    return time.monotonic() - began


def _enrolled(plant: Plant, hub: HubProcess, transport: HttpTransport) -> bool:
    try:
        enrol(plant.node, hub.token, transport)
    except Unreachable:
        return False
    return True
