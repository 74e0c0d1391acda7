"""A process that has everything imported and forks node processes that kill themselves at a labelled point.

Its file is not called zygote: browsers have processes of that name, which people end by name.

It reads one JSON order a line: {"role", "folder", "port", "point", "when", "nth", "acks"}; for each it forks, prints
the child's pid, waits for its end and prints the exit status. The point is a function of the product by name; here,
and nowhere in the product, it is replaced by one that sends SIGKILL to its own process at its nth call.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "support")]

import deeds  # noqa: E402
import node_process  # noqa: E402
from dying import arm  # noqa: E402

from shared.logs import set_up  # noqa: E402

ROLES = {"plant": node_process.run_plant, "hub": node_process.run_hub, **deeds.ROLES}


def child(order: dict[str, Any]) -> None:
    acks = os.open(order["acks"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(acks, 1)
    sys.stdout = os.fdopen(1, "w")
    if order["point"]:
        arm(order["point"], order["when"], order["nth"])
    ROLES[order["role"]](Path(order["folder"]), order["port"])


def main() -> None:
    set_up("CRITICAL")
    gc.freeze()  # what is imported here is of no child's concern
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                child(order)
                code = 0
            finally:
                if code:
                    traceback.print_exc()
                os._exit(code)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
