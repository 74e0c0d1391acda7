"""A real plant on real databases, told by a spool what Level 2 says: the bench on which operations are tried."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from local_mes.level2.interpret import Interpreter
from local_mes.level2.links import load_links
from local_mes.level2.spool import Incoming, append, create_spool
from local_mes.level2.spool_tables import down
from local_mes.level2.tables import repair
from local_mes.model.service import load_model
from local_mes.orders.service import NewLine, release_orders, release_schedule
from local_mes.plant import Plant
from local_mes.production import operations as operations
from local_mes.standards.tables import standards_trust
from shared.clock import FixedClock
from shared.db.engine import open_engine, read, write
from shared.db.types import metadata
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.material.queries import find_piece
from shared.node import build_node, make_folder
from shared.orders.facts import OrderReleased
from shared.settings import PlantSettings
from shared.standards.facts import InstalledStandard, StandardPublished, StandardsInstalled
from shared.subjects import REGISTERS

DEMO = Path(__file__).parents[3] / "demo"


@dataclass
class Bench:
    """One plant and its interpreter."""

    plant: Plant
    clock: FixedClock
    interpreter: Interpreter
    sequence: int = 0
    seen: dict[str, Any] = field(default_factory=dict)

    def tell(self, link: str, message: str, after_min: float = 1.0, /, **fields: Any) -> None:
        """One message of Level 2, `after_min` after the one before, and everything that follows from it."""
        self.clock.advance(round(after_min * 60_000))
        self.sequence += 1
        body = json.dumps(fields, sort_keys=True).encode()
        now = self.clock.now_ms()
        with write(self.plant.spool) as conn:
            append(conn, Incoming(link, message, self.sequence, str(now), now, now, 0, 60, body, body, fields))
        while self.interpreter.step():
            pass

    def tell_later_first(self, link: str, messages: list[tuple[str, dict[str, Any]]]) -> None:
        """Several messages before the interpreter looks again."""
        with write(self.plant.spool) as conn:
            for message, fields in messages:
                self.sequence += 1
                body = json.dumps(fields, sort_keys=True).encode()
                now = self.clock.now_ms()
                append(conn, Incoming(link, message, self.sequence, str(now), now, now, 0, 60, body, body, fields))
        while self.interpreter.step():
            pass

    def take_in(
        self, number: str, kind: str, mass_kg: int, size: tuple[int, int, int], order: str = "stock", grade: str = "L06"
    ) -> str:
        """A piece in stock; size in um. Returns its material id."""
        material_id = hashlib.sha256(number.encode()).hexdigest()[:32]
        piece = NewMaterial(
            material_id=material_id,
            kind=kind,
            aliases=(NewAlias("test", number),),
            order_item=order,
            grade=grade,
            mass=Mass(mass_kg * 1000, "weighed", "WS1"),
            size=Size(*size),
            place="YARD",
            heat_number="261604",
            chemistry_e6={"C": 440},
        )
        with self.plant.journal.work() as tx:
            tx.record(
                Draft(
                    MaterialCreated(material=piece, origin="migrated"),
                    (material_id,),
                    "person",
                    Occurred(self.clock.now_ms(), "manual"),
                )
            )
        return material_id

    def order(self, item: str, product: str, route: str) -> None:
        """An order item of Level 4."""
        released = OrderReleased(
            item=item,
            customer="C",
            product=product,
            grade="L06",
            thickness_um=800,
            width_um=308_000,
            mass_g=180_000_000,
            route=route,
            due="2026-03-13",
        )
        release_orders(self.plant, [released], actor="erp", command_id=f"order-{item}")

    def schedule(self, unit: str, piece: str, number: str, order: str, **aims: int | str) -> None:
        """One line of a unit's schedule."""
        self.sequence += 1
        release_schedule(
            self.plant,
            unit,
            [NewLine(1, piece, order, number, dict(aims))],
            actor="planner",
            command_id=f"line-{self.sequence}",
        )

    def adopt(self, *files: str, values: dict[str, int | str] | None = None, **changed: dict[str, Any]) -> None:
        """Standards of the demo group in force at this plant from now on; values: as bound here.

        changed: DC_COATING={...} says other fields of DC-COATING.
        """
        installed = []
        with self.plant.journal.work() as tx:
            for name in files:
                text = json.loads((DEMO / "standards" / name).read_text())
                text |= changed.get(text["id"].replace("-", "_"), {})
                body = json.dumps(text)
                digest = hashlib.sha256(body.encode()).hexdigest()
                published = StandardPublished(
                    standard_id=text["id"],
                    version=text["version"],
                    kind=text["kind"],
                    title=text["title"],
                    sha256=digest,
                    body=body,
                )
                tx.record(Draft(published, (text["id"],), "hub", Occurred(self.clock.now_ms(), "hub")))
                installed.append(InstalledStandard(text["id"], text["version"], digest, 0, values or {}))
            fact = StandardsInstalled(catalogue_version=1, standards=tuple(installed), effective_hash="0" * 64)
            tx.record(Draft(fact, ("standards",), "job", Occurred(self.clock.now_ms(), "job")))
            if tx.conn.execute(select(standards_trust)).first() is None:
                tx.conn.execute(
                    insert(standards_trust).values(plant=self.plant.code, hub="HUB", root="", root_version=1)
                )

    def piece(self, number: str) -> Any:
        """The plant's row of a piece by number, the live one first."""
        with read(self.plant.node.engine) as conn:
            return find_piece(conn, number, self.plant.code)

    def rows(self, table: Any) -> list[Any]:
        """All rows of a table."""
        with read(self.plant.node.engine) as conn:
            return list(conn.execute(select(table)))

    def repairs(self) -> list[str]:
        """Why messages lie in repair."""
        return [row.reason for row in self.rows(repair)]

    def sent_down(self) -> list[tuple[str, dict[str, Any]]]:
        """What was queued for Level 2."""
        with read(self.plant.spool) as conn:
            return [
                (row.message, json.loads(row.fields)) for row in conn.execute(select(down).order_by(down.c.down_id))
            ]


def make_bench(code: str, folder: Path, clock: FixedClock, model: Path | None = None) -> Bench:
    """A fresh plant of the demo group in a folder; model: another model than the group's."""
    settings = PlantSettings(
        code=code,
        name=code,
        folder=folder / code,
        hub_url="http://127.0.0.1:1",
        model=model or DEMO / "plants" / code.lower() / "model.toml",
    )
    make_folder(settings)
    node = build_node(settings, REGISTERS, clock)
    plant = Plant(node, settings, load_model(settings.model), open_engine(settings.spool))
    metadata.create_all(node.engine)
    create_spool(plant.spool, clock)
    return Bench(plant, clock, Interpreter(plant, load_links(settings), grace_s=0))
