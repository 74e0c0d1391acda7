"""A plant whose spool the test fills by hand and whose interpreter it steps."""

from __future__ import annotations

import threading
from typing import Any

import level2_operations  # noqa: F401  registers the operations of the test model
from level2_peers import Site
from sqlalchemy import select

from local_mes.level2.interpret import Interpreter
from local_mes.level2.links import load_links
from local_mes.level2.spool import Incoming, append
from local_mes.level2.telegrams.times import claimed_ms, local_text
from local_mes.plant import Plant
from local_mes.wiring import build_plant, init_plant
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal.fact import decode
from shared.journal.tables import fact
from shared.settings import PlantSettings


def run_interpreter(settings: PlantSettings, now_ms: int) -> None:
    """For a process of its own: interpret until it is killed."""
    Interpreter(build_plant(settings, FixedClock(now_ms)), load_links(settings), grace_s=0).run(threading.Event())


class Line:
    """A plant, its spool filled by hand, its interpreter."""

    def __init__(self, site: Site, clock: FixedClock) -> None:
        self.site, self.clock = site, clock
        self.plant: Plant = init_plant(site.settings, clock)
        self.plan = load_links(site.settings)
        self.interpreter = Interpreter(self.plant, self.plan, grace_s=0)
        self._sequence = 0

    def comes(self, name: str, fields: dict[str, Any], *, offset_ms: int = 0, claimed: str | None = None) -> int:
        """Spool one message received now."""
        self._sequence += 1
        now = self.clock.now_ms()
        text = claimed if claimed is not None else local_text(now - offset_ms, self.plan.zone)
        with write(self.plant.spool) as conn:
            return append(
                conn,
                Incoming(
                    link="CC1",
                    message=name,
                    sequence=self._sequence,
                    claimed=text,
                    claimed_ms=claimed_ms(text, self.plan.zone, now),
                    received_ms=now,
                    offset_ms=offset_ms,
                    zone_offset_min=60,
                    raw=b"raw",
                    body=str(fields).encode(),
                    fields=fields,
                ),
            ).spool_id

    def run(self) -> None:
        """Step until nothing is left to do."""
        for _ in range(50):
            if not self.interpreter.step():
                return
        raise AssertionError("the interpreter does not come to rest")

    def facts(self) -> list[Any]:
        with read(self.plant.node.engine) as conn:
            return [decode(body) for body in conn.execute(select(fact.c.body).order_by(fact.c.fact_id)).scalars()]

    def places(self) -> list[str]:
        return [f.payload.place for f in self.facts()]

    def rows(self, table: Any) -> list[Any]:
        with read(self.plant.node.engine) as conn:
            return list(conn.execute(select(table)))
