"""Plant and edge as processes of their own: forked from one that has everything imported, killed at a labelled point.

Reads one JSON order a line, {"role", "folder", "port", "link_port", "point", "when", "nth"}, forks, prints the pid.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "support")]

from dying import arm  # noqa: E402
from edge_bench import SETPOINT_VALID_MS, settings_of  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

from local_mes.level2.edge import orders  # noqa: E402
from local_mes.level2.edge.site import run_edge  # noqa: E402
from local_mes.wsgi import start_plant  # noqa: E402
from shared.logs import set_up  # noqa: E402
from sync import caller, exchange, station  # noqa: E402, F401

# a test does not wait as long for a dead holder's lease as a plant may
exchange.LEASE_S = station.LEASE_S = 1.0
orders.SETPOINT_VALID_MS = SETPOINT_VALID_MS


def run_plant(folder: Path, port: int, link_port: int) -> None:
    served = start_plant(settings_of(folder, edge=False, link_port=link_port))
    served.start()
    make_server("127.0.0.1", port, served.app, threaded=True).serve_forever(poll_interval=0.05)


def run_site(folder: Path, port: int, link_port: int) -> None:
    run_edge(settings_of(folder, edge=True, port=port, link_port=link_port, log_level="ERROR"))


def child(order: dict[str, Any]) -> None:
    if order["point"]:
        arm(order["point"], order["when"], order["nth"])
    role = {"plant": run_plant, "edge": run_site}[order["role"]]
    role(Path(order["folder"]), order["port"], order["link_port"])


def main() -> None:
    set_up("CRITICAL")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                child(order)
            finally:
                traceback.print_exc()
                os._exit(1)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
