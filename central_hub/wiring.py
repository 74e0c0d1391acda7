"""The only place of the hub that builds things: the hub itself, and the threads that work beside the web pages."""

from __future__ import annotations

from central_hub.hub import Hub
from shared.clock import Clock
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings
from shared.subjects import REGISTERS
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
