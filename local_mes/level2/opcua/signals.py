"""Changes of plain data nodes, and events, as messages: each stored once, whatever is told twice or told late.

After a gap the server's history is read from the last stored change on, before the first new one is looked at; what
then comes again is recognised by its time and value. A node the server does not know, or that has no value, is named
and concerns itself alone; it is asked for again now and then, and its gap is filled when it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
from local_mes.level2.drivers.together import until_one_ends
from local_mes.level2.opcua.history import find_history, find_unknown, server_time
from local_mes.level2.opcua.settings import EventSource, OpcuaSettings, Signal
from local_mes.level2.opcua.values import NO_DATA, Reading, event_heard, find_node, is_after, overflowed, reading_of

QUEUE = 1_000
"""Changes a server keeps for each node between two publishes."""
HEARD_MAX = 100_000
"""Changes read ahead of the disk; more than that ends the session, and history fills the gap."""
PENDING_MAX = 5_000
ASK_AGAIN_S = 10
UNKNOWN = "nobody knows what changed meanwhile"


class Signals:
    """The signals and events of one link for one session."""

    def __init__(self, desk: Desk, settings: OpcuaSettings, client: Client) -> None:
        self._desk = desk
        self._settings = settings
        self._client = client
        self._by_handle: dict[int, Signal | EventSource] = {}
        self._pending: list[Heard] = []
        self._touched: set[str] = set()
        self._ready = asyncio.Event()
        self._asking = asyncio.Lock()
        self._began = ""
        sources = {one.message: one.node for one in settings.sources}
        self._board = SignalBoard(desk, sources)

    async def run(self) -> None:
        """Subscribe, fill the gap, hear until cancelled."""
        await self._board.begin()
        subscription = await self._client.create_subscription(
            self._settings.publish_ms, None, queue_maxsize=HEARD_MAX, overflow=OverflowPolicy.DISCONNECT
        )
        try:
            self._desk.connected(self._desk.link.address)
            await self._listen(subscription, self._settings.sources)
            await until_one_ends(self._hear(subscription), self._store(), self._look_after(subscription))
        finally:
            await self._board.all_lost("the connection is lost")

    async def _hear(self, subscription: Subscription) -> None:
        async for told in subscription:
            await self._take(told)
            while len(self._pending) > PENDING_MAX:
                await asyncio.sleep(0.01)

    async def _store(self) -> None:
        """All that has come meanwhile in one commit. What cannot be stored ends the session: history has it."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            heard, self._pending = self._pending, []
            touched, self._touched = self._touched, set()
            await self._desk.keep_beside(heard, self._board.saving(touched))

    async def _look_after(self, subscription: Subscription) -> None:
        """Notice a subscription that was made anew behind our back, and ask again for what was refused."""
        number, looks = subscription.subscription_id, 0
        while subscription.subscription_id == number:
            await asyncio.sleep(1)
            looks += 1
            if looks % ASK_AGAIN_S == 0:
                heard = {one.message for one in self._by_handle.values()}
                await self._listen(subscription, [one for one in self._settings.sources if one.message not in heard])
        raise ConnectionError("The server dropped the subscription.")

    async def _take(self, told: DataChangeEvent | OpcEvent | StatusChangeEvent) -> None:
        if isinstance(told, DataChangeEvent):
            source = await self._source(told.data.subscription_data.server_handle)
            if isinstance(source, Signal):
                await self._changed(source, told.data.monitored_item.Value)
        elif isinstance(told, OpcEvent):
            source = await self._source(told.event.server_handle)
            if isinstance(source, EventSource):
                self._happened(source, told.event)
        elif isinstance(told, StatusChangeEvent) and told.notification.Status.is_bad():
            raise ConnectionError(f"The server ended the subscription: {told.notification.Status.name}.")

    async def _source(self, handle: int | None) -> Signal | EventSource | None:
        """Whose value it is; one that is just being asked for waits until its gap is filled."""
        if handle not in self._by_handle:
            async with self._asking:
                pass
        return self._by_handle.get(handle or 0)

    async def _listen(self, subscription: Subscription, sources: Sequence[Signal | EventSource]) -> None:
        """Ask for sources, and fill the gap of those that the server has before the first value of theirs is taken."""
        async with self._asking:
            heard = await self._subscribe(subscription, sources)
            if heard:
                await self._fill_gap(list(heard.values()))
            self._by_handle |= heard

    async def _subscribe(
        self, subscription: Subscription, sources: Sequence[Signal | EventSource]
    ) -> dict[int, Signal | EventSource]:
        """Ask for each by itself: one that the server refuses is named; the others by the handle of what they tell."""
        heard: dict[int, Signal | EventSource] = {}
        for source in sources:
            try:
                node = await find_node(self._client, source.node)
                if isinstance(source, EventSource):
                    kind = await find_node(self._client, source.type)
                    handle = await subscription.subscribe_events(node, kind, queuesize=QUEUE)
                    self._show(source.message, GOOD)
                else:
                    # the first value may be told before the answer comes: it waits until we are back
                    handle = await subscription.subscribe_data_change(
                        node, queuesize=QUEUE, sampling_interval=ua.Double(self._settings.publish_ms)
                    )
                heard[handle] = source
            except (UaError, ValueError) as error:
                if isinstance(error, ConnectionError | TimeoutError):
                    raise
                why = type(error).__name__ if isinstance(error, UaError) else str(error)
                self._show(source.message, REFUSED, why)
        return heard

    async def _changed(self, signal: Signal, found: ua.DataValue, *, late: bool = False) -> None:
        """One value: as a state always, as a message when it is a change."""
        reading, before = reading_of(found), self._board.states[signal.message]
        if overflowed(found):
            self._desk.gap(f"{signal.message}: the server's queue ran over, changes before {reading.claimed} are lost.")
        heard = reading.heard(signal.message, late=late)
        wanted = reading.quality != NO_DATA and (signal.when == "change" or (before.is_low and bool(reading.value)))
        digest = digest_of(heard)
        wanted = wanted and digest != before.stored
        if wanted and signal.fields:
            heard = await self._with_fields(signal, heard)
        # from here on without a pause: what is known of the signal and the message go to the disk in one commit
        self._show(signal.message, reading.quality, reading.reason, reading.value)
        before.claimed = reading.claimed or before.claimed
        if wanted:
            self._post(heard, digest)

    async def _with_fields(self, signal: Signal, heard: Heard) -> Heard:
        """The values beside it; one without data is none, and the message says so."""
        more: dict[str, Any] = {}
        faults = []
        past = heard.late or is_after(self._began, heard.claimed)
        for name, text in signal.fields.items():
            try:
                node = await find_node(self._client, text)
                reading = reading_of(await node.read_data_value(raise_on_bad_status=False))
                if past and is_after(reading.claimed, heard.claimed):
                    reading = Reading(None, NO_DATA, "it has changed since, what it was then is not known", "")
            except (UaError, ValueError) as error:
                reading = Reading(None, NO_DATA, type(error).__name__, "")
            more[name] = reading.value
            if reading.quality == NO_DATA:
                faults.append(f"{name} ({text}): {reading.reason}")
        problem = f"No data for {'; '.join(faults)}." if faults else ""
        return replace(heard, fields={**heard.fields, **more}, problem=problem)

    def _happened(self, source: EventSource, event: Event, *, late: bool = False) -> None:
        heard = event_heard(source.message, event, late=late)
        if (digest := digest_of(heard)) != self._board.states[source.message].stored:
            self._post(heard, digest)

    def _show(self, name: str, state: str, reason: str = "", value: Any = None) -> None:
        self._board.note(name, state, reason, value)
        self._touched.add(name)
        self._ready.set()

    def _post(self, heard: Heard, digest: str) -> None:
        """To the disk without waiting for it; the signal's state goes along in the same commit."""
        self._board.keeps(heard, digest)
        self._pending.append(heard)
        self._touched.add(heard.message)
        self._ready.set()

    async def _fill_gap(self, sources: Sequence[Signal | EventSource]) -> None:
        """What the server has stored of them since the last change we have, in its order in time."""
        found, faults = await find_history(self._client, sources, self._board.states)
        for fault in faults:
            self._desk.gap(fault)
        if unknown := await find_unknown(self._client, sources, self._board.states):
            self._desk.gap(f"{', '.join(unknown)}: nobody listened for a while, and without `history` {UNKNOWN}.")
        await self._begin(sources)
        for source, one in found:
            if isinstance(source, EventSource):
                self._happened(source, one, late=True)
            else:
                await self._changed(source, one, late=True)
        # what was told until here has waited: values beside it may be of another time
        self._began = await server_time(self._client)

    async def _begin(self, sources: Sequence[Signal | EventSource]) -> None:
        """What was never heard of counts from now on: after the next gap it is known since when."""
        now = await server_time(self._client)
        for source in sources:
            one = self._board.states[source.message]
            if not one.claimed:
                one.claimed = now
                self._touched.add(source.message)
                self._ready.set()
