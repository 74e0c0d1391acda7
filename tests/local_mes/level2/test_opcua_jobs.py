"""ISA-95 Job Control as client, against a server with the published types: stored, started, followed, answered."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, Node, Server, ua, uamethod
from asyncua.common.events import Event
from level2_peers import Site, collecting, until
from opcua_peers import NodeServer

from local_mes.level2 import down
from local_mes.level2.opcua.jobs import Jobs
from local_mes.level2.opcua.settings import JobsSettings
from shared.clock import FixedClock
from shared.ports import free_port

MakeSite = Callable[..., Site]
FORKS = multiprocessing.get_context("spawn")
NODESET = Path(__file__).parents[2] / "peers" / "nodesets" / "opc.ua.isa95-jobcontrol.nodeset2.xml"
MODEL = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"
LINK = """
[[link]]
code = "CC1J"
kind = "opcua"
address = "opc.tcp://127.0.0.1:{port}"
  [link.settings]
  security = "None"
  [link.settings.jobs]
  receiver = "nsu=urn:test:caster;s=Receiver"
  provider = "nsu=urn:test:caster;s=Provider"
"""
STATES = {"NotAllowedToStart": 1, "AllowedToStart": 2, "Running": 3, "Ended": 5}
UNKNOWN, THERE_ALREADY = 1, 2
START_S = 120
"""Two servers of two processes have read all types by then, also on a machine that is busy."""


class Caster:
    """A machine that takes jobs: one at a time, each told as its state changes.

    shared: at the server's own node, where another machine tells of jobs too.
    """

    def __init__(self, port: int, others: int = 0, *, shared: bool = False) -> None:
        self.port, self.others, self.shared = port, others, shared
        self.orders: dict[str, Any] = {}
        self.states: dict[str, str] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        for number in range(self.others):  # models of its own before this one, which is numbered behind them
            await server.register_namespace(f"urn:test:other:{number}")
        await server.import_xml(NODESET)
        await server.load_data_type_definitions()
        index, own = await server.get_namespace_index(MODEL), await server.register_namespace("urn:test:caster")
        receiver = await server.nodes.objects.add_object(ua.NodeId("Receiver", own), f"{own}:Receiver")
        provider = await server.nodes.objects.add_object(ua.NodeId("Provider", own), f"{own}:Provider")
        self.list = await receiver.add_variable(
            index, "JobOrderList", [], ua.VariantType.ExtensionObject, datatype=ua.NodeId(3015, index)
        )
        job, text, status = ua.NodeId(3008, index), ua.VariantType.String, [ua.VariantType.UInt64]
        await receiver.add_method(index, "Store", self._store, [job, ua.VariantType.LocalizedText], status)
        await receiver.add_method(index, "Start", self._start, [text, ua.VariantType.LocalizedText], status)
        await provider.add_method(index, "RequestJobResponseByJobOrderID", self._answer, [text], [job, *status])
        self.machines = (ua.NodeId("Another", own), receiver.nodeid) if self.shared else (receiver.nodeid,)
        teller = server.nodes.server if self.shared else receiver
        self.events = await server.get_event_generator(server.get_node(ua.NodeId(1006, index)), teller)
        # the library does not find out by itself that these properties are structures
        whole = ua.VariantType.ExtensionObject
        self.events.event.data_types |= dict.fromkeys(("JobOrder", "JobState", "JobResponse"), whole)
        async with server:
            yield

    def _state(self, name: str) -> list[Any]:
        return [ua.ISA95StateDataType(ua.RelativePath(), ua.LocalizedText(name), STATES[name])]

    def _rows(self) -> list[Any]:
        row = ua.ISA95JobOrderAndStateDataType
        return [row(order, self._state(self.states[job])) for job, order in self.orders.items()]

    async def becomes(self, job: str, state: str) -> None:
        self.states[job] = state
        await self.list.write_value(self._rows(), ua.VariantType.ExtensionObject)
        self.events.event.JobState, self.events.event.JobResponse = self._state(state), self._response(job)
        for machine in self.machines:
            self.events.event.SourceNode = machine
            self.events.event.JobOrder = copy(self.orders[job])
            if machine.Identifier == "Another":
                self.events.event.JobOrder.JobOrderID = "of another machine"
            await self.events.trigger(message="it changed")

    def _response(self, job: str) -> Any:
        made = ua.ISA95JobResponseDataType()
        made.JobOrderID = job
        made.JobResponseID = f"{job}-R" if self.states.get(job) == "Ended" else ""
        value = ua.ISA95ParameterDataType()
        value.ID, value.Value = "cast_kg", ua.Variant(161_200, ua.VariantType.Int64)
        made.JobResponseData = [value]
        return made

    @uamethod
    async def _store(self, _parent: Any, order: Any, _comment: Any) -> Any:
        if order.JobOrderID in self.orders:
            return ua.Variant(THERE_ALREADY, ua.VariantType.UInt64)
        self.orders[order.JobOrderID] = order
        await self.becomes(order.JobOrderID, "AllowedToStart")
        return ua.Variant(0, ua.VariantType.UInt64)

    @uamethod
    async def _start(self, _parent: Any, job: str, _comment: Any) -> Any:
        if job not in self.orders:
            return ua.Variant(UNKNOWN, ua.VariantType.UInt64)
        await self.becomes(job, "Running")
        return ua.Variant(0, ua.VariantType.UInt64)

    @uamethod
    def _answer(self, _parent: Any, job: str) -> Any:
        return self._response(job), ua.Variant(0, ua.VariantType.UInt64)


def serve(port: int, others: int) -> None:
    """A server in a process of its own: the library keeps structures by name, so that two in one would share them."""

    async def run() -> None:
        async with Caster(port, others, shared=True).running():
            await asyncio.sleep(600)

    asyncio.run(run())


@contextmanager
def serving(*others: int) -> Iterator[list[int]]:
    ports = [free_port() for _ in others]
    processes = [FORKS.Process(target=serve, args=pair, daemon=True) for pair in zip(ports, others, strict=True)]
    for process in processes:
        process.start()
    try:
        yield ports
    finally:
        for process in processes:
            process.kill()
            process.join()


def test_two_servers_that_number_the_model_differently_each_get_and_tell_their_own(
    make_site: MakeSite, clock: FixedClock
) -> None:
    def order(link: str, key: str, **fields: Any) -> None:
        down.queue_call(site.spool, clock, link, "Job.Store", fields, key=key)

    def answer(key: str) -> str:
        row = down.find_by_key(site.spool, key)
        return f"{row.state} {row.answer}" if row else ""

    def heard(link: str) -> set[str]:
        return {json.loads(row.fields)["job"] for row in site.spooled() if row.link == link}

    async def play() -> None:
        async with collecting(site, clock):
            for n in (1, 2):  # each after the other has spoken
                for link in ("CC1J", "CC2J"):
                    order(link, f"{link}-{n}", job=f"{link}-{n}", heat="161843")
                    await until(lambda key=f"{link}-{n}": answer(key) == "confirmed status 0", START_S)
            await until(lambda: heard("CC1J") == {"CC1J-1", "CC1J-2"} and heard("CC2J") == {"CC2J-1", "CC2J-2"})

    with serving(0, 3) as ports:
        links = [
            LINK.format(port=port).replace("CC1J", code) for port, code in zip(ports, ("CC1J", "CC2J"), strict=True)
        ]
        site = make_site(more="".join(links))
        asyncio.run(play())


@pytest.mark.parametrize(("provider", "heard"), [("", ["Null", 2253, 1, 2, 3]), ("i=2", ["Null", 2253, 1, 2])])
def test_without_a_provider_no_status_is_dropped_for_the_source_it_names(
    monkeypatch: pytest.MonkeyPatch, provider: str, heard: list[Any]
) -> None:
    async def tells_nothing(_node: Node) -> set[Any]:
        return set()

    def event(source: Any) -> Event:
        made = Event()
        made.SourceNode = ua.NodeId() if source == "Null" else ua.NodeId(source, 0)
        return made

    monkeypatch.setattr(Node, "read_event_notifier", tells_nothing)
    desk: Any = None
    jobs = Jobs(desk, JobsSettings(receiver="i=1", provider=provider), Client("opc.tcp://127.0.0.1:1"))
    asyncio.run(jobs._who_tells())
    assert [one for one in ("Null", 2253, 1, 2, 3) if jobs._is_ours(event(one))] == heard


def statuses(site: Site) -> list[dict[str, Any]]:
    return [json.loads(row.fields) for row in site.spooled() if row.message == "JOB.Status"]


def test_a_job_is_stored_started_followed_and_answered(make_site: MakeSite, clock: FixedClock) -> None:
    port = free_port()
    site, caster = make_site(more=LINK.format(port=port)), Caster(port)

    def order(key: str, method: str, **fields: Any) -> None:
        down.queue_call(site.spool, clock, "CC1J", f"Job.{method}", fields, key=key)

    def answer(key: str) -> str:
        row = down.find_by_key(site.spool, key)
        return f"{row.state} {row.answer}" if row else ""

    async def play() -> None:
        async with caster.running():
            async with collecting(site, clock):
                order("k1", "Store", job="J1", description="heat 161843", priority=5, heat="161843", aim_mm=9400)
                order("k2", "Start", job="J1", comment="go")
                order("k3", "Start", job="J9")
                order("k4", "Store", job="J1")
                order("k5", "Melt", job="J1")
                order("k6", "Store", job="J2", start="tomorrow")
                await until(lambda: answer("k6").startswith("refused"))
                await until(lambda: [one["state"] for one in statuses(site)] == ["AllowedToStart", "Running"])
                await caster.becomes("J1", "Ended")
                await until(lambda: len(statuses(site)) == 3)
            async with collecting(site, clock):  # what is so now is told again, once
                await until(lambda: len(statuses(site)) == 4)
            async with collecting(site, clock):
                await until(lambda: site.state("CC1J").repeated == 1)

    asyncio.run(play())
    assert [answer(f"k{n}") for n in range(1, 5)] == [
        "confirmed status 0",
        "confirmed status 0",
        f"refused status {UNKNOWN}",
        f"refused status {THERE_ALREADY}",
    ]
    assert "cannot be sent" in answer("k5")
    assert "cannot be sent" in answer("k6")
    stored = caster.orders["J1"]
    assert {one.ID: one.Value.Value for one in stored.JobOrderParameters} == {"heat": "161843", "aim_mm": 9400}
    assert (stored.Priority, stored.Description[0].Text) == (5, "heat 161843")
    ended = statuses(site)[2]
    assert (ended["job"], ended["state"]) == ("J1", "Ended")
    assert (ended["response"]["id"], ended["response"]["values"]) == ("J1-R", {"cast_kg": 161200})
    assert statuses(site)[3] == ended | {"restated": True}


def test_jobs_of_a_server_nobody_here_wrote(make_site: MakeSite, clock: FixedClock, tmp_path: Path) -> None:
    """node-opcua with the model's own types: events by the book from the provider, of a type below the abstract one."""
    port = free_port()
    site, mill = make_site(more=LINK.format(port=port)), NodeServer(port, tmp_path, jobs=True)

    def order(key: str, method: str, **fields: Any) -> None:
        down.queue_call(site.spool, clock, "CC1J", f"Job.{method}", fields, key=key)

    def answer(key: str) -> str:
        row = down.find_by_key(site.spool, key)
        return f"{row.state} {row.answer}" if row else ""

    def followed(job: str) -> list[str]:
        return [one["state"] for one in statuses(site) if one["job"] == job and "restated" not in one]

    async def play() -> None:
        async with mill.running():
            async with collecting(site, clock):
                order("k1", "Store", job="J1", description="heat 161843", priority=5, heat="161843", aim_mm=9400)
                order("k2", "Start", job="J1", comment="go")
                order("k3", "Start", job="J9")
                order("k4", "Store", job="J1")
                order("k5", "StoreAndStart", job="J2", start="2026-03-11T06:00:00+00:00")
                order("k6", "Cancel", job="J2")
                await until(lambda: followed("J2") == ["AllowedToStart", "Aborted"])
                await mill.becomes("J1", "Running")
                order("k7", "Pause", job="J1")
                order("k8", "Resume", job="J1")
                await until(lambda: len(followed("J1")) == 5)
            await mill.becomes("J1", "Ended")  # while nobody listens
            async with collecting(site, clock):
                await until(lambda: "restated" in statuses(site)[-1])
            held.update(await mill.jobs())

    held: dict[str, Any] = {}
    asyncio.run(play())
    said = [answer(f"k{n}") for n in range(1, 9)]
    assert said == [
        "confirmed status 0",
        "confirmed status 0",
        f"refused status {UNKNOWN}",
        f"refused status {THERE_ALREADY}",
        *["confirmed status 0"] * 4,
    ]
    assert followed("J1") == ["NotAllowedToStart", "AllowedToStart", "Running", "Interrupted", "Running"]
    assert held == {
        "J1": {
            "state": "Ended",
            "priority": 5,
            "description": "heat 161843",
            "parameters": {"heat": "161843", "aim_mm": 9400},
        }
    }
    ended = statuses(site)[-1]
    assert (ended["job"], ended["state"], ended["restated"]) == ("J1", "Ended", True)
    assert (ended["response"]["id"], ended["response"]["values"]) == ("J1-R", {"cast_kg": 161200})
