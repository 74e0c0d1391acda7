"""Builds the hub from its settings; wsgi.py adds what only a running process needs."""

from __future__ import annotations

from pathlib import Path

from central_hub.hub import Hub
from shared.clock import Clock
from shared.db import migrate
from shared.node import build_node, new_folder
from shared.settings import HubSettings
from shared.subjects import REGISTERS
from sync.station import CalledStation, build_called

MIGRATIONS = Path(__file__).parent / "migrations"


def build_hub(settings: HubSettings, clock: Clock | None = None) -> Hub:
    """A hub from its settings. BadSetup when folder, key or database do not allow a start."""
    return Hub(build_node(settings, REGISTERS, clock), settings)


def init_hub(settings: HubSettings, clock: Clock | None = None) -> Hub:
    """First start: folder, key and tables."""
    with new_folder(settings):
        hub = build_hub(settings, clock)
        migrate.upgrade(hub.node.engine, MIGRATIONS)
    return hub


def build_station(hub: Hub, *, first: bool = True) -> CalledStation:
    """The hub's sync, not started; sync.endpoint answers with its desk once install_desk gave it to the app."""
    return build_called(hub.node, hub.settings.apply_entries_max, first=first)
