"""The one place that knows the MQTT library: a connection as a context, its callbacks carried into the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.mqtt import ANSWER_S, KEEPALIVE_S, OPEN_MAX, SESSION_S, BrokerSettings

ENDED = 0xFF
"""Stands for a connection that ended before the broker answered."""


@asynccontextmanager
async def connected(
    desk: Desk,
    settings: BrokerSettings,
    arrived: asyncio.Queue[MQTTMessage | OSError],
    answers: dict[int, asyncio.Future[int]],
) -> AsyncIterator[Client]:
    """A connected client; messages and the end of the connection come through arrived, answers by packet number."""
    name = settings.client_id or f"strandline-{desk.plan.home.name}-{desk.link.code}"
    client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv5, reconnect_on_failure=False, manual_ack=True)
    _secure(client, desk, settings)
    told = _Told(client, arrived, answers)
    host, _, port = desk.link.address.rpartition(":")
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_S
    properties.ReceiveMaximum = OPEN_MAX
    await asyncio.to_thread(client.connect, host, int(port), KEEPALIVE_S, clean_start=False, properties=properties)
    client.loop_start()
    try:
        code = await asyncio.wait_for(told.opened, ANSWER_S)
        if code:
            raise ConnectionError(f"The broker does not let us in (code {code}).")
        yield client
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


def _secure(client: Client, desk: Desk, settings: BrokerSettings) -> None:
    folder = desk.plan.folder
    if settings.tls_ca:
        shown = str(folder / settings.certificate) if settings.certificate else None
        key = str(folder / settings.private_key) if settings.private_key else None
        client.tls_set(str(folder / settings.tls_ca), certfile=shown, keyfile=key)
    if settings.user:
        password = (folder / settings.password_file).read_text("utf-8").strip() if settings.password_file else None
        client.username_pw_set(settings.user, password)


class _Told:
    """The library's callbacks: they run in its thread, so all they do is carry on into the event loop."""

    def __init__(
        self,
        client: Client,
        arrived: asyncio.Queue[MQTTMessage | OSError],
        answers: dict[int, asyncio.Future[int]],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived = arrived
        self._answers = answers
        self.opened: asyncio.Future[int] = self._loop.create_future()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect

    def _on_connect(self, _client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._loop.call_soon_threadsafe(_settle, self.opened, reason.value)

    def _on_subscribe(self, _client: Client, _userdata: Any, number: int, reasons: Any, _properties: Any) -> None:
        self._loop.call_soon_threadsafe(self._answered, number, max((one.value for one in reasons), default=0))

    def _on_publish(self, _client: Client, _userdata: Any, number: int, reason: Any, _properties: Any) -> None:
        self._loop.call_soon_threadsafe(self._answered, number, reason.value)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._arrived.put_nowait, message)

    def _on_disconnect(self, _client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._loop.call_soon_threadsafe(_settle, self.opened, ENDED)
        lost = ConnectionError(f"The connection was lost: {reason}.")
        self._loop.call_soon_threadsafe(self._arrived.put_nowait, lost)

    def _answered(self, number: int, code: int) -> None:
        _settle(self._answers.setdefault(number, self._loop.create_future()), code)


def _settle(future: asyncio.Future[int], code: int) -> None:
    if not future.done():
        future.set_result(code)
