"""Runs a plant's process: console, API and the threads beside them."""

from __future__ import annotations

from local_mes.wiring import build_plant, start_plant
from shared.settings import PlantSettings
from shared.web.server import serve as serve_node


def serve(settings: PlantSettings) -> None:
    """Run until told to end; BadSetup for anything that does not allow a start, before a process is forked."""
    build_plant(settings)
    serve_node(settings, lambda: start_plant(settings))
