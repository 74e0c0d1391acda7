"""MQTT 5: messages of a broker, acknowledged to it one by one when they are on disk.

The session at the broker outlives the connection, so what comes while nobody listens waits there (QoS 1). A message
that the broker sends again, or keeps for late comers, counts once by its content. The library runs in a thread of its
own; everything it tells is handed to the event loop.
"""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from local_mes.level2.drivers.port import Answer, Driver, Heard, Settings, bad_link, read_settings

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

    from local_mes.level2.down import Down
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link

KEEPALIVE_S = 20
ANSWER_S = 10.0
OPEN_MAX = 100
"""Messages the broker sends before the first of them is acknowledged, and so the most in one commit."""
SESSION_S = 0xFFFFFFFE
"""How long the broker keeps our session: as long as it can, short of for ever (which some refuse)."""
FAILED = 0x80


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One subscription.

    message         what its messages are called; `{1}` stands for the topic's level 1, counted from 0
    format          `json`: an object gives its fields, anything else the field `value`; `text`: the field `value`
    time, sequence  fields of the object that hold the sender's time and number; with a number, repeats are recognised
    """

    filter: Annotated[str, Meta(min_length=1, max_length=400)]
    message: Annotated[str, Meta(min_length=1, max_length=64)]
    format: Literal["json", "text"] = "json"
    time: str = ""
    sequence: str = ""


class BrokerSettings(Settings, frozen=True, kw_only=True):
    """How a broker is reached. Files are named from the model file; tls_ca makes the connection TLS."""

    client_id: str = ""
    user: str = ""
    password_file: str = ""
    tls_ca: str = ""
    certificate: str = ""
    private_key: str = ""


class MqttSettings(BrokerSettings, frozen=True, kw_only=True):
    """`[link.settings]` of an MQTT link; orders: the topic an order is published to, by its name."""

    topics: tuple[Topic, ...] = ()
    orders: dict[str, str] = {}


class BrokerDriver(Driver):
    """What MQTT and Sparkplug share: the connection, and each message to the disk before its acknowledgement."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.broker: Any = read_settings(desk.link, self.Settings)
        self.client: Client | None = None
        self._arrived: asyncio.Queue[MQTTMessage | OSError] = asyncio.Queue()
        self._answers: dict[int, asyncio.Future[int]] = {}

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """Files, the address, the library, and no password in the clear."""
        settings: Any = read_settings(link, cls.Settings)
        if not link.address.rpartition(":")[2].isdigit():
            raise bad_link(link.code, f"its address {link.address!r} is not host:port")
        if settings.user and not settings.tls_ca:
            raise bad_link(link.code, "a user's password needs TLS (tls_ca): without it whoever listens has it")
        for key in ("password_file", "tls_ca", "certificate", "private_key"):
            name = getattr(settings, key)
            if name and not (folder / name).is_file():
                raise bad_link(link.code, f"the file `{key}` ({name}) is not there")
        try:
            import paho.mqtt.client  # noqa: F401
        except ImportError as error:
            raise bad_link(link.code, "MQTT needs the extra `mqtt` (pip install 'strandline[mqtt]')") from error

    @abstractmethod
    def filters(self) -> list[str]:
        """What is subscribed to."""

    @abstractmethod
    def read(self, topic: str, payload: bytes, again: bool) -> Heard | None:
        """The message in a payload, None when it says nothing that is kept."""

    async def begin(self) -> None:
        """Called when subscribed."""

    async def session(self) -> None:
        """Connect, subscribe, hear until the connection ends."""
        from local_mes.level2.drivers.mqtt_client import connected

        self._arrived, self._answers = asyncio.Queue(), {}
        async with connected(self.desk, self.broker, self._arrived, self._answers) as client:
            self.client = client
            try:
                await self._subscribe(client)
                self.desk.connected(self.desk.link.address)
                await self.begin()
                while True:
                    await self._take(client, await self._next())
            finally:
                self.client = None

    async def _subscribe(self, client: Client) -> None:
        _, number = client.subscribe([(one, 1) for one in self.filters()])
        code = await self._answered(number)
        if code >= FAILED:
            raise ConnectionError(f"The broker refused a subscription (code {code}).")

    async def _next(self) -> list[MQTTMessage]:
        """What has arrived, at least one; an error that ended the connection is raised."""
        found = [await self._arrived.get()]
        while len(found) < OPEN_MAX and not self._arrived.empty():
            found.append(self._arrived.get_nowait())
        for one in found:
            if isinstance(one, OSError):
                raise one
        return [one for one in found if not isinstance(one, OSError)]

    async def _take(self, client: Client, arrived: Iterable[MQTTMessage]) -> None:
        """All to the disk, then all acknowledged."""
        heard = [self.read(one.topic, bytes(one.payload), one.dup or one.retain) for one in arrived]
        await self.desk.keep(*(one for one in heard if one is not None))
        for one in arrived:
            client.ack(one.mid, one.qos)

    async def publish(self, topic: str, payload: bytes) -> Answer:
        """Publish and wait until the broker has it; what Level 2 makes of it is another message."""
        if self.client is None:
            raise ConnectionError("The broker is not connected.")
        code = await self._answered(self.client.publish(topic, payload, qos=1).mid)
        return Answer(code < FAILED, "the broker has it" if code < FAILED else f"the broker refused it (code {code})")

    async def _answered(self, number: int | None) -> int:
        answer = self._answers.setdefault(number or 0, asyncio.get_running_loop().create_future())
        try:
            return await asyncio.wait_for(answer, ANSWER_S)
        finally:
            self._answers.pop(number or 0, None)


class MqttDriver(BrokerDriver):
    """Topics as messages, orders as topics."""

    Settings = MqttSettings

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """The same, and at least one topic to hear."""
        super().check(link, folder)
        if not read_settings(link, MqttSettings).topics:
            raise bad_link(link.code, "it names no topics")

    @classmethod
    def shadow(cls, link: Link) -> type[Driver]:
        """The broker keeps a session for each client: what we take is ours."""
        return cls

    def filters(self) -> list[str]:
        """The topics of the settings."""
        return [one.filter for one in self.broker.topics]

    def read(self, topic: str, payload: bytes, again: bool) -> Heard | None:
        """By the first subscription that fits."""
        from paho.mqtt.client import topic_matches_sub

        rule = next((one for one in self.broker.topics if topic_matches_sub(one.filter, topic)), None)
        return None if rule is None else heard_of(rule, topic, payload, again)

    async def send(self, order: Down) -> Answer:
        """Publish an order's fields as JSON."""
        topic = self.broker.orders.get(order.message)
        if topic is None:
            return Answer(False, f"cannot be sent: the link names no topic for {order.message}")
        return await self.publish(topic, msgspec.json.encode(order.fields))


def heard_of(rule: Topic, topic: str, payload: bytes, again: bool) -> Heard:
    """The message in a payload by its rule; what cannot be read is kept with its problem."""
    levels = topic.split("/")
    name = re.sub(r"\{(\d+)\}", lambda hit: levels[int(hit[1])] if int(hit[1]) < len(levels) else "", rule.message)
    try:
        content = payload.decode() if rule.format == "text" else msgspec.json.decode(payload)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        return Heard(name, {}, payload, again=again, problem=f"The message on {topic} cannot be read: {error}.")
    fields = content if isinstance(content, dict) else {"value": content}
    number = fields.get(rule.sequence) if rule.sequence else None
    sequence = number if isinstance(number, int) and abs(number) < 2**62 else None
    return Heard(name, fields, payload, str(fields.get(rule.time, "")) if rule.time else "", sequence, again=again)
