"""A node as a process of its own, for kill -9: `node_process.py plant|hub FOLDER PORT [HOST]`.

The plant records slabs as fast as it can and prints the id of each after its commit; both serve until killed. HOST is
where the hub listens, this machine unless it is named.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from shared.clock import SystemClock
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.logs import set_up
from shared.material import projection as material
from shared.material.facts import Mass, MaterialCreated, NewMaterial
from shared.node import Node, build_node
from shared.settings import NodeSettings
from sync import exchange, station
from sync.endpoint import endpoint, install_desk
from sync.station import build_called, build_calling, http_transport

# a test does not wait as long for a dead holder's lease as a plant may
exchange.LEASE_S = station.LEASE_S = 1.0

QUICK = {"heartbeat_s": 0.2, "poll_s": 1, "retry_first_s": 0.05, "retry_max_s": 0.3, "batch_entries_max": 20}
NO_TLS = "a test's own cable"


def open_node(code: str, folder: Path) -> Node:
    settings = NodeSettings(code=code, name=code, folder=folder / code, sync=QUICK | {"allow_plain_http": NO_TLS})  # type: ignore[arg-type]
    return build_node(settings, [material.register], SystemClock())


def run_plant(folder: Path, port: int, host: str = "127.0.0.1") -> None:
    node = open_node("ALD", folder)
    build_calling(node, lambda: None, 10, http_transport(node, f"http://{host}:{port}")).start()
    while True:
        piece = new_id(node.clock)
        new = NewMaterial(material_id=piece, kind="slab", aliases=(), mass=Mass(1, "weighed"))
        with node.journal.work() as tx:
            (fact_id,) = tx.record(
                Draft(
                    payload=MaterialCreated(material=new, origin="made"),
                    subjects=(piece,),
                    actor="p",
                    occurred=Occurred(node.clock.now_ms(), "manual"),
                )
            )
        sys.stdout.write(fact_id + "\n")
        sys.stdout.flush()
        time.sleep(0.002)


def run_hub(folder: Path, port: int, host: str = "127.0.0.1") -> None:
    node = open_node("HUB", folder)
    station = build_called(node, 10)
    station.start()
    app = Flask("hub")
    app.register_blueprint(endpoint)
    install_desk(app, station.desk)
    server = make_server(host, port, app, threaded=True)
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    set_up("ERROR")
    role, folder, port, host = (*sys.argv[1:4], *sys.argv[4:], "127.0.0.1")[:4]
    {"plant": run_plant, "hub": run_hub}[role](Path(folder), int(port), host)
