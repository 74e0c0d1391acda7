"""A hub's doors for plants on a loopback port: sync and sights."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from shared.web import problems
from sync.endpoint import endpoint, install_desk
from sync.sight_door import door, install_sights


def hub_app(hub: Any) -> Flask:
    """The app of a hub of tests/sync/conftest.py (a Box)."""
    app = Flask("hub")
    problems.install(app)
    app.register_blueprint(endpoint)
    app.register_blueprint(door)
    install_desk(app, hub.desk)
    install_sights(app, hub.node)
    return app


def serve_app(kit: Any, app: Flask) -> str:
    """Serve until the test ends; the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()

    def close() -> None:
        server.shutdown()
        thread.join(10)
        server.server_close()

    kit.closing.append(close)
    return f"http://127.0.0.1:{server.server_port}"
