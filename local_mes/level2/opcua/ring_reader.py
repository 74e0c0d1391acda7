"""The numbered ring of events: read in order, on disk before it is acknowledged.

The subscription on EventCounter only wakes the reader; what counts is read from the ring, so a notification that is
lost, doubled or late changes nothing. Read are the slots from AckSeq + 1 to EventCounter; what a dying process had
stored but not acknowledged comes again and is recognised by sequence and content.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.uaerrors import UaError

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Heard
from local_mes.level2.link_state import CONNECTED
from local_mes.level2.ring import RING_SLOTS, missing_slots, read_event

NAMESPACE = "urn:strandline:level2"
LOOK_S = 5.0
"""The counter is looked at this often even when nothing wakes the reader."""
READ_SLOTS_MAX = 200
"""Slots in one read: well below what servers allow in one request."""
PUBLISH_MS = 20
"""One counter is watched, so a short interval costs nothing and an event is on disk within some 50 ms."""


@dataclass(frozen=True)
class Ring:
    """The nodes of one server."""

    client: Client
    counter: Node
    acknowledged: Node
    slots: Sequence[Node]


class RingReader:
    """Reads one server's ring for as long as its session lasts."""

    def __init__(self, desk: Desk, client: Client) -> None:
        self._desk = desk
        self._client = client
        self._wake = asyncio.Event()

    def datachange_notification(self, _node: Node, _value: Any, _change: Any) -> None:
        """Called by the library when EventCounter changes."""
        self._wake.set()

    async def run(self) -> None:
        """Find the ring and read it until cancelled."""
        ring = await self._find()
        subscription = await self._client.create_subscription(PUBLISH_MS, self)
        await subscription.subscribe_data_change(ring.counter)
        self._desk.connected(self._desk.link.address)
        await self._read(ring)

    async def _find(self) -> Ring:
        client = self._client
        index = await client.get_namespace_index(NAMESPACE)
        line = await client.nodes.objects.get_child([f"{index}:Line"])
        counter = await line.get_child([f"{index}:EventCounter"])
        acknowledged = await line.get_child([f"{index}:AckSeq"])
        folder = await line.get_child([f"{index}:Ring"])
        named = {d.BrowseName.Name: d.NodeId for d in await folder.get_children_descriptions()}
        wanted = [f"Slot{n:03d}" for n in range(RING_SLOTS)]
        if not named.keys() >= set(wanted):
            raise UaError(f"the ring has {len(named)} slots instead of {RING_SLOTS}")
        return Ring(client, counter, acknowledged, [client.get_node(named[name]) for name in wanted])

    async def _read(self, ring: Ring) -> None:
        while True:
            self._wake.clear()
            newest, acknowledged = await ring.client.read_values([ring.counter, ring.acknowledged])
            if newest is None or acknowledged is None:
                raise UaError("EventCounter and AckSeq cannot be read")
            self._desk.state.become(CONNECTED, detail=self._desk.state.detail)
            wanted = missing_slots(int(newest), int(acknowledged))
            if wanted.lost:
                self._desk.gap(
                    f"Events {wanted.lost[0]} to {wanted.lost[-1]} were overwritten before they were read.",
                    len(wanted.lost),
                )
            for at in range(0, len(wanted.read), READ_SLOTS_MAX):
                await self._take(ring, wanted.read[at : at + READ_SLOTS_MAX])
            if wanted.read or newest != acknowledged:
                await ring.acknowledged.write_value(ua.DataValue(ua.Variant(int(newest), ua.VariantType.UInt32)))
            if not wanted.read:
                await self._wait()

    async def _take(self, ring: Ring, wanted: range) -> None:
        """Store the events of some sequences; returns when all are on disk."""
        values = await ring.client.read_attributes([ring.slots[n % RING_SLOTS] for n in wanted])
        heard = []
        for sequence, value in zip(wanted, values, strict=True):
            event = read_event(sequence, value.Value.Value if value.Value else None)
            if event is None:
                self._desk.gap(f"Event {sequence} is not in its slot.")
                continue
            heard.append(
                Heard(
                    event.name,
                    event.fields,
                    event.raw,
                    claimed=event.claimed,
                    sequence=sequence,
                    problem=event.problem,
                )
            )
        await self._desk.keep(*heard)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), LOOK_S)
        except TimeoutError:
            return
