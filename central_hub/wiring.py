"""The only place of the hub that builds things: the hub itself, and the threads that work beside the web pages."""

from __future__ import annotations

from functools import partial

from central_hub.app import create_portal
from central_hub.hub import Hub
from central_hub.standards.publishing import issue_missing
from central_hub.transfers.service import reconcile
from shared.clock import Clock
from shared.ids import jitter
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings
from shared.subjects import REGISTERS
from shared.web.features import Feature
from shared.web.server import Served
from sync import status
from sync.backoff import Backoff
from sync.endpoint import endpoint, install_desk
from sync.following import Following
from sync.station import CalledStation, build_called


def build_hub(settings: HubSettings, clock: Clock | None = None) -> Hub:
    """A hub from its settings. BadSetup when folder, key or database do not allow a start."""
    return Hub(build_node(settings, REGISTERS, clock), settings)


def init_hub(settings: HubSettings, clock: Clock | None = None) -> Hub:
    """First start: folder, key and tables."""
    make_folder(settings)
    hub = build_hub(settings, clock)
    create_tables(hub.node.engine)
    return hub


def build_station(hub: Hub) -> CalledStation:
    """The hub's sync, not started; sync.endpoint answers with its desk once install_desk gave it to the app."""
    return build_called(hub.node, hub.settings.apply_entries_max)


def start_hub(settings: HubSettings) -> Served:
    """The hub's process: portal, sync desk, and beside them applying and what follows from it."""
    hub = build_hub(settings)
    station = build_station(hub)
    following = Following(
        (("reconcile transfers", partial(reconcile, hub)), ("issue standards", partial(issue_missing, hub))),
        station.ground.applying,
        Backoff(settings.sync.retry_first_s, settings.sync.heartbeat_s, jitter),
        look_s=settings.sync.heartbeat_s,
    )

    def start() -> None:
        station.start()
        following.start()

    def stop() -> None:
        following.stop()
        station.stop()

    more = Feature(machine=(endpoint,), apis=(status.make_api(),))
    app = create_portal(hub, (more,))
    install_desk(app, station.desk)
    return Served(app, start, stop)
