"""The only place of a plant that builds things: the plant itself, and the threads that work beside the web pages."""

from __future__ import annotations

import threading
from functools import partial

from local_mes.app import create_console
from local_mes.level2.interpret import Interpreter, oldest_open_ms
from local_mes.level2.links import load_links
from local_mes.level2.queries import open_figures
from local_mes.level2.spool import create_spool
from local_mes.model.service import load_model
from local_mes.plant import Plant
from local_mes.production import operations as _operations  # noqa: F401 - registers what messages mean
from local_mes.standards.adopt import adopt_pending
from local_mes.transfers.matching import match_pending
from shared.clock import Clock
from shared.db.engine import open_engine
from shared.errors import BadSetup
from shared.ids import jitter
from shared.node import build_node, create_tables, make_folder
from shared.settings import PlantSettings
from shared.subjects import REGISTERS
from shared.web.features import Feature
from shared.web.server import Served
from sync import status
from sync.backoff import Backoff
from sync.following import Following
from sync.station import CallingStation, build_calling, http_transport

STOP_S = 3.0
"""An interpreter ends after the transaction in hand; longer would outlast the server's own grace."""


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
    make_folder(settings)
    plant = build_plant(settings, clock)
    create_tables(plant.node.engine)
    create_spool(plant.spool, plant.clock)
    return plant


def build_station(plant: Plant) -> CallingStation:
    """The plant's sync, not started. What it promises to be complete ends before the oldest open Level-2 message."""
    transport = http_transport(plant.node, plant.settings.hub_url)
    return build_calling(plant.node, lambda: oldest_open_ms(plant), plant.settings.apply_entries_max, transport)


def start_plant(settings: PlantSettings) -> Served:
    """The plant's process: its console, and beside it sync, the interpreter of Level 2, and what follows from facts."""
    plant = build_plant(settings)
    station = build_station(plant)
    stopping = threading.Event()
    interpreter = Interpreter(plant, load_links(settings))
    thread = threading.Thread(target=interpreter.run, args=(stopping,), name="interpreter", daemon=True)
    following = Following(
        (("adopt standards", partial(adopt_pending, plant)), ("match receipts", partial(match_pending, plant))),
        station.ground.applying,
        Backoff(settings.sync.retry_first_s, settings.sync.heartbeat_s, jitter),
        look_s=settings.sync.heartbeat_s,
    )

    def start() -> None:
        station.start()
        thread.start()
        following.start()

    def stop() -> None:
        stopping.set()
        following.stop()
        station.stop()
        thread.join(STOP_S)

    figures = Feature(apis=(status.make_api(partial(open_figures, plant)),))
    return Served(create_console(plant, (figures,)), start, stop)
