"""The only place of the hub that builds things: the hub itself, and the threads that work beside the web pages."""

from __future__ import annotations

from central_hub.hub import Hub
from shared.clock import Clock
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings
from shared.subjects import REGISTERS


def build_hub(settings: HubSettings, clock: Clock | None = None) -> Hub:
    """A hub from its settings. BadSetup when folder, key or database do not allow a start."""
    return Hub(build_node(settings, REGISTERS, clock), settings)


def init_hub(settings: HubSettings, clock: Clock | None = None) -> Hub:
    """First start: folder, key and tables."""
    make_folder(settings)
    hub = build_hub(settings, clock)
    create_tables(hub.node.engine)
    return hub
