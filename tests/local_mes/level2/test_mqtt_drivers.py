"""MQTT and Sparkplug B against a real Mosquitto: acknowledged when on disk, kept by the broker meanwhile, counted once."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import paho.mqtt.client as mqtt
import pysparkplug as spark
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from level2_peers import Site, collecting, until
from paho.mqtt.enums import CallbackAPIVersion
from test_opcua_issuers import KEY, OTHER_KEY, certificate

from local_mes.level2 import down
from local_mes.level2.drivers.signal_state import find_signals
from local_mes.level2.drivers.sparkplug import PayloadError, decode, encode_command
from local_mes.level2.links import load_links
from shared.clock import FixedClock
from shared.db.engine import write
from shared.errors import BadSetup
from shared.ports import free_port

MakeSite = Callable[..., Site]
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_broker = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
MQTT_LINK = """
[[link]]
code = "MQ"
kind = "mqtt"
address = "127.0.0.1:{port}"
  [link.settings]
  client_id = "strandline-test"
  [[link.settings.topics]]
  filter = "mill/+/done"
  message = "{{1}}.Done"
  time = "time"
  sequence = "seq"
  [[link.settings.topics]]
  filter = "scale"
  message = "WB.Weighed"
  [link.settings.orders]
  Zero = "scale/zero"
"""
SPARK_LINK = """
[[link]]
code = "SP"
kind = "sparkplug"
address = "127.0.0.1:{port}"
  [link.settings]
  client_id = "strandline-spark"
  [[link.settings.edges]]
  edge = "MELT/E1/EAF1"
  message = "EAF1.State"
    [link.settings.edges.fields]
    "Power/MW" = "power_mw"
    "Heat" = "heat"
    "Delta" = "delta"
"""


class Broker:
    """A Mosquitto of the test's own, its store on disk, and a client that plays the plant floor."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.file = folder / "mosquitto.conf"
        self.file.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true\nuser root\n"
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        process = subprocess.Popen([str(MOSQUITTO), "-c", str(self.file)], stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    @contextmanager
    def floor(self) -> Iterator[mqtt.Client]:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, "floor")
        end = monotonic() + 20
        while client.is_connected() is False and monotonic() < end:
            try:
                client.connect("127.0.0.1", self.port)
                break
            except OSError:  # it does not listen yet
                sleep(0.02)
        client.loop_start()
        try:
            yield client
        finally:
            client.disconnect()
            client.loop_stop()


class TlsBroker(Broker):
    """The same behind TLS: it shows a certificate for localhost and lets in whom its own issuer knows."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        issuer, stranger = certificate("Site", "Site"), certificate("Site", "Site", key=OTHER_KEY, holder=OTHER_KEY)
        for name, one in (
            ("ca", issuer),
            ("wrong", stranger),
            ("broker", certificate("broker", "Site", ca=False)),
            ("plant", certificate("plant", "Site", ca=False, usage="client")),
        ):
            (folder / f"{name}.pem").write_bytes(one.public_bytes(Encoding.PEM))
        key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "key.pem").write_bytes(key)
        self.file.write_text(
            self.file.read_text() + f"cafile {folder}/ca.pem\ncertfile {folder}/broker.pem\nkeyfile {folder}/key.pem\n"
            "require_certificate true\nuse_identity_as_username true\n"
        )


@needs_broker
def test_over_tls_both_sides_show_who_they_are_and_a_stranger_is_not_believed(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path
) -> None:
    (tmp_path / "broker").mkdir()
    broker = TlsBroker(tmp_path / "broker")
    ways = {
        "GOOD": ("localhost", "ca", True),
        "WRONGCA": ("localhost", "wrong", True),
        "OTHERNAME": ("127.0.0.1", "ca", True),
        "NOBODY": ("localhost", "ca", False),
    }
    own = 'certificate = "broker/plant.pem"\n  private_key = "broker/key.pem"'
    links = [
        MQTT_LINK.replace('"MQ"', f'"{code}"')
        .replace("127.0.0.1", host)
        .replace('client_id = "strandline-test"', f'tls_ca = "broker/{ca}.pem"\n  {own if shows else ""}')
        .format(port=broker.port)
        for code, (host, ca, shows) in ways.items()
    ]
    site = make_site(more="".join(links))

    def refused(code: str, why: str) -> bool:
        return site.state_name(code) == "away" and why in site.state(code).detail

    async def play() -> None:
        async with collecting(site, clock):
            await until(lambda: site.state_name("GOOD") == "connected")
            down.queue_telegram(site.spool, clock, "GOOD", "Zero", {"scale": "WB1"}, key="z1")
            await until(lambda: refused("WRONGCA", "certificate verify failed"))
            await until(lambda: refused("OTHERNAME", "is not valid for '127.0.0.1'"))
            await until(lambda: refused("NOBODY", "does not let us in"))
            await until(lambda: getattr(down.find_by_key(site.spool, "z1"), "state", "") == "confirmed")

    with broker.running():
        asyncio.run(play())


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    (tmp_path / "broker").mkdir()
    return Broker(tmp_path / "broker")


def contents(site: Site) -> list[tuple[str, dict[str, Any]]]:
    return [(row.message, json.loads(row.fields)) for row in site.spooled()]


async def says(client: mqtt.Client, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False) -> None:
    sent = client.publish(topic, payload, qos, retain)
    await asyncio.to_thread(sent.wait_for_publish, 10)


@needs_broker
def test_what_comes_while_nobody_listens_waits_at_the_broker(
    broker: Broker, make_site: MakeSite, clock: FixedClock
) -> None:
    site = make_site(more=MQTT_LINK.format(port=broker.port))
    heard: list[bytes] = []

    async def play(floor: mqtt.Client) -> None:
        floor.on_message = lambda _client, _userdata, message: heard.append(message.payload)
        floor.subscribe("scale/zero", 1)
        down.queue_telegram(site.spool, clock, "MQ", "Zero", {"scale": "WB1"}, key="z1")
        down.queue_telegram(site.spool, clock, "MQ", "Tare", {}, key="z2")
        async with collecting(site, clock):
            await until(lambda: site.state_name("MQ") == "connected")
            first = json.dumps({"seq": 1, "time": "2026-03-11T06:00:00", "slab": "S1"})
            await says(floor, "mill/R1/done", first)
            await says(floor, "mill/R1/done", first)  # the sender was not sure: its number names it
            await says(floor, "scale", "21450")
            await says(floor, "scale", "21450")  # the same weight twice is two weighings
            await says(floor, "mill/R1/done", "{half")
            await until(lambda: len(site.spooled()) == 4 and site.state("MQ").received == 5)
            await until(lambda: heard == [b'{"scale":"WB1"}'])
        await says(floor, "mill/R2/done", json.dumps({"seq": 2, "slab": "S2"}))
        async with collecting(site, clock):
            await until(lambda: len(site.spooled()) == 5)

    with broker.running(), broker.floor() as floor:
        asyncio.run(play(floor))
    assert contents(site)[0] == ("R1.Done", {"seq": 1, "time": "2026-03-11T06:00:00", "slab": "S1"})
    assert contents(site)[1:3] == [("WB.Weighed", {"value": 21450})] * 2
    assert [bool(row.problem) for row in site.spooled()] == [False, False, False, True, False]
    assert contents(site)[4] == ("R2.Done", {"seq": 2, "slab": "S2"})
    answers = [down.find_by_key(site.spool, key) for key in ("z1", "z2")]
    assert [(row.state, row.answer) for row in answers if row] == [
        ("confirmed", "the broker has it"),
        ("refused", "cannot be sent: the link names no topic for Tare"),
    ]


@needs_broker
def test_a_message_that_is_not_on_disk_is_not_acknowledged(
    broker: Broker, make_site: MakeSite, clock: FixedClock
) -> None:
    site = make_site(more=MQTT_LINK.format(port=broker.port))

    async def play(floor: mqtt.Client) -> None:
        async with collecting(site, clock) as collector:
            await until(lambda: site.state_name("MQ") == "connected")
            with write(site.spool):  # no commit gets through meanwhile
                await says(floor, "scale", "1")
                await says(floor, "scale", "2")
                collector.cancel()
        async with collecting(site, clock):
            await until(lambda: len(site.spooled()) >= 2)

    with broker.running(), broker.floor() as floor:
        asyncio.run(play(floor))
    assert [fields["value"] for _, fields in contents(site)] == [1, 2]


@needs_broker
def test_a_broker_restart_heals(broker: Broker, make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site(more=MQTT_LINK.format(port=broker.port))

    async def play() -> None:
        async with collecting(site, clock):
            with broker.running():
                await until(lambda: site.state_name("MQ") == "connected")
            await until(lambda: site.state_name("MQ") == "away")
            with broker.running(), broker.floor() as floor:
                await until(lambda: site.state_name("MQ") == "connected", within_s=15)
                await says(floor, "scale", "7")
                await until(lambda: len(site.spooled()) == 1)

    asyncio.run(play())


def metric(name: str | None, kind: spark.DataType, value: Any, alias: int | None = None) -> spark.Metric:
    return spark.Metric(timestamp=1773205200000, name=name, datatype=kind, value=value, alias=alias)


def birth(seq: int) -> bytes:
    metrics = (
        metric("Power/MW", spark.DataType.DOUBLE, 12.5, 1),
        metric("Heat", spark.DataType.STRING, "161843", 2),
        metric("Delta", spark.DataType.INT16, -7, 3),
        metric("Not asked for", spark.DataType.BOOLEAN, True, 4),
    )
    return bytes(spark.DBirth(timestamp=1773205200000, seq=seq, metrics=metrics).encode(include_dtypes=True))


def change(seq: int, alias: int, kind: spark.DataType, value: Any) -> bytes:
    payload = spark.DData(timestamp=1773205200000 + seq, seq=seq, metrics=(metric(None, kind, value, alias),))
    return bytes(payload.encode(include_dtypes=True))


@needs_broker
def test_sparkplug_birth_data_gap_and_death(broker: Broker, make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site(more=SPARK_LINK.format(port=broker.port))
    asked: list[str] = []

    def state() -> str:
        return next((str(row.state) for row in find_signals(site.spool, "SP")), "")

    async def play(floor: mqtt.Client) -> None:
        floor.on_message = lambda _client, _userdata, message: asked.append(decode(message.payload).metrics[0].name)
        floor.subscribe("spBv1.0/MELT/NCMD/E1")
        async with collecting(site, clock):
            await until(lambda: asked == ["Node Control/Rebirth"])
            await says(floor, "spBv1.0/MELT/DBIRTH/E1/EAF1", birth(0), qos=0)
            await says(floor, "spBv1.0/MELT/DDATA/E1/EAF1", change(1, 3, spark.DataType.INT16, -300), qos=0)
            await until(lambda: len(site.spooled()) == 2 and state() == "good")
            await says(floor, "spBv1.0/MELT/DDATA/E1/EAF1", change(3, 1, spark.DataType.DOUBLE, 80.25), qos=0)
            await until(lambda: len(asked) == 2 and site.state("SP").gaps == 1)
            await says(floor, "spBv1.0/MELT/DDATA/E1/EAF1", change(4, 99, spark.DataType.DOUBLE, 1.0), qos=0)
            await says(floor, "spBv1.0/MELT/DDATA/E1/EAF1", b"\xff\xff", qos=0)
            await says(floor, "spBv1.0/MELT/NDEATH/E1", b"", qos=0)
            await until(lambda: state() == "no_data")
        async with collecting(site, clock):  # the numbers of the birth are still known
            await until(lambda: len(asked) == 4)
            await says(floor, "spBv1.0/MELT/DDATA/E1/EAF1", change(5, 1, spark.DataType.DOUBLE, 81.0), qos=0)
            await until(lambda: len(site.spooled()) == 6)

    with broker.running(), broker.floor() as floor:
        asyncio.run(play(floor))
    assert contents(site)[0] == ("EAF1.State", {"birth": True, "power_mw": 12.5, "heat": "161843", "delta": -7})
    assert [fields for _, fields in contents(site)][1:] == [
        {"delta": -300},
        {"power_mw": 80.25},
        {},
        {},
        {"power_mw": 81.0},
    ]
    problems = [row.problem for row in site.spooled()]
    assert "99" in problems[3]
    assert "no Sparkplug payload" in problems[4]
    assert site.spooled()[1].claimed_ms == 1773205200001


def test_payloads_are_read_as_the_reference_writes_them() -> None:
    kinds = [
        (spark.DataType.INT8, -5),
        (spark.DataType.INT32, -70000),
        (spark.DataType.INT64, -(2**40)),
        (spark.DataType.UINT32, 2**32 - 1),
        (spark.DataType.UINT64, 2**64 - 1),
        (spark.DataType.FLOAT, 0.5),
        (spark.DataType.DOUBLE, 1.1),
        (spark.DataType.BOOLEAN, False),
        (spark.DataType.TEXT, "Härte"),
    ]
    metrics = tuple(metric(str(kind), kind, value) for kind, value in kinds)
    payload = spark.NBirth(timestamp=5, seq=255, metrics=metrics).encode(include_dtypes=True)
    read = decode(bytes(payload))
    assert (read.timestamp_ms, read.seq) == (5, 255)
    assert [one.value for one in read.metrics] == [value for _, value in kinds]
    command = spark.NCmd.decode(encode_command("Node Control/Rebirth", 7))
    assert [(one.name, one.value, one.datatype) for one in command.metrics] == [
        ("Node Control/Rebirth", True, spark.DataType.BOOLEAN)
    ]


@pytest.mark.parametrize("raw", [b"\x12\xff", b"\xff" * 20, b"\x0b", b"\x12\x05\x0a\x50ab", b"\x12\x03\x0a\x01\xff"])
def test_what_is_no_payload_is_refused(raw: bytes) -> None:
    with pytest.raises(PayloadError):
        decode(raw)


@pytest.mark.parametrize(
    ("replaced", "by", "why"),
    [
        ('client_id = "strandline-test"', 'user = "mes"', "needs TLS"),
        ('client_id = "strandline-test"', 'tls_ca = "nowhere.pem"', "nowhere.pem"),
        ("127.0.0.1:1", "127.0.0.1", "host:port"),
        ("[[link.settings.topics]]", "[[link.settings.topic]]", "topic"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(replaced: str, by: str, why: str, make_site: MakeSite) -> None:
    with pytest.raises(BadSetup, match=why):
        load_links(make_site(more=MQTT_LINK.format(port=1).replace(replaced, by)).settings)
