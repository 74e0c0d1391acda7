"""A hub with two key holders, and one plant enrolled with its root: real databases, the real protocol in memory."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from central_hub.hub import Hub
from central_hub.plants.service import enrol_plant, issue_token
from central_hub.standards import publishing, service, trusting
from central_hub.standards.queries import find_open_request
from local_mes.level2.spool import create_spool
from local_mes.model.service import load_model
from local_mes.plant import Plant
from local_mes.standards.service import adopt_pending
from shared.clock import FixedClock
from shared.db.engine import open_engine, read
from shared.keys import SigningKey, new_key
from shared.node import Node, build_node, create_tables, make_folder
from shared.settings import HubSettings, PlantSettings
from shared.standards.messages import Key
from shared.standards.queries import find_version, list_in_force
from shared.standards.rooting import build_root, sign_root
from shared.standards.signing import sign_request
from shared.subjects import REGISTERS
from sync.caller import Caller
from sync.enrolment import enrol
from sync.peers import find_peer
from sync.station import begin, build_called, make_ground
from sync.transport import MemoryTransport

DEMO = Path(__file__).parents[3] / "demo"
MODEL = DEMO / "plants" / "ald" / "model.toml"


def build(settings: Any, clock: FixedClock) -> Node:
    make_folder(settings)
    node = build_node(settings, REGISTERS, clock)
    create_tables(node.engine)
    begin(node)
    return node


@dataclass
class Group:
    """Everything between an author's draft and a rule in force."""

    hub: Hub
    plant: Plant
    clock: FixedClock
    holders: list[SigningKey] = field(default_factory=lambda: [new_key(), new_key()])
    root_keys: list[SigningKey] = field(default_factory=lambda: [new_key()])
    commands: int = 0
    shown: str = ""
    """The root document that a plant is shown when it is enrolled."""

    def __post_init__(self) -> None:
        self.station = build_called(self.hub.node, 500)
        self.ground = make_ground(self.plant.node, 500)

    def command(self) -> str:
        self.commands += 1
        return f"c{self.commands}"

    def root(self) -> str:
        keys = [(key.id, Key(key.public.hex(), "holder")) for key in self.holders]
        document = build_root(1, 0, self.root_keys, keys, self.hub.node.key.public.hex(), 1, 2)
        return sign_root(document, self.root_keys).decode()

    def enrol(self, root: str) -> None:
        hub = self.hub

        class Door:
            def send(self, what: str, body: bytes) -> bytes:
                assert what == "enrol"
                return enrol_plant(hub, body, root)

        enrol(self.plant.node, issue_token(hub, self.plant.code).token, Door())

    def release(self, *names: str, effective_from_ms: int | None = None, **changes: Any) -> None:
        """Draft, approve, sign and publish; then let the plant know."""
        self.ask(*names, effective_from_ms=effective_from_ms, **changes)
        self.sign()

    def ask(self, *names: str, effective_from_ms: int | None = None, **changes: Any) -> None:
        """Draft and approve: the key holders are asked."""
        for name in names:
            document = {**json.loads((DEMO / "standards" / f"{name}.json").read_text()), **changes}
            made = service.draft(self.hub, document, "anna", self.command())
            service.submit(self.hub, made.id, made.version, "anna", self.command())
            with read(self.hub.node.engine) as conn:
                seen = find_version(conn, self.hub.code, made.id, made.version)
            service.approve(self.hub, made.id, made.version, seen.sha256, "bert", self.command(), effective_from_ms)

    def sign(self) -> None:
        for holder in self.holders:
            publishing.give_signature(self.hub, sign_request(self.request(), holder), "courier")

    def request(self) -> Any:
        """What the key holders are asked to sign now."""
        with read(self.hub.node.engine) as conn:
            return publishing.request_file(conn, self.hub, find_open_request(conn, self.hub.code).request_id)

    def sync(self) -> bool:
        """Everything both ways once, and adoption where something is due."""
        self.pull()
        adopted = adopt_pending(self.plant)
        caller = self.caller()
        session = caller.hello()
        while (run := caller.next_run(2_000)) is not None:
            caller.push(session, run)
        caller.push(session, None)
        self.station.ground.applying.apply_all()
        return adopted

    def pull(self) -> None:
        """What the hub laid on the plant's stream arrives and is applied; nobody has looked at it yet."""
        caller = self.caller()
        session = caller.hello()
        while caller.pull(session, 0):
            pass
        self.ground.applying.apply_all()

    def caller(self) -> Caller:
        with read(self.plant.node.engine) as conn:
            peer = find_peer(conn, self.hub.code)
        assert peer is not None
        node = self.plant.node
        return Caller(
            node.code,
            peer,
            node.engine,
            node.clock,
            node.key,
            MemoryTransport(self.station.desk),
            lambda: None,
            bytes_max=2 << 20,
        )

    def change_model(self, **changes: Any) -> None:
        self.plant = replace(self.plant, model=self.plant.model.model_copy(update=changes))

    def one_more(self, code: str, folder: Path) -> Group:
        """A further plant of the same hub, with Aldermoor's equipment."""
        other = copy.copy(self)
        settings = PlantSettings(code=code, name=code, folder=folder, hub_url="http://hub", model=MODEL)
        node = build(settings, self.clock)
        other.plant = Plant(node, settings, load_model(MODEL), open_engine(settings.spool))
        create_spool(other.plant.spool, self.clock)
        other.ground = make_ground(node, 500)
        other.enrol(self.shown)
        return other

    def in_force(self) -> list[tuple[str, int]]:
        with read(self.plant.node.engine) as conn:
            return [(s.standard_id, s.version) for s in list_in_force(conn, self.plant.code)]


@pytest.fixture
def group(tmp_path: Path, clock: FixedClock) -> Iterator[Group]:
    hub_settings = HubSettings(code="HUB", name="Group", folder=tmp_path / "hub")
    plant_settings = PlantSettings(
        code="ALD",
        name="Aldermoor",
        folder=tmp_path / "ald",
        hub_url="http://hub",
        model=MODEL,
    )
    hub = Hub(build(hub_settings, clock), hub_settings)
    node = build(plant_settings, clock)
    plant = Plant(node, plant_settings, load_model(plant_settings.model), open_engine(plant_settings.spool))
    create_spool(plant.spool, clock)
    made = Group(hub, plant, clock)
    root = made.root()
    trusting.trust_root(hub, root, "auditor")
    made.shown = root
    made.enrol(root)
    yield made
    for engine in (hub.node.engine, plant.node.engine, plant.spool):
        engine.dispose()
