"""Data changes of one OPC UA server: bare, counted by a handler that does nothing, and as messages on the plant's disk.

The server (asyncua's) writes as fast as it can, the same changes both times; each listener is a process of its own. The
bare one stops the clock with the last change it was told, ours with the last that is in the spool, decoded and durable.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.server.server import Server

from bench.collector import SPAWN, collecting
from shared.interpreter import tune
from shared.ports import free_port

NODES, ROUNDS = 500, 40
WARM_ROUNDS = 4
"""Before the clock starts: connections, compiled statements, the first page of every file."""
PUBLISH_MS = 50
QUEUE = 1_000
NAMESPACE = "urn:bench:opcua"
Look = Callable[[], int | None]
"""How many changes have arrived, None for no news."""
LINK = """
[[link]]
code = "PLC"
kind = "opcua"
address = "opc.tcp://127.0.0.1:{port}"
  [link.settings]
  security = "None"
  publish_ms = {publish}
"""
SIGNAL = """
  [[link.settings.signals]]
  message = "S{n}"
  node = "nsu={space};s=V{n}"
"""


@dataclass(frozen=True)
class Changes:
    """Data changes a second, as messages on disk and told to a handler that does nothing."""

    stored: float
    bare: float


def measure_opcua(folder: Path) -> Changes:
    """One run of both, against a server each."""
    with _server() as (port, server):
        bare = _bare(port, server)
    with _server() as (port, server):
        stored = _stored(folder, port, server)
    return Changes(stored, bare)


@contextmanager
def _server() -> Iterator[tuple[int, Connection]]:
    port = free_port()
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(port, there), daemon=True)
    process.start()
    try:
        assert here.recv() == "ready"
        yield port, here
    finally:
        process.kill()
        process.join()


def _serve(port: int, steer: Connection) -> None:
    logging.disable(logging.WARNING)
    asyncio.run(_serving(port, steer))


async def _serving(port: int, steer: Connection) -> None:
    """Each number that comes is so many rounds of changes, written as fast as it goes."""
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(NAMESPACE)
    objects, names = server.nodes.objects, [f"V{n}" for n in range(NODES)]
    nodes = [await objects.add_variable(ua.NodeId.from_string(f"ns={index};s={name}"), name, 0.0) for name in names]
    value = 0.0
    async with server:
        steer.send("ready")
        while True:
            rounds = await asyncio.to_thread(steer.recv)
            for _ in range(rounds):
                value += 1
                for node in nodes:
                    now = datetime.now(UTC)  # noqa: TID251  the server's own clock
                    told = ua.DataValue(ua.Variant(value), SourceTimestamp=now, ServerTimestamp=now)  # type: ignore[arg-type]
                    await server.write_attribute_value(node.nodeid, told)
                await asyncio.sleep(0)


def _bare(port: int, server: Connection) -> float:
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_listen, args=(port, there), daemon=True)
    process.start()
    try:
        assert here.recv() == "ready"
        return _rate(server, lambda: here.recv() if here.poll(0.001) else None)
    finally:
        process.kill()
        process.join()


def _listen(port: int, tell: Connection) -> None:
    logging.disable(logging.WARNING)
    tune()
    asyncio.run(_listening(port, tell))


class _Nothing:
    """What a subscription can do least: it counts."""

    def __init__(self) -> None:
        self.count = 0

    def datachange_notification(self, _node: Any, _value: Any, _data: Any) -> None:
        self.count += 1


async def _listening(port: int, tell: Connection) -> None:
    handler = _Nothing()
    async with Client(f"opc.tcp://127.0.0.1:{port}") as client:
        index = await client.get_namespace_index(NAMESPACE)
        subscription = await client.create_subscription(PUBLISH_MS, handler)
        nodes = [client.get_node(f"ns={index};s=V{n}") for n in range(NODES)]
        await subscription.subscribe_data_change(nodes, queuesize=QUEUE)
        while handler.count < NODES:
            await asyncio.sleep(0.01)
        tell.send("ready")
        said = 0
        while True:
            await asyncio.sleep(0.002)
            if handler.count != said:
                said = handler.count
                tell.send(said)


def _stored(folder: Path, port: int, server: Connection) -> float:
    signals = "".join(SIGNAL.format(n=n, space=NAMESPACE) for n in range(NODES))
    with collecting(folder, LINK.format(port=port, publish=PUBLISH_MS) + signals):
        return _rate(server, lambda: _count(folder / "spool.sqlite"))


def _count(spool: Path) -> int:
    """Messages on disk; their numbers have no gaps."""
    time.sleep(0.002)
    if not spool.exists():
        return 0
    with sqlite3.connect(f"file:{spool}?mode=ro", uri=True) as database:
        try:
            return int(database.execute("SELECT coalesce(max(spool_id), 0) FROM message").fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0


def _rate(server: Connection, look: Look) -> float:
    """Changes a second, from the word to write them to the last one that has arrived."""
    _await(look, NODES)
    server.send(WARM_ROUNDS)
    _await(look, NODES * (1 + WARM_ROUNDS))
    begin = time.perf_counter()
    server.send(ROUNDS)
    _await(look, NODES * (1 + WARM_ROUNDS + ROUNDS))
    return NODES * ROUNDS / (time.perf_counter() - begin)


def _await(look: Look, wanted: int) -> None:
    end, count = time.perf_counter() + 120, 0
    while count < wanted:
        count = look() or count
        if time.perf_counter() > end:
            raise AssertionError(f"{count} of {wanted} changes arrived")
