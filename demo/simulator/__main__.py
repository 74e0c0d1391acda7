"""python -m demo.simulator --dir demo-run --seed 1 [--size small] [--caster strand] [--speed 60]: play one run to its
end.

Waits for `nodes.json` (who is where, with which token), which the demo writes when the group is up. Exit 0: played to
the end.
"""

from __future__ import annotations

import argparse
import asyncio
import atexit
import contextlib
import gc
import json
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from demo.scenario.day import CASTERS, Scenario, build
from demo.scenario.next_day import build_next
from demo.simulator.by_file import by_file
from demo.simulator.clock_signal import ClockSignal
from demo.simulator.devices.room import Room
from demo.simulator.office import Office
from demo.simulator.people import Desk
from demo.simulator.player import Player
from demo.simulator.record import LedgerFile, Progress
from demo.simulator.trouble import ORDERS
from demo.simulator.wires import Wires

LOOK_S = 0.05
NODES_S = 120.0
COLLECT_EVERY = (50_000, 20, 20)
"""Two OPC UA servers are some hundred thousand objects that stay: looking for garbage among them every 700 new ones
takes a third of the time until they are open."""


def main() -> int:
    """Play until the end, or until told to stop (exit 143)."""
    parser = argparse.ArgumentParser(prog="demo.simulator")
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--size", choices=("full", "small"), default="full")
    parser.add_argument("--caster", choices=CASTERS, default="strand")
    parser.add_argument("--speed", type=float, default=0.0, help="times real time; 0 = as fast as the plants follow")
    args = parser.parse_args()
    gc.set_threshold(*COLLECT_EVERY)
    atexit.register(gc.freeze)
    # it warns that a demo's server on loopback is without security
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    try:
        asyncio.run(_run(args))
    except asyncio.CancelledError:
        return 143
    return 0


async def _run(args: argparse.Namespace) -> None:
    me = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, lambda: me.cancel() if me else None)
    folder: Path = args.dir
    where = json.loads((folder / "simulator.json").read_text())
    progress = Progress(folder / "progress.json")
    layouts, drops = ({code: Path(path) for code, path in where[name].items()} for name in ("layouts", "drops"))
    wires = Wires(where["links"], layouts, folder / ORDERS, drops)
    wires.restore(progress.wires)
    room = Room(where["devices"])
    ledger = LedgerFile(folder / "ledger.jsonl")
    try:
        await wires.start()
        await room.start()
        nodes = await _nodes(folder / "nodes.json")
        where = json.loads((folder / "simulator.json").read_text())  # now with the tokens
        while True:
            await _player(args, folder, where, nodes, wires, ledger, progress).run()
            if not args.speed:
                return
            progress.begin_day(progress.day + 1)
    finally:
        ledger.close()
        with contextlib.suppress(asyncio.CancelledError):
            await wires.stop()
            await room.stop()


async def _nodes(path: Path) -> dict[str, Any]:
    for _ in range(int(NODES_S / LOOK_S)):
        if path.exists():
            found: dict[str, Any] = json.loads(path.read_text())
            return found
        await asyncio.sleep(LOOK_S)
    sys.exit(f"{path} does not appear; is the group being set up?")


def _scenario(args: argparse.Namespace, day: int) -> Scenario:
    told = build_next(args.seed, day, args.size, args.caster) if day else build(args.seed, args.size, args.caster)
    return by_file(told) if args.caster == "file" else told


def _player(
    args: argparse.Namespace,
    folder: Path,
    where: dict[str, Any],
    nodes: dict[str, Any],
    wires: Wires,
    ledger: LedgerFile,
    progress: Progress,
) -> Player:
    desks = {code: Desk(node["url"], node["token"]) for code, node in nodes.items()}
    hub = where["hub"]
    office = Office(
        Desk(nodes[hub]["url"], where["author_token"]),
        Desk(nodes[hub]["url"], where["approver_token"]),
        Path(where["documents"]),
        tuple(Path(key) for key in where["holders"]),
        tuple(where["strandline"]),
        folder,
    )
    return Player(
        _scenario(args, progress.day),
        desks,
        wires,
        ClockSignal(folder / "clock.json"),
        ledger,
        progress,
        office,
        folder / "wan.json",
        hub,
        args.speed or None,
    )


if __name__ == "__main__":
    sys.exit(main())
