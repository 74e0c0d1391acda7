"""A hub with its root, two key holders outside it, and an author and an approver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from central_hub.hub import Hub
from central_hub.standards import publishing, service, trusting
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.keys import SigningKey, new_key
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings
from shared.standards.messages import Key
from shared.standards.rooting import build_root, sign_root
from shared.standards.signing import sign_request
from shared.subjects import REGISTERS
from sync.peers import trust_peer

DEMO = Path(__file__).parents[3] / "demo" / "standards"


@dataclass
class Office:
    """The standards office of a group in one process."""

    hub: Hub
    clock: FixedClock
    holders: list[SigningKey] = field(default_factory=lambda: [new_key(), new_key(), new_key()])
    commands: int = 0

    def command(self) -> str:
        self.commands += 1
        return f"c{self.commands}"

    def root(self) -> str:
        keys = [(key.id, Key(key.public.hex(), "holder")) for key in self.holders]
        root_keys = [new_key()]
        document = build_root(1, 0, root_keys, keys, self.hub.node.key.public.hex(), 1, 2)
        return sign_root(document, root_keys).decode()

    def document(self, name: str, **changes: Any) -> dict[str, Any]:
        return {**json.loads((DEMO / f"{name}.json").read_text()), **changes}

    def draft(self, name: str, actor: str = "anna", **changes: Any) -> tuple[str, int]:
        made = service.draft(self.hub, self.document(name, **changes), actor, self.command())
        return made.id, made.version

    def submit(self, name: str, actor: str = "anna", **changes: Any) -> tuple[str, int]:
        standard_id, version = self.draft(name, actor, **changes)
        service.submit(self.hub, standard_id, version, actor, self.command())
        return standard_id, version

    def approve(
        self, standard_id: str, version: int, actor: str = "bert", effective_from_ms: int | None = None
    ) -> None:
        service.approve(
            self.hub,
            standard_id,
            version,
            self.row(standard_id, version).sha256,
            actor,
            self.command(),
            effective_from_ms,
        )

    def row(self, standard_id: str, version: int) -> Any:
        from shared.standards.queries import find_version

        with read(self.hub.node.engine) as conn:
            return find_version(conn, self.hub.code, standard_id, version)

    def open_request(self) -> Any:
        from central_hub.standards.queries import find_open_request

        with read(self.hub.node.engine) as conn:
            row = find_open_request(conn, self.hub.code)
            return publishing.request_file(conn, self.hub, row.request_id) if row else None

    def sign(self, *holders: int) -> bool:
        done = False
        for holder in holders or (0, 1):
            done = publishing.give_signature(
                self.hub, sign_request(self.open_request(), self.holders[holder]), "courier"
            )
        return done

    def release(self, *names: str, **changes: Any) -> None:
        """Bring documents all the way to publication."""
        for name in names:
            self.approve(*self.submit(name, **changes))
        assert self.sign()

    def enrol(self, plant: str) -> None:
        with write(self.hub.node.engine) as conn:
            trust_peer(conn, plant, new_key().public, self.clock.now_ms())


def make_hub(folder: Path, clock: FixedClock) -> Hub:
    settings = HubSettings(code="HUB", name="Group", folder=folder)
    make_folder(settings)
    hub = Hub(build_node(settings, REGISTERS, clock), settings)
    create_tables(hub.node.engine)
    return hub


@pytest.fixture
def bare_hub(tmp_path: Path, clock: FixedClock) -> Iterator[Hub]:
    hub = make_hub(tmp_path / "bare", clock)
    yield hub
    hub.node.engine.dispose()


@pytest.fixture
def office(tmp_path: Path, clock: FixedClock) -> Iterator[Office]:
    hub = make_hub(tmp_path / "hub", clock)
    made = Office(hub, clock)
    trusting.trust_root(hub, made.root(), "auditor")
    yield made
    hub.node.engine.dispose()
