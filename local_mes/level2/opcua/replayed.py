"""The other end of a ring of events for a replay: a server of OPC UA at the link's address that says what was captured.

It speaks without security, so it is used only where the link is without, and listens on this machine alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Coroutine
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.common.methods import uamethod
from asyncua.common.node import Node
from asyncua.server.server import Server

from local_mes.level2.capture import Captured
from local_mes.level2.links import Link
from local_mes.level2.opcua.ring_reader import NAMESPACE
from local_mes.level2.opcua.settings import opcua_settings
from local_mes.level2.ring import RING_SLOTS

OPEN_S = 120.0
"""A server is made in two seconds; on a machine that has no time to spare it takes longer."""
ANSWER_S = 30.0
STOP_S = 0.5
ACCEPTED = 0
T = TypeVar("T")

# it warns of each thing that a server of a replay has no need of
logging.getLogger("asyncua").setLevel(logging.ERROR)


def can_play(link: Link) -> bool:
    """Whether a link's other end is a ring and nothing else, to be listened for on this machine."""
    settings = opcua_settings(link)
    host = urlsplit(link.address).hostname or ""
    with contextlib.suppress(ValueError):
        plain = not (settings.secured or settings.sources or settings.jobs)
        return plain and settings.has_ring and (host == "localhost" or ip_address(host).is_loopback)
    return False


class RingPeer:
    """A server in a thread of its own; OSError when the address is taken."""

    def __init__(self, link: Link, first: int) -> None:
        """first: the number of the first event; those before it count as read."""
        self._server, self._slots = Server(), list[Node]()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="replayed ring", daemon=True)
        self._thread.start()
        try:
            self._done(self._open(link.address, first - 1), OPEN_S)
        except BaseException:
            self.close()
            raise

    def say(self, row: Captured) -> None:
        """Lay an event into its slot and count it."""
        self._done(self._put(row.sequence, row.raw.decode("utf-8", "surrogatepass")))

    def live(self) -> None:
        """A server says nothing by itself."""

    def listen(self) -> None:
        """Nor does it wait: calls are answered as they come."""

    def close(self) -> None:
        """Close the endpoint."""
        self._done(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_S)
        self._loop.close()

    def _done(self, work: Coroutine[Any, Any, T], within_s: float = ANSWER_S) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    async def _open(self, address: str, read_to: int) -> None:
        server = self._server
        await server.init()
        server.set_endpoint(address)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await server.register_namespace(NAMESPACE)
        line = await server.nodes.objects.add_object(index, "Line")
        self._counter = await line.add_variable(index, "EventCounter", read_to, ua.VariantType.UInt32)
        acknowledged = await line.add_variable(index, "AckSeq", read_to, ua.VariantType.UInt32)
        await acknowledged.set_writable()
        ring = await line.add_folder(index, "Ring")
        self._slots = [await ring.add_variable(index, f"Slot{n:03d}", "") for n in range(RING_SLOTS)]
        orders = await server.nodes.objects.add_object(index, "PDI")
        await orders.add_method(index, "Store", _accept, [], [ua.VariantType.Int32])
        await server.start()

    async def _end(self) -> None:
        # a plant that connects again while the library waits for all to be gone would keep it waiting
        with contextlib.suppress(TimeoutError, RuntimeError, OSError):
            await asyncio.wait_for(self._server.stop(), STOP_S)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _put(self, sequence: int, text: str) -> None:
        await self._slots[sequence % RING_SLOTS].write_value(text)
        await self._counter.write_value(sequence, ua.VariantType.UInt32)


@uamethod
def _accept(_parent: Any, *_arguments: Any) -> int:
    return ACCEPTED
