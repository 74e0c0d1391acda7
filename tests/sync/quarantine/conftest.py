"""A hub that has received facts of a plant it cannot apply all of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, insert

from central_hub.hub import Hub
from shared.clock import FixedClock
from shared.db.engine import write
from shared.ids import derived_id
from shared.journal.tables import entry, epoch, fact
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings
from shared.subjects import REGISTERS
from sync.applying import Applying
from sync.station import make_ground

EPOCH = "e" * 32


class Arrivals:
    """Writes entries of a plant as the receiver stores them, and has them applied."""

    def __init__(self, engine: Engine, author: str = "ALD", stream: str = "") -> None:
        self.engine, self.author, self.stream, self.seq = engine, author, stream or author, 0
        self.bodies: list[bytes] = []
        with write(engine) as conn:
            opened = {"stream": self.stream, "epoch": EPOCH, "ordinal": 1, "reason": "copied", "opened_at_ms": 0}
            conn.execute(insert(epoch).values(opened))

    def add(self, *bodies: bytes) -> list[str]:
        """Store bytes as they come; returns the ids they are kept under."""
        facts, entries = [], []
        for body in bodies:
            self.seq += 1
            fact_id = _id_of(body) or derived_id(self.seq, "orphan", self.seq)
            facts.append(
                {
                    "fact_id": fact_id,
                    "type": _type_of(body),
                    "version": 1,
                    "author": self.author,
                    "recorded_at_ms": self.seq,
                    "body": body,
                }
            )
            place = {"stream": self.stream, "epoch": EPOCH, "seq": self.seq, "hash": "0" * 64, "fact_id": fact_id}
            entries.append(place)
        with write(self.engine) as conn:
            conn.execute(insert(fact), facts)
            conn.execute(insert(entry), entries)
        return [str(row["fact_id"]) for row in facts]

    def moved(self, number: int, subject: str, place: object = "YA", **changes: object) -> bytes:
        """A MaterialMoved; a place that is no text breaks its schema."""
        values = {
            "fact_id": derived_id(1_000 + number, "moved", self.author, number),
            "type": "MaterialMoved",
            "version": 1,
            "author": self.author,
            "actor": "p1",
            "subjects": [{"id": subject, "prev": None}],
            "recorded_at_ms": 1_000 + number,
            "causes": [],
            "occurred": {"at_ms": 1, "source": "manual", "offset_min": 0},
            "standard": None,
            "payload": {"material_id": subject, "place": place},
        }
        return msgspec.json.encode({**values, **changes}, order="deterministic")


def _id_of(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["fact_id"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""


def _type_of(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["type"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return "?"


@pytest.fixture
def hub(tmp_path: Path, clock: FixedClock) -> Iterator[Hub]:
    settings = HubSettings(code="HUB", name="Group", folder=tmp_path / "hub")
    make_folder(settings)
    node = build_node(settings, REGISTERS, clock)
    create_tables(node.engine)
    yield Hub(node, settings)
    node.engine.dispose()


@pytest.fixture
def arrivals(hub: Hub) -> Arrivals:
    return Arrivals(hub.node.engine)


@pytest.fixture
def applying(hub: Hub) -> Applying:
    ground = make_ground(hub.node, 500)
    return ground.applying
