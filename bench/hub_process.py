"""python -m bench.hub_process FOLDER CODE PORT DATABASE [applies]: a hub's desk, served as in production."""

from __future__ import annotations

import sys
from pathlib import Path

from flask import Flask

from shared.clock import SystemClock
from shared.interpreter import tune
from shared.material import projection as material
from shared.node import build_node
from shared.settings import NodeSettings, check
from shared.web import problems
from shared.web.server import Served, serve
from sync.endpoint import endpoint, install_desk
from sync.station import build_called


def main(folder: str, code: str, port: str, database_url: str, applies: str = "") -> None:
    """Run until ended."""
    tune()  # as every process of the product
    values = {
        "code": code,
        "name": code,
        "folder": Path(folder) / code,
        "database_url": database_url,
        "web": {"port": int(port)},
    }
    settings = check(NodeSettings, values, where="this timing")
    serve(settings, lambda: _build(settings, bool(applies)))


def _build(settings: NodeSettings, applies: bool) -> Served:
    hub = build_node(settings, [material.register], SystemClock())
    station = build_called(hub, 2_000)
    app = Flask("hub")
    app.register_blueprint(endpoint)
    problems.install(app)
    install_desk(app, station.desk)
    return Served(app, station.start if applies else _nothing, station.stop if applies else station.desk.close)


def _nothing() -> None:
    """Receiving alone is measured."""


if __name__ == "__main__":
    main(*sys.argv[1:])
