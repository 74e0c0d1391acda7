"""Builds a plant from its settings; wsgi.py adds what only a running process needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from local_mes.level2.edge.open_since import open_since_ms
from local_mes.level2.spool import create_spool
from local_mes.model.high_marks import NumberMarks
from local_mes.model.service import load_model
from local_mes.plant import Plant
from local_mes.standards.floors import TrustFloors
from shared.clock import Clock
from shared.db import migrate
from shared.db.engine import open_engine
from shared.errors import BadSetup
from shared.journal.highest import Outside
from shared.node import build_node, new_folder
from shared.settings import PlantSettings
from shared.subjects import REGISTERS
from sync.bundles.recover import CarriedCaller, NoLine, recover
from sync.caller import Session
from sync.lines import routed_transport
from sync.recovering import Recovery
from sync.station import CallingStation, build_calling
from sync.transport import Transport

MIGRATIONS = Path(__file__).parent / "migrations"


def build_plant(settings: PlantSettings, clock: Clock | None = None) -> Plant:
    """A plant from its settings. BadSetup when model, folder, key or database do not allow a start."""
    model = load_model(settings.model)
    if model.plant.code != settings.code:
        raise BadSetup(
            "plant.other_model",
            f"The settings are of {settings.code}, the model {settings.model} of {model.plant.code}.",
            todo="Name the model of this plant.",
        )
    node = build_node(settings, REGISTERS, clock)
    return Plant(node, settings, model, open_engine(settings.spool))


def init_plant(settings: PlantSettings, clock: Clock | None = None) -> Plant:
    """First start: check the model before anything is made, then folder, key, tables and spool."""
    load_model(settings.model)
    with new_folder(settings):
        plant = build_plant(settings, clock)
        migrate.upgrade(plant.node.engine, MIGRATIONS)
        create_spool(plant.spool, plant.clock)
    return plant


def build_station(plant: Plant, transport: Transport | None = None) -> CallingStation:
    """The plant's sync, not started. What it promises to be complete ends before the oldest open Level-2 message."""
    transport = transport or routed_transport(plant.node, plant.settings)
    most, outside = plant.settings.apply_entries_max, _outside(plant)
    return build_calling(plant.node, lambda: open_since_ms(plant), most, transport, outside)


def recover_from(plant: Plant, files: Sequence[Path]) -> tuple[str, bool]:
    """Take this plant's own history back from files; who wrote them, and whether that changed anything.

    The plant must not run. Any SyncError: nothing was changed.
    """
    ground, node = build_station(plant, NoLine()).ground, plant.node

    def settle(caller: CarriedCaller, session: Session) -> bool:
        write_anchor = ground.anchoring.write_now
        return Recovery(caller, node.journal, _outside(plant), write_anchor, node.settings.folder).settle(session)

    carried, changed = recover(node, files, settle)
    return carried.peer.code, changed


def _outside(plant: Plant) -> Outside:
    return Outside(NumberMarks(plant.model), TrustFloors(plant.code))
