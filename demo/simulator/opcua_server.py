"""The OPC UA server of a plant's Level 2: counted events in a ring of 1,000 slots, and the PDI method of the mill.

A slot is written first, then EventCounter. While a slot still holds an event that AckSeq does not cover, the line
stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from asyncua import ua
from asyncua.common.callback import CallbackType
from asyncua.common.methods import uamethod
from asyncua.common.node import Node
from asyncua.server.server import Server

from demo.simulator.address_space import CopiedSpace

NAMESPACE = "urn:strandline:level2"
SLOTS = 1_000
LOOK_S = 1.0
"""Against a lost wake-up only: who waits for an acknowledgement is woken by it."""
STOP_S = 0.5
PDI_ARGUMENTS = (
    ua.VariantType.String,
    ua.VariantType.String,
    ua.VariantType.Int64,
    ua.VariantType.Int64,
    ua.VariantType.Int64,
    ua.VariantType.Int64,
    ua.VariantType.String,
)


@dataclass
class RingServer:
    """One server. `sequence` is the newest event; `open` the JSON of events not known to be acknowledged."""

    code: str
    endpoint: str
    zone: ZoneInfo
    sequence: int = 0
    acknowledged: int = 0
    open: OrderedDict[int, str] = field(default_factory=OrderedDict)
    pdi: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    _quiet: bool = False
    _quieting: asyncio.Task[None] | None = None
    _server: Server | None = None
    _counter: Node | None = None
    _ack: Node | None = None
    _slots: list[Node] = field(default_factory=list)
    _written: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Open the endpoint with the ring as it was left."""
        space = CopiedSpace()
        server = Server(space)
        await server.init()
        server.set_endpoint(self.endpoint)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await server.register_namespace(NAMESPACE)
        line = await server.nodes.objects.add_object(index, "Line")
        self._counter = await line.add_variable(index, "EventCounter", self.sequence, ua.VariantType.UInt32)
        self._ack = await line.add_variable(index, "AckSeq", self.acknowledged, ua.VariantType.UInt32)
        await self._ack.set_writable()
        ring = await line.add_folder(index, "Ring")
        self._slots = await space.add_variables(ring, index, [f"Slot{n:03d}" for n in range(SLOTS)])
        for sequence, text in self.open.items():
            await self._slots[sequence % SLOTS].write_value(text)
        pdi = await server.nodes.objects.add_object(index, "PDI")
        await pdi.add_method(index, "Store", self._store(), list(PDI_ARGUMENTS), [ua.VariantType.Int32])
        server.subscribe_server_callback(CallbackType.PostWrite, lambda _event, _service: self._written.set())
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Close the endpoint."""
        if self._server is not None:
            # the library closes its connections before its door and then waits for all to be gone: who comes in between
            # (a plant that connects again at once) would keep it waiting for ever
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.stop(), STOP_S)

    async def event(self, name: str, fields: Mapping[str, Any], at_ms: int) -> None:
        """Write `unit.event` into the next slot; waits while that slot is not free."""
        if self._counter is None:
            raise RuntimeError("the server is not started")
        await self._acknowledged_to(self.sequence + 2 - SLOTS)
        unit, _, event = name.partition(".")
        local = datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(self.zone)
        self.sequence += 1
        text = json.dumps(
            {
                "seq": self.sequence,
                "unit": unit,
                "event": event,
                "time": local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}",
                "fields": dict(fields),
            }
        )
        self.open[self.sequence] = text
        await self._slots[self.sequence % SLOTS].write_value(text)
        await self._count()

    async def skip(self, count: int) -> None:
        """Numbers that no event has: the controller lost them."""
        self.sequence += count
        await self._count()

    async def garble(self) -> None:
        """An event that is no JSON."""
        self.sequence += 1
        await self._slots[self.sequence % SLOTS].write_value("\x15{no event")
        await self._count()

    async def forget_acknowledged(self, count: int) -> None:
        """The controller no longer knows that the last ones were read: they are read again."""
        if self._ack is not None:
            before = max(0, await self.read_acknowledged() - count)
            await self._ack.write_value(before, ua.VariantType.UInt32)

    def quiet(self, seconds: float) -> None:
        """Events happen and nobody is told; then all at once."""
        self._quiet = True
        self._quieting = asyncio.create_task(self._speak_again(seconds))

    async def _speak_again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._quiet = False
        await self._count()

    async def _count(self) -> None:
        if self._counter is not None and not self._quiet:
            await self._counter.write_value(self.sequence, ua.VariantType.UInt32)
            await self._publish()

    async def read_acknowledged(self) -> int:
        """AckSeq as the plant has written it; what it covers is forgotten."""
        if self._ack is None:
            raise RuntimeError("the server is not started")
        self.acknowledged = int(await self._ack.read_value())
        while self.open and next(iter(self.open)) <= self.acknowledged:
            self.open.popitem(last=False)
        return self.acknowledged

    async def drained(self) -> None:
        """Return when every event is acknowledged."""
        await self._acknowledged_to(self.sequence)

    async def _acknowledged_to(self, sequence: int) -> None:
        while True:
            self._written.clear()
            if await self.read_acknowledged() >= sequence:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._written.wait(), LOOK_S)

    async def _publish(self) -> None:
        """Tell subscribers now, as a controller does that publishes on change; the library would wait for its beat."""
        if self._server is not None:
            for subscription in list(self._server.iserver.subscription_service.subscriptions.values()):
                await subscription.publish_results()

    def _store(self) -> Any:
        kept = self.pdi

        @uamethod
        def store(_parent: Any, slab: str, coil_no: str, *sizes: Any) -> int:
            kept[slab] = (coil_no, *sizes)
            return 0

        return store
