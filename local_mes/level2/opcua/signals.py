"""Changes of plain data nodes, and events, as messages: each stored once, whatever is told twice or told late.

After a gap the server's history is read from the last stored change on, before the first new one is looked at; what
then comes again is recognised by its time and value. A node the server does not know, or that has no value, is named
and concerns itself alone; it is asked for again now and then.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.events import Event
from asyncua.common.subscription import DataChangeEvent, OpcEvent, OverflowPolicy, StatusChangeEvent, Subscription
from asyncua.ua.uaerrors import UaError

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Heard
from local_mes.level2.drivers.signal_state import GOOD, REFUSED, SignalBoard, digest_of
from local_mes.level2.opcua.history import find_history
from local_mes.level2.opcua.settings import EventSource, OpcuaSettings, Signal
from local_mes.level2.opcua.values import NO_DATA, Reading, event_heard, find_node, overflowed, reading_of
from local_mes.level2.spool import Stored

QUEUE = 1_000
"""Changes a server keeps for each node between two publishes."""
HEARD_MAX = 100_000
"""Changes read ahead of the disk; more than that ends the session, and history fills the gap."""
ASK_AGAIN_S = 10.0


class Signals:
    """The signals and events of one link for one session."""

    def __init__(self, desk: Desk, settings: OpcuaSettings, client: Client) -> None:
        self._desk = desk
        self._settings = settings
        self._client = client
        self._by_handle: dict[int, Signal | EventSource] = {}
        self._commits: asyncio.Queue[tuple[str, asyncio.Future[Stored]]] = asyncio.Queue(HEARD_MAX)
        sources = {one.message: one.node for one in settings.sources}
        self._board = SignalBoard(desk, sources)

    async def run(self) -> None:
        """Subscribe, fill the gap, hear until cancelled."""
        await self._board.begin()
        subscription = await self._client.create_subscription(
            self._settings.publish_ms, None, queue_maxsize=HEARD_MAX, overflow=OverflowPolicy.DISCONNECT
        )
        counting = asyncio.create_task(self._count())
        try:
            self._desk.connected(self._desk.link.address)
            await self._subscribe(subscription, self._settings.sources)
            await self._fill_gap()
            await self._hear(subscription, counting)
        finally:
            counting.cancel()
            await self._board.all_lost("the connection is lost")

    async def _hear(self, subscription: Subscription, counting: asyncio.Task[None]) -> None:
        number, asked = subscription.subscription_id, asyncio.get_running_loop().time()
        while not counting.done():
            told = await subscription.next_event(1.0)
            if subscription.subscription_id != number:
                raise ConnectionError("The server dropped the subscription.")
            await self._take(told)
            now = asyncio.get_running_loop().time()
            if now - asked > ASK_AGAIN_S:
                asked = now
                refused = {name for name, one in self._board.states.items() if one.state == REFUSED}
                await self._subscribe(
                    subscription, tuple(one for one in self._settings.sources if one.message in refused)
                )
        counting.result()

    async def _take(self, told: DataChangeEvent | OpcEvent | StatusChangeEvent | None) -> None:
        if isinstance(told, DataChangeEvent):
            source = self._by_handle.get(told.data.subscription_data.server_handle or 0)
            if isinstance(source, Signal):
                await self._changed(source, told.data.monitored_item.Value)
        elif isinstance(told, OpcEvent):
            source = self._by_handle.get(told.event.server_handle or 0)
            if isinstance(source, EventSource):
                await self._happened(source, told.event)
        elif isinstance(told, StatusChangeEvent) and told.notification.Status.is_bad():
            raise ConnectionError(f"The server ended the subscription: {told.notification.Status.name}.")

    async def _subscribe(self, subscription: Subscription, sources: tuple[Signal | EventSource, ...]) -> None:
        """Ask for each by itself: one that the server refuses is named, the others are heard."""
        for source in sources:
            try:
                node = await find_node(self._client, source.node)
                if isinstance(source, EventSource):
                    kind = await find_node(self._client, source.type)
                    handle = await subscription.subscribe_events(node, kind, queuesize=QUEUE)
                    await self._desk.write(self._board.told(source.message, GOOD))
                else:
                    # the first value may be told before the answer comes: it waits in the queue until we are back
                    handle = await subscription.subscribe_data_change(
                        node, queuesize=QUEUE, sampling_interval=ua.Double(self._settings.publish_ms)
                    )
                self._by_handle[handle] = source
            except (UaError, ValueError) as error:
                if isinstance(error, ConnectionError | TimeoutError):
                    raise
                why = type(error).__name__ if isinstance(error, UaError) else str(error)
                await self._desk.write(self._board.told(source.message, REFUSED, why))

    async def _changed(self, signal: Signal, found: ua.DataValue, *, late: bool = False) -> None:
        """One value: as a state always, as a message when it is a change."""
        reading, before = reading_of(found), self._board.states[signal.message]
        if overflowed(found):
            self._desk.gap(f"{signal.message}: the server's queue ran over, changes before {reading.claimed} are lost.")
        heard = reading.heard(signal.message, late=late)
        wanted = reading.quality != NO_DATA and (signal.when == "change" or (before.is_low and bool(reading.value)))
        state = self._board.told(signal.message, reading.quality, reading.reason, reading.value)
        if not wanted or digest_of(heard) == before.stored:
            return await self._desk.write(state)
        if signal.fields:
            heard = await self._with_fields(signal, heard)
        await self._post(heard)

    async def _with_fields(self, signal: Signal, heard: Heard) -> Heard:
        """The values beside it; one without data is none, and the message says so."""
        more: dict[str, Any] = {}
        faults = []
        for name, text in signal.fields.items():
            try:
                node = await find_node(self._client, text)
                reading = reading_of(await node.read_data_value(raise_on_bad_status=False))
            except (UaError, ValueError) as error:
                reading = Reading(None, NO_DATA, type(error).__name__, "")
            more[name] = reading.value
            if reading.quality == NO_DATA:
                faults.append(f"{name} ({text}): {reading.reason}")
        problem = f"No data for {'; '.join(faults)}." if faults else ""
        return replace(heard, fields={**heard.fields, **more}, problem=problem)

    async def _happened(self, source: EventSource, event: Event, *, late: bool = False) -> None:
        heard = event_heard(source.message, event, late=late)
        if digest_of(heard) != self._board.states[source.message].stored:
            await self._post(heard)

    async def _post(self, heard: Heard) -> None:
        """To the disk without waiting for it; the signal's state goes along in the same commit."""
        beside = self._board.stored(heard)
        future = asyncio.wrap_future(self._desk.post(heard, self._desk.clock.now_ms(), beside))
        await self._commits.put((heard.message, future))

    async def _count(self) -> None:
        """What could not be stored ends the session: it is read again from the server's history."""
        while True:
            message, commit = await self._commits.get()
            stored = await commit
            self._desk.state.stored(message, self._desk.clock.now_ms(), repeated=stored.repeated)

    async def _fill_gap(self) -> None:
        """What the server has stored since the last change we have, in its order in time."""
        found, faults = await find_history(self._client, self._settings, self._board.states)
        for fault in faults:
            self._desk.gap(fault)
        for source, one in found:
            if isinstance(source, EventSource):
                await self._happened(source, one, late=True)
            else:
                await self._changed(source, one, late=True)
