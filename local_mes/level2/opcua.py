"""One OPC UA link: a ring of events read in order, on disk before it is acknowledged; method calls the other way.

The subscription on EventCounter only wakes the reader; what counts is read from the ring, so a notification that is
lost, doubled or late changes nothing. Read are the slots from AckSeq + 1 to EventCounter; what a dying process had
stored but not acknowledged comes again and is recognised by sequence and content. The library reconnects by itself
after the first connect; the first connect, and a server that stays unwell, are tried again here.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua import uaerrors
from asyncua.ua.uaerrors import UaError, UaStatusCodeError
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2 import down
from local_mes.level2.link_state import AWAY, CONNECTED, LinkState
from local_mes.level2.links import Link
from local_mes.level2.ring import RING_SLOTS, missing_slots, read_event
from local_mes.level2.spool import Incoming, SpoolWriter
from local_mes.level2.telegrams.frame import claimed_ms, zone_offset_min
from shared import logs
from shared.clock import Clock
from shared.errors import Unavailable

NAMESPACE = "urn:strandline:level2"
APPLICATION_URI = "urn:strandline:level2:client"
"""Stands in the plant's certificate as its URI; servers compare the two."""
LOOK_S = 5.0
"""The counter is looked at this often even when nothing wakes the reader."""
CONNECT_WAIT_S = (0.5, 1, 2, 5)
READ_SLOTS_MAX = 200
"""Slots in one read: well below what servers allow in one request."""
PUBLISH_MS = 20
"""One counter is watched, so a short interval costs nothing and an event is on disk within some 50 ms."""
ARGUMENT_TYPES = {
    str: ua.VariantType.String,
    int: ua.VariantType.Int64,
    float: ua.VariantType.Double,
    bool: ua.VariantType.Boolean,
}

log = logs.get("level2")


@dataclass(frozen=True)
class Ring:
    """The nodes of one server."""

    client: Client
    counter: Node
    acknowledged: Node
    slots: Sequence[Node]


@dataclass
class OpcuaLink:
    """One link. wake is set by a new event, down_wake when something waits to go down."""

    link: Link
    zone: ZoneInfo
    folder: Path
    clock: Clock
    writer: SpoolWriter
    state: LinkState
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    down_wake: asyncio.Event = field(default_factory=asyncio.Event)

    def datachange_notification(self, _node: Node, _value: Any, _change: Any) -> None:
        """Called by the library when EventCounter changes."""
        self.wake.set()

    async def run(self) -> None:
        """Connect and read until cancelled."""
        failures = 0
        while True:
            try:
                await self._session()
            except _ENDS_SESSION as error:
                self._away(f"{self.link.address} cannot be used: {type(error).__name__}: {error}".rstrip(": "))
            failures = 0 if self.state.state == CONNECTED else failures + 1
            await asyncio.sleep(CONNECT_WAIT_S[min(failures, len(CONNECT_WAIT_S) - 1)])

    async def _session(self) -> None:
        client = Client(
            self.link.address, timeout=4, auto_reconnect=True, reconnect_max_delay=2, reconnect_request_timeout=20
        )
        client.connection_lost_callback = self._on_lost
        await self._secure(client)
        await client.connect()
        try:
            index = await client.get_namespace_index(NAMESPACE)
            ring = await self._find_ring(client, index)
            subscription = await client.create_subscription(PUBLISH_MS, self)
            await subscription.subscribe_data_change(ring.counter)
            self.state.become(CONNECTED, peer=self.link.address)
            log.info("connected", link=self.link.code, peer=self.link.address)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(ring))
                tasks.create_task(self._call_down(client, index))
        except* _ENDS_SESSION as errors:
            # one cause is enough to begin again; the other task was cancelled because of it
            first = _first(errors)
            raise OSError(f"{type(first).__name__}: {first}") from errors
        finally:
            await _close(client)

    async def _secure(self, client: Client) -> None:
        if self.link.security == "None":
            return
        files = (self.link.certificate, self.link.private_key, self.link.server_certificate)
        parts = [self.link.security.replace("_", ""), "SignAndEncrypt", *(str(self.folder / name) for name in files)]
        client.application_uri = APPLICATION_URI
        await client.set_security_string(",".join(parts))

    async def _on_lost(self, error: Exception) -> None:
        self._away(f"The connection was lost: {error}")

    def _away(self, why: str) -> None:
        if why[:400] != self.state.detail:  # said once, not at every try
            log.warning("opcua link away", link=self.link.code, why=why)
        self.state.become(AWAY, detail=why[:400])

    async def _find_ring(self, client: Client, index: int) -> Ring:
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
            self.wake.clear()
            newest, acknowledged = await ring.client.read_values([ring.counter, ring.acknowledged])
            if newest is None or acknowledged is None:
                raise UaError("EventCounter and AckSeq cannot be read")
            self.state.become(CONNECTED, detail=self.state.detail)
            wanted = missing_slots(int(newest), int(acknowledged))
            if wanted.lost:
                self._gap(
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
        received = self.clock.now_ms()
        commits = []
        for sequence, value in zip(wanted, values, strict=True):
            event = read_event(sequence, value.Value.Value if value.Value else None)
            if event is None:
                self._gap(f"Event {sequence} is not in its slot.", 1)
                continue
            moment = claimed_ms(event.claimed, self.zone, received)
            self.state.offset.learn(received, moment)
            commits.append(
                (
                    event.name,
                    self.writer.append(
                        Incoming(
                            link=self.link.code,
                            message=event.name,
                            sequence=sequence,
                            claimed=event.claimed,
                            claimed_ms=moment,
                            received_ms=received,
                            offset_ms=self.state.offset.ms,
                            zone_offset_min=zone_offset_min(moment or received, self.zone),
                            raw=event.raw,
                            body=event.raw,
                            fields=event.fields,
                            problem=event.problem,
                        )
                    ),
                )
            )
        for name, commit in commits:
            stored = await asyncio.wrap_future(commit)
            self.state.stored(name, received, repeated=stored.repeated)

    def _gap(self, why: str, count: int) -> None:
        self.state.gaps += count
        self.state.detail = why
        log.warning("gap in events", link=self.link.code, why=why)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self.wake.wait(), LOOK_S)
        except TimeoutError:
            return

    async def _call_down(self, client: Client, index: int) -> None:
        while True:
            self.down_wake.clear()
            take = partial(down.take_next, link=self.link.code, now_ms=self.clock.now_ms())
            row = await asyncio.wrap_future(self.writer.submit(take))
            if row is None:
                await self.down_wake.wait()
                continue
            accepted, answer = await self._call(client, index, row)
            settle = partial(
                down.settle, down_id=row.down_id, now_ms=self.clock.now_ms(), accepted=accepted, answer=answer
            )
            await asyncio.wrap_future(self.writer.submit(settle))

    async def _call(self, client: Client, index: int, row: down.Down) -> tuple[bool, str]:
        """Call a method; status 0 is accepted. A server that refuses the call itself has refused it."""
        names = row.message.split(".")
        if not all(type(value) in ARGUMENT_TYPES for value in row.fields.values()):
            return False, "cannot be sent: an argument is neither text nor number"
        arguments = [ua.Variant(value, ARGUMENT_TYPES[type(value)]) for value in row.fields.values()]
        try:
            parent = await client.nodes.objects.get_child([f"{index}:{name}" for name in names[:-1]])
            status = await parent.call_method(f"{index}:{names[-1]}", *arguments)
        except UaStatusCodeError as error:
            if isinstance(error, _AGAIN):
                raise
            return False, f"{type(error).__name__}"
        return status == 0, f"status {status}"


_ENDS_SESSION = (
    OSError,
    UaError,
    TimeoutError,
    SQLAlchemyError,
    Unavailable,
    struct.error,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
)
"""All that a server can make the library (or a read of its values) raise: the session ends and begins again, the
other links go on, and the link's state says why."""
_AGAIN = (
    uaerrors.BadTimeout,
    uaerrors.BadConnectionClosed,
    uaerrors.BadSessionIdInvalid,
    uaerrors.BadSessionClosed,
    uaerrors.BadSecureChannelClosed,
    uaerrors.BadServerHalted,
    uaerrors.BadShutdown,
    uaerrors.BadTooManyOperations,
    uaerrors.BadCommunicationError,
)
"""Answers that speak of the connection, not of the call: it is made again."""


async def _close(client: Client) -> None:
    try:
        await asyncio.wait_for(client.disconnect(), 3)
    except (OSError, UaError, TimeoutError) as error:
        log.debug("disconnect", why=str(error))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
