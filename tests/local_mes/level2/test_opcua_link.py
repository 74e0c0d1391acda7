"""An OPC UA link against a real server: events once and in order through restarts of either side; calls answered."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua, uamethod
from asyncua.crypto.cert_gen import (
    dump_private_key_as_pem,
    generate_private_key,
    generate_self_signed_app_certificate,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName, UniformResourceIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID
from level2_peers import Site, collecting, until

from demo.simulator.address_space import CopiedSpace
from local_mes.level2 import down
from local_mes.level2.links import load_links
from local_mes.level2.ring import missing_slots, read_event
from shared.clock import FixedClock
from shared.errors import BadSetup
from shared.ports import free_port

MakeSite = Callable[..., Site]
LINK = """
[[link]]
code = "HSM"
kind = "opcua"
address = "opc.tcp://127.0.0.1:{port}"
security = "None"
  [link.map]
  "*.Done" = "ignore"
"""


class Mill:
    """A Level-2 server with the ring of the interface; `state` survives a restart unless the test forgets it."""

    def __init__(self, port: int, certificates: Path | None = None) -> None:
        self.port = port
        self.certificates = certificates
        self.slots: dict[int, str] = {}
        self.counter = 0
        self.acknowledged: int | str = 0
        self.ack_type = ua.VariantType.UInt32
        self.calls: list[tuple[Any, ...]] = []
        self._nodes: dict[str, Any] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = Server(CopiedSpace())
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}")
        await self._secure(server)
        index = await server.register_namespace("urn:strandline:level2")
        line = await server.nodes.objects.add_object(index, "Line")
        counter = await line.add_variable(index, "EventCounter", self.counter, ua.VariantType.UInt32)
        ack = await line.add_variable(index, "AckSeq", self.acknowledged, self.ack_type)
        await ack.set_writable()
        ring = await line.add_object(index, "Ring")
        nodes = [await ring.add_variable(index, f"Slot{n:03d}", self.slots.get(n, "")) for n in range(1000)]
        pdi = await server.nodes.objects.add_object(index, "PDI")
        await pdi.add_method(
            index, "Store", self._store, [ua.VariantType.String] + [ua.VariantType.Int64] * 2, [ua.VariantType.Int32]
        )
        async with server:
            self._nodes = {"counter": counter, "ack": ack, "slots": nodes}
            try:
                yield
            finally:
                self.acknowledged = await ack.read_value()

    async def _secure(self, server: Server) -> None:
        if self.certificates is None:
            server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
            return
        await server.set_application_uri("urn:test:mill")
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        await server.load_certificate(self.certificates / "server.der")
        await server.load_private_key(self.certificates / "server.pem")

    async def happens(self, event: str = "Done", text: str | None = None, **fields: Any) -> None:
        self.counter += 1
        slot = {"seq": self.counter, "unit": "R1", "event": event, "time": "2026-03-11T06:00:00.120", "fields": fields}
        self.slots[self.counter % 1000] = text if text is not None else json.dumps(slot)
        await self._nodes["slots"][self.counter % 1000].write_value(self.slots[self.counter % 1000])
        await self._nodes["counter"].write_value(self.counter, ua.VariantType.UInt32)

    async def acknowledges(self, sequence: int) -> None:
        async with asyncio.timeout(150):
            while await self._nodes["ack"].read_value() != sequence:
                await asyncio.sleep(0.02)

    @uamethod
    def _store(self, _parent: Any, slab: str, thickness_um: int, width_um: int) -> int:
        self.calls.append((slab, thickness_um, width_um))
        return 7 if slab == "held" else 0


def scene_of(make_site: MakeSite) -> tuple[Site, Mill]:
    port = free_port()
    return make_site(more=LINK.format(port=port)), Mill(port)


def run(job: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(job())  # type: ignore[arg-type]


def sequences(site: Site) -> list[int]:
    return [row.sequence for row in site.spooled()]


def test_events_come_in_order_once_and_are_acknowledged(make_site: MakeSite, clock: FixedClock) -> None:
    site, mill = scene_of(make_site)

    async def scene() -> None:
        async with mill.running():
            for n in range(250):
                await mill.happens(slab=f"S{n}", thickness_um=38000)
            async with collecting(site, clock):
                await mill.acknowledges(250)
                assert sequences(site) == list(range(1, 251))
                await mill.happens("State", state="DOWN")
                await mill.acknowledges(251)
                await until(lambda: site.state_name("HSM") == "connected")
        last = site.spooled()[-1]
        assert (last.message, json.loads(last.fields), last.claimed_ms) == (
            "R1.State",
            {"state": "DOWN"},
            1773205200120,
        )

    run(scene)


def test_the_first_connect_is_tried_until_the_server_is_there(make_site: MakeSite, clock: FixedClock) -> None:
    site, mill = scene_of(make_site)

    async def scene() -> None:
        async with collecting(site, clock):
            await until(lambda: "cannot be used" in str(site.state("HSM").detail) if site.state_name("HSM") else False)
            async with mill.running():
                await mill.happens(slab="S1")
                await mill.acknowledges(1)

    run(scene)
    assert sequences(site) == [1]


def test_a_server_of_another_make_is_no_reason_to_die(make_site: MakeSite, clock: FixedClock) -> None:
    site, mill = scene_of(make_site)

    async def scene() -> None:
        mill.acknowledged, mill.ack_type = "none", ua.VariantType.String
        async with collecting(site, clock) as collector:
            async with mill.running():
                await until(lambda: "ValueError" in str(site.state("HSM").detail) if site.state_name("HSM") else False)
            mill.acknowledged, mill.ack_type = 0, ua.VariantType.UInt32
            async with mill.running():
                await mill.happens(slab="S1")
                await mill.acknowledges(1)
            assert not collector.done()

    run(scene)


def test_a_restarted_server_with_its_ring_loses_nothing(make_site: MakeSite, clock: FixedClock) -> None:
    site, mill = scene_of(make_site)

    async def scene() -> None:
        async with collecting(site, clock):
            async with mill.running():
                await mill.happens(slab="S1")
                await mill.acknowledges(1)
            mill.acknowledged = 0  # its last acknowledgement was not saved: the event comes again
            async with mill.running():
                await mill.happens(slab="S2")
                await mill.acknowledges(2)

    run(scene)
    assert sequences(site) == [1, 2]


def test_a_server_that_begins_again_at_zero_is_read_from_its_start(make_site: MakeSite, clock: FixedClock) -> None:
    site, mill = scene_of(make_site)

    async def scene() -> None:
        async with collecting(site, clock):
            async with mill.running():
                for n in range(3):
                    await mill.happens(slab=f"old {n}")
                await mill.acknowledges(3)
            mill.counter, mill.acknowledged, mill.slots = 0, 0, {}
            async with mill.running():
                await mill.happens(slab="new 0")
                await mill.acknowledges(1)

    run(scene)
    assert [json.loads(row.fields)["slab"] for row in site.spooled()] == ["old 0", "old 1", "old 2", "new 0"]


def test_a_restarted_collector_goes_on_where_it_was(make_site: MakeSite, clock: FixedClock) -> None:
    site, mill = scene_of(make_site)

    async def scene() -> None:
        async with mill.running():
            async with collecting(site, clock):
                await mill.happens(slab="S1")
                await mill.acknowledges(1)
            await mill.happens(slab="S2, while nobody read")
            async with collecting(site, clock):
                await mill.acknowledges(2)

    run(scene)
    assert sequences(site) == [1, 2]


def test_a_gap_and_an_unreadable_slot_are_shown_and_passed(make_site: MakeSite, clock: FixedClock) -> None:
    site, mill = scene_of(make_site)

    async def scene() -> None:
        async with mill.running():
            await mill.happens(slab="S1")
            await mill.happens(text=json.dumps({"seq": 9002, "unit": "R1", "event": "Done"}))  # another sequence
            await mill.happens(text="{half a slot")
            await mill.happens(slab="S4")
            async with collecting(site, clock):
                await mill.acknowledges(4)

    run(scene)
    assert sequences(site) == [1, 3, 4]
    assert site.state("HSM").gaps == 1
    assert [bool(row.problem) for row in site.spooled()] == [False, True, False]
    assert site.spooled()[1].raw == b"{half a slot"


def test_calls_go_down_and_their_status_comes_back(make_site: MakeSite, clock: FixedClock) -> None:
    site, mill = scene_of(make_site)
    good = down.queue_call(
        site.spool, clock, "HSM", "PDI.Store", {"slab": "BS6-08817", "t": 2500, "w": 1270000}, key="a"
    )
    held = down.queue_call(site.spool, clock, "HSM", "PDI.Store", {"slab": "held", "t": 2500, "w": 1270000}, key="b")
    odd = down.queue_call(site.spool, clock, "HSM", "PDI.Store", {"slab": None, "t": [], "w": 1}, key="d")
    wrong = down.queue_call(site.spool, clock, "HSM", "PDI.Erase", {"slab": "x"}, key="c")

    async def scene() -> None:
        async with collecting(site, clock), mill.running():
            await until(lambda: down.get_down(site.spool, wrong).state == "refused", within_s=20)

    run(scene)
    assert mill.calls == [("BS6-08817", 2500, 1270000), ("held", 2500, 1270000)]
    assert down.get_down(site.spool, good).state == "confirmed"
    assert down.get_down(site.spool, odd).answer.startswith("cannot be sent")
    assert (down.get_down(site.spool, held).state, down.get_down(site.spool, held).answer) == ("refused", "status 7")


def certify(folder: Path, name: str, uri: str, usage: ExtendedKeyUsageOID) -> None:
    key = generate_private_key()
    (folder / f"{name}.pem").write_bytes(dump_private_key_as_pem(key))
    hosts = [UniformResourceIdentifier(uri), DNSName("localhost"), DNSName(socket.gethostname())]
    made = generate_self_signed_app_certificate(key, name, {"organizationName": "Test"}, hosts, [usage], days=2)
    (folder / f"{name}.der").write_bytes(made.public_bytes(Encoding.DER))


def test_a_secured_link_believes_only_the_server_it_knows(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path
) -> None:
    certify(tmp_path, "client", "urn:strandline:level2:client", ExtendedKeyUsageOID.CLIENT_AUTH)
    certify(tmp_path, "server", "urn:test:mill", ExtendedKeyUsageOID.SERVER_AUTH)
    certify(tmp_path, "other", "urn:test:mill", ExtendedKeyUsageOID.SERVER_AUTH)
    port = free_port()
    mill = Mill(port, tmp_path)
    known = 'certificate = "client.der"\nprivate_key = "client.pem"\nserver_certificate = "server.der"'
    more = LINK.format(port=port).replace('security = "None"', known)

    async def scene(site: Site, *, believed: bool) -> None:
        async with collecting(site, clock), mill.running():
            await mill.happens(slab="S1")
            if believed:
                await mill.acknowledges(1)
            else:
                await until(
                    lambda: "cannot be used" in str(site.state("HSM").detail) if site.state_name("HSM") else False
                )

    asyncio.run(scene(make_site(more=more.replace('"server.der"', '"other.der"')), believed=False))
    mill.counter, mill.slots = 0, {}
    site = make_site(more=more)
    asyncio.run(scene(site, believed=True))
    assert sequences(site) == [1]
    with pytest.raises(BadSetup, match=r"missing\.pem"):
        load_links(make_site(more=more.replace("client.pem", "missing.pem")).settings)


@pytest.mark.parametrize(
    ("newest", "acknowledged", "read", "lost"),
    [
        (0, 0, range(1, 1), range(0)),  # nothing yet
        (5, 5, range(6, 6), range(0)),  # all read
        (7, 5, range(6, 8), range(0)),
        (1004, 4, range(5, 1005), range(0)),  # the whole ring, nothing lost
        (1005, 4, range(6, 1006), range(5, 6)),  # slot 5 was overwritten by 1005
        (2, 900, range(1, 3), range(0)),  # the server began again
        (1500, 4000, range(501, 1501), range(0)),
    ],
)
def test_which_slots_are_read(newest: int, acknowledged: int, read: range, lost: range) -> None:
    wanted = missing_slots(newest, acknowledged)
    assert (list(wanted.read), list(wanted.lost)) == (list(read), list(lost))


@pytest.mark.parametrize("value", [None, "", 17, b"x"])
def test_an_empty_slot_is_a_gap(value: object) -> None:
    assert read_event(3, value) is None


FOREIGN = (
    *("[]", "{}", "17", "\ud800", '{"seq": "3"}', '{"seq": 3, "fields": 4}', '{"seq": 3}'),
    '{"seq": 3, "unit": "RF1", "event": "Charge", "fields": {"temp_c": %s}}' % ("[" * 100_000 + "]" * 100_000),
)


@pytest.mark.parametrize("text", FOREIGN, ids=range(len(FOREIGN)))
def test_a_slot_that_says_nothing_readable_is_kept_with_its_problem(text: str) -> None:
    event = read_event(3, text)
    assert event is not None
    assert event.problem
    assert event.name == "unreadable"
