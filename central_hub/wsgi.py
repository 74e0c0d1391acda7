"""Runs the hub's process: portal, API, the sync endpoint and the threads beside them."""

from __future__ import annotations

from central_hub.wiring import build_hub, start_hub
from shared.settings import HubSettings
from shared.web.server import serve as serve_node


def serve(settings: HubSettings) -> None:
    """Run until told to end; BadSetup for anything that does not allow a start, before a process is forked."""
    build_hub(settings)
    serve_node(settings, lambda: start_hub(settings))
