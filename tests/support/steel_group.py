"""Three plants and a hub in one process, each on its own SQLite; facts are copied between them on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from central_hub.hub import Hub, downlink
from central_hub.transfers.service import Reconciled, reconcile
from local_mes.model.service import load_model
from local_mes.plant import Plant
from local_mes.transfers.service import (
    ListedPiece,
    ReceiveCommand,
    ShipCommand,
    heed_amendments,
    heed_cases,
    match_pending,
    receive,
    ship,
)
from shared.clock import FixedClock
from shared.db.engine import open_engine, read, write
from shared.db.upsert import upsert
from shared.ids import new_id
from shared.journal import tables
from shared.journal.fact import Draft, Occurred
from shared.journal.position import applied_to, move_to
from shared.journal.reading import entries_after, lives
from shared.journal.replay import apply_entries
from shared.keys import new_key
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.node import Node, build_node, create_tables, make_folder
from shared.settings import HubSettings, NodeSettings, PlantSettings
from shared.subjects import REGISTERS
from sync.peers import trust_peer
from sync.tables import position

MODELS = Path(__file__).parents[2] / "demo" / "plants"
MINUTE = 60_000
HOUR = 60 * MINUTE


@dataclass
class SteelGroup:
    """The nodes, one clock for all, and the deeds that tests need. Masses in kg, as people say them."""

    folder: Path
    clock: FixedClock
    plants: dict[str, Plant] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    commands: int = 0
    plants_of: SteelGroup | None = None
    hub_database: str = ""
    codes: tuple[str, ...] = ("ALD", "BRK", "CLD")

    def __post_init__(self) -> None:
        settings_of_hub = HubSettings(
            code="HUB", name="Group", folder=self.folder / "hub", database_url=self.hub_database
        )
        self.hub = Hub(self.make_node(settings_of_hub), settings_of_hub)
        if self.plants_of is not None:  # another hub that hears the same plants
            self.plants = self.plants_of.plants
        for code in self.codes:
            with write(self.hub.node.engine) as conn:
                trust_peer(conn, code, new_key().public, self.clock.now_ms())
            if code in self.plants:
                continue
            settings = PlantSettings(
                code=code,
                name=code,
                folder=self.folder / code.lower(),
                hub_url="http://127.0.0.1:1",
                model=MODELS / code.lower() / "model.toml",
            )
            node = self.make_node(settings)
            self.plants[code] = Plant(node, settings, load_model(settings.model), open_engine(settings.spool))

    def make_node(self, settings: NodeSettings) -> Node:
        """A new node, or the one that lives in the folder already."""
        known = settings.key_file.exists()
        if not known:
            make_folder(settings)
        node = build_node(settings, REGISTERS, self.clock)
        if not known:
            create_tables(node.engine)
        return node

    def close(self) -> None:
        for node in (self.hub.node, *(plant.node for plant in self.plants.values())):
            node.engine.dispose()
        for plant in self.plants.values():
            plant.spool.dispose()

    def command(self) -> str:
        self.commands += 1
        return f"command-{self.commands}"

    def stock(self, plant: str, number: str, kg: int, kind: str = "slab", **more: Any) -> str:
        """A piece in a plant's books, as a stock take-over brings it."""
        node = self.plants[plant].node
        material_id = new_id(self.clock)
        basis = "theoretical" if kind == "slab" else "weighed"
        new = NewMaterial(
            material_id=material_id,
            kind=kind,
            aliases=(NewAlias(f"{plant}.{kind}", number),),
            mass=Mass(kg * 1000, basis, "", self.clock.now_ms()),
            size=Size(220_000, 1_280_000, 9_300_000),
            order_item="710045/10",
            grade="L06",
            place="YA",
            heat_number="161738",
            chemistry_e6={"C": 450, "Cu": 1500},
            **more,
        )
        with node.journal.work() as tx:
            tx.record(
                Draft(
                    MaterialCreated(material=new, origin="migrated"),
                    (material_id,),
                    "p1",
                    Occurred(self.clock.now_ms(), "manual"),
                )
            )
        return material_id

    def ship(self, plant: str, to: str, number: str, pieces: list[str], /, **more: Any) -> dict[str, Any]:
        lines = tuple(ListedPiece(piece, f"W{at // 3 + 1}") for at, piece in enumerate(pieces))
        given = {"command_id": self.command(), "actor": "p1", "number": number, "to": to, "lines": lines} | more
        return ship(self.plants[plant], ShipCommand(**given))

    def receive(self, plant: str, piece: str, kg: int, shipment: str = "", /, **more: Any) -> dict[str, Any]:
        given: dict[str, Any] = {
            "command_id": self.command(),
            "actor": "p2",
            "piece": piece,
            "mass_g": kg * 1000,
            "shipment": shipment,
            "scale": "WS1",
            "place": "YB",
        } | more
        return receive(self.plants[plant], ReceiveCommand(**given))

    def sync(self, *plants: str) -> Reconciled:
        """Up with the plants' facts, judge, down with what they must know, match: until nothing moves."""
        last = Reconciled()
        for _ in range(4):
            for code in plants or tuple(self.plants):
                if code not in self.cut:
                    self.up(code)
            done = reconcile(self.hub)
            last = Reconciled(
                *(getattr(last, n) + getattr(done, n) for n in ("relayed", "cases", "episodes", "judged"))
            )
            for code in plants or tuple(self.plants):
                if code not in self.cut:
                    self.down(code)
                    for follow in (match_pending, heed_amendments, heed_cases):
                        follow(self.plants[code])
        return last

    def up(self, code: str, limit: int | None = None) -> int:
        """Copy and apply a plant's facts at the hub (at most `limit` of them); the watermark comes with the last."""
        copied = copy_stream(self.plants[code].node, self.hub.node, code, limit)
        with write(self.hub.node.engine) as conn:
            life = lives(conn, code)[-1:]
            behind = _missing(self.plants[code].node.engine, conn, code)
            row = {
                "peer": code,
                "stream": code,
                "epoch": life[0].epoch if life else "",
                "updated_ms": 0,
                "durable": life[0].seq if life else 0,
                "hash": life[0].hash if life else "",
                "complete_through": self.clock.now_ms() if not behind else _last_recorded(conn, code),
            }
            upsert(conn, position, [row], update=["durable", "hash", "complete_through"])
        return copied

    def down(self, code: str) -> int:
        """Copy and apply the hub's stream to a plant there."""
        return copy_stream(self.hub.node, self.plants[code].node, downlink("HUB", code))

    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms)


def copy_stream(source: Node, target: Node, stream: str, limit: int | None = None) -> int:
    """Entries of a stream that the target does not hold: stored, then applied; returns how many."""
    copied = 0
    with read(source.engine) as there, write(target.engine) as here:
        for life in lives(there, stream):
            done = applied_to(here, stream, life.epoch)
            entries = entries_after(there, stream, life.epoch, done, (limit or 100_000) - copied)
            if not entries:
                continue
            row = there.execute(select(tables.epoch).where(tables.epoch.c.epoch == life.epoch)).mappings().one()
            upsert(here, tables.epoch, [dict(row)])
            for item in entries:
                upsert(
                    here,
                    tables.fact,
                    [
                        {
                            "fact_id": item.fact_id,
                            "type": item.type,
                            "version": item.version,
                            "author": item.author,
                            "recorded_at_ms": item.recorded_at_ms,
                            "body": item.body,
                        }
                    ],
                )
                origin = item.origin or (None, None, None)
                here.execute(
                    insert(tables.entry).values(
                        stream=stream,
                        epoch=item.epoch,
                        seq=item.seq,
                        hash=item.hash,
                        fact_id=item.fact_id,
                        origin_stream=origin[0],
                        origin_epoch=origin[1],
                        origin_seq=origin[2],
                    )
                )
            apply_entries(here, target.journal.appliers, entries, 0)
            move_to(here, stream, life.epoch, entries[-1].seq)
            copied += len(entries)
    return copied


def rows(engine: Engine, table: Any, *, without: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows of a table, sorted, some columns left out."""
    columns = [c for c in table.columns if c.name not in without]
    with read(engine) as conn:
        return sorted((tuple(row) for row in conn.execute(select(*columns))), key=repr)


def _missing(source: Engine, here: Connection, stream: str) -> bool:
    with read(source) as there:
        return any(applied_to(here, stream, life.epoch) < life.seq for life in lives(there, stream))


def _last_recorded(conn: Connection, code: str) -> int:
    query = select(tables.fact.c.recorded_at_ms).where(tables.fact.c.author == code)
    return max(conn.execute(query).scalars(), default=0) - 1
