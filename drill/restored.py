"""The drill "both hosts are lost": the backups of a plant and of the hub are restored beside each other and meet.

Nothing of it can reach anybody: no port is opened, the two speak in this process, each under a new key that nobody else
knows. What the one backup lacks the other brings, as after a real loss; then both are counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from central_hub import wiring as of_hub
from central_hub.hub import Hub, downlink
from central_hub.plants.service import enrol_plant, issue_token
from drill.reckoning import Reckoning, facts_of, reckon
from local_mes import wiring as of_plant
from shared.clock import SystemClock
from shared.db import migrate
from shared.db.engine import open_engine, read
from shared.errors import BadSetup, Unavailable
from shared.journal.life import heads_of
from shared.journal.position import applied_to
from shared.node import build_node
from shared.settings import HubSettings, NodeSettings, PlantSettings, check
from shared.subjects import REGISTERS
from sync.backups.checking import check_backup
from sync.backups.form import Manifest, read_manifest
from sync.backups.putting_back import put_back
from sync.enrolment import enrol
from sync.station import build_called, build_calling
from sync.transport import Door, MemoryTransport

ENTRIES_MAX = 2_000
"""Applied in one transaction: nobody waits for a page here."""
LOOK_S = 0.5
MEET_S = 1_200.0
"""Of the half hour that a restore may take; what has not met by then has failed."""

S = TypeVar("S", bound=NodeSettings)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Backups:
    """What is restored. Scratch: an empty PostgreSQL database each, for a node on one; what is in it is lost."""

    plant: Path
    hub: Path
    plant_scratch: str = ""
    hub_scratch: str = ""


@dataclass(frozen=True)
class Twins:
    """The two restored databases, and all facts of the plant's stream that either backup held."""

    plant: Engine
    hub: Engine
    code: str
    hub_code: str
    held: frozenset[str]

    def have_met(self) -> bool:
        """Whether each has, and has applied, all that it should have of the other."""
        with read(self.plant) as here, read(self.hub) as there:
            down = downlink(self.hub_code, self.code)
            both = all(self.held <= set(facts_of(conn, self.code)) for conn in (here, there))
            return both and _follows(there, here, self.code) and _follows(here, there, down)


def run(folder: Path, backups: Backups, say: Say) -> Reckoning:
    """Prove both backups, restore them in an empty folder, let them meet and count. BadBackup, BadSetup, Unavailable."""
    for one, scratch in ((backups.plant, backups.plant_scratch), (backups.hub, backups.hub_scratch)):
        say(check_backup(one, scratch))
    plant_told, hub_told = read_manifest(backups.plant), read_manifest(backups.hub)
    plant = _settings(
        PlantSettings, folder, plant_told, backups.plant_scratch, model=folder / "none"
    )  # sync asks for no model
    hub = _settings(HubSettings, folder, hub_told, backups.hub_scratch)
    _restore(plant, backups.plant, of_plant.MIGRATIONS)
    _restore(hub, backups.hub, of_hub.MIGRATIONS)
    began = time.monotonic()
    with _meeting(plant, hub) as twins:
        _until(twins.have_met)
    found = reckon(twins.plant, twins.hub, twins.code)
    say(
        f"{plant.code} as of its backup and {hub.code} as of its own hold the same after {time.monotonic() - began:.0f} s: "
        f"{len(twins.held)} facts of {plant.code}."
    )
    return found


def _settings(kind: type[S], folder: Path, told: Manifest, scratch: str, **more: Any) -> S:
    """Settings of a scratch node. BadSetup where the environment would lead it to another node's database."""
    mine = folder / told.node
    database = scratch if told.database == "postgresql" else ""
    values = {"code": told.node, "name": f"Drill of {told.node}", "folder": mine, **more, "database_url": database}
    made = check(kind, values, where="the drill")
    wanted = database or f"sqlite:///{mine / told.main}"
    if (made.code, made.folder, made.database) != (told.node, mine, wanted):
        raise BadSetup(
            "drill.not_scratch",
            f"The environment of this process names another node's code, folder or database ({made.folder}).",
            kept="Nothing was changed.",
            todo="Run it without STRANDLINE_… variables.",
        )
    mine.mkdir(mode=0o700)
    return made


def _restore(settings: NodeSettings, backup: Path, migrations: Path) -> None:
    put_back(settings, backup, SystemClock(), fresh_key=True, everything=True)
    engine = open_engine(settings.database)
    migrate.upgrade(engine, migrations)
    engine.dispose()


@contextmanager
def _meeting(plant: PlantSettings, hub: HubSettings) -> Iterator[Twins]:
    """Both nodes at work: the plant enrolled anew at the hub, in this process alone."""
    here, there = build_node(plant, REGISTERS), build_node(hub, REGISTERS)
    with read(here.engine) as at_plant, read(there.engine) as at_hub:
        held = frozenset((*facts_of(at_plant, plant.code), *facts_of(at_hub, plant.code)))
    called = build_called(there, ENTRIES_MAX)
    calling = build_calling(here, lambda: None, ENTRIES_MAX, MemoryTransport(called.desk))
    centre = Hub(there, hub)
    enrol(here, issue_token(centre, plant.code).token, EnrolDoor(centre))
    called.start()
    calling.start()
    try:
        yield Twins(here.engine, there.engine, plant.code, hub.code, held)
    finally:
        calling.stop()
        called.stop()


@dataclass(frozen=True)
class EnrolDoor:
    """The hub as a plant meets it before it is enrolled: in this process."""

    hub: Hub

    def send(self, _door: Door, body: bytes) -> bytes:
        """The hub's answer to an enrolment, the only thing asked here."""
        return enrol_plant(self.hub, body, "")


def _follows(at: Connection, owner: Connection, stream: str) -> bool:
    """Whether one end has applied the other's stream up to its head, in the epoch that it is in."""
    head = heads_of(owner).get(stream)
    return head is None or applied_to(at, stream, head.epoch) >= head.seq


def _until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + MEET_S
    while not met():
        if time.monotonic() > end:
            raise Unavailable(
                "drill.not_met",
                f"The two restored nodes do not hold the same after {MEET_S:.0f} s.",
                todo="Treat it as an alarm: play it with older backups, and ask which of the two is at fault.",
            )
        time.sleep(LOOK_S)
