"""A plant whose Level 2 is heard by an edge elsewhere: the desk at which the edge calls, and what becomes of its words.

The desk is a small node of its own in the plant's folder `edge/`, with a key and a database of its own: raw Level-2
input never enters the plant's journal, and losing the one does not touch the other. What arrives is durable in its
journal first and then taken into the plant's spool, in order and once; from there everything is as with a collector
beside the plant. Orders go the other way by the same road.
"""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from pathlib import Path
from time import monotonic

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.down import links_waiting, withhold
from local_mes.level2.edge import tables
from local_mes.level2.edge.errors import no_rest, own_collector
from local_mes.level2.edge.giving import find_setpoints, forget_given, give_orders, settle_late, take_back
from local_mes.level2.edge.intake import take_in
from local_mes.level2.edge.links import keep_alive
from local_mes.level2.edge.looking import give_looks
from local_mes.level2.edge.reading import forget_taken, take_next
from local_mes.level2.edge.recording import OFF_FROM_MS
from local_mes.level2.links import LinkPlan
from local_mes.level2.setpoint_record import record_now
from local_mes.level2.shadow.marked import shadow_links
from local_mes.level2.shadow.seat import WITHHELD_WHY
from local_mes.level2.spool import create_spool
from local_mes.level2.spool_tables import identity, message
from local_mes.plant import Plant
from shared import logs
from shared.db import migrate
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.errors import StrandlineError
from shared.node import Node, build_node, make_folder
from shared.threads import looping
from sync.archiving import archive
from sync.limits import BODY_S
from sync.link import ONLINE, LinkReport, complete_through, report_caller
from sync.station import CalledStation, build_called
from sync.steady import Steady
from sync.tables import session

MIGRATIONS = Path(__file__).parents[2] / "migrations"
FOLDER = "edge"
LOOK_S = 0.2
"""How often the spool is asked for orders to give; what arrives rings."""
ALIVE_S = 2.0
RETRY_S = 1.0
STOP_S = 3.0
DAY_MS = 86_400_000

log = logs.get("edge")


def open_desk(plant: Plant) -> Node:
    """The node at which the edge calls; made at the first start. BadSetup where its database has another schema."""
    settings = plant.settings.model_copy(update={"folder": plant.settings.folder / FOLDER, "database_url": ""})
    if not settings.key_file.exists():
        make_folder(settings)
        node = build_node(settings, (), plant.clock)
        migrate.upgrade(node.engine, MIGRATIONS)
        return node
    return build_node(settings, (), plant.clock)


def upgrade_desk(plant: Plant) -> None:
    """Bring the desk's database to the schema of this release, where there is a desk."""
    if plant.settings.edge:
        node = open_desk(plant)
        migrate.upgrade(node.engine, MIGRATIONS)
        node.engine.dispose()


def prepare(plant: Plant, plan: LinkPlan) -> None:
    """Before anything reads the spool: its key is the desk's, so that a spool made again has the ids it had. BadSetup."""
    for link in plan.links.values():
        if link.kind == "rest" and not link.address:
            raise no_rest(link.code)
    desk = open_desk(plant)
    migrate.check(desk.engine, MIGRATIONS)
    desk.engine.dispose()
    wanted = hashlib.sha256(b"spool of an edge" + desk.key.public).hexdigest()[:32]
    key = create_spool(plant.spool, plant.clock)
    tables.make_tables(plant.spool)
    if key == wanted:
        return
    with write(plant.spool) as conn:
        if conn.execute(select(tables.place.c.seq).limit(1)).first():
            return  # the desk was made anew; the spool goes on under the key it had
        if conn.execute(select(message.c.spool_id).limit(1)).first():
            raise own_collector(plant.settings.folder)
        conn.execute(update(identity).values(key=wanted))


class Hosting:
    """The desk and its thread, in the plant's process."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.edge = plant.settings.edge
        self.node = open_desk(plant)
        self.station: CalledStation = build_called(self.node, plant.settings.apply_entries_max)
        self._shadows = set(shadow_links(plant))
        self._given = 0
        self._alive_due = 0.0
        self._stopping = threading.Event()
        self._thread = looping(Steady(plant.node).run, "edge", self._run, self._stopping)

    def start(self) -> None:
        """Answer and take in."""
        self.station.start()
        self._thread.start()

    def stop(self) -> None:
        """End after the step in hand."""
        self._stopping.set()
        self.station.ground.arrived.ring()
        self._thread.join(STOP_S)
        self.station.stop()

    def is_alive(self) -> bool:
        """Whether its thread works."""
        return self._thread.is_alive()

    def report(self) -> LinkReport:
        """How the line to the edge stands, by the desk."""
        return report(self.node, self.edge)

    def nightly(self) -> str:
        """Old facts of the desk go to its archive; what was taken in long ago is forgotten."""
        settings = self._plant.settings
        forget_taken(self._plant.spool, self._plant.clock.now_ms() - settings.spool_days * DAY_MS)
        forget_given(self._plant.spool)
        return str(archive(self.node, settings.archive_days))

    def step(self) -> int:
        """Take in what is there and give what waits; returns how much that was."""
        plant, now = self._plant, self._plant.clock.now_ms()
        with read(self.node.engine) as conn:
            promised = complete_through(conn, self.edge)  # before its entries are read: it speaks of no later ones
            offset = conn.execute(select(session.c.offset_ms).where(session.c.peer == self.edge)).scalar() or 0
        told: list[str] = []
        done = take_next(self.node.engine, plant.spool, self.edge, partial(take_in, told), now)
        for down_id in find_setpoints(plant.spool, told) if told else ():
            record_now(plant, down_id)  # however late it is told: nobody follows a set-point for longer than some time
        if not done and promised is not None:
            _keep_through(plant, self.edge, in_our_time(promised, offset))
        self._withhold()
        done += self._orders(now) + give_looks(self.node.journal, plant.spool, self.edge, now)
        if monotonic() >= self._alive_due:
            self._alive_due = monotonic() + ALIVE_S
            if self.report().state == ONLINE:
                keep_alive(plant.spool)
        return done

    def _orders(self, now: int) -> int:
        """What goes down, and what comes to nothing; returns how much that was."""
        journal, spool = self.node.journal, self._plant.spool
        settle_late(journal, spool, self.edge, now)
        before, self._given = self._given, give_orders(journal, spool, self.edge, self._given)
        return self._given - before + take_back(journal, spool, self.edge)

    def _withhold(self) -> None:
        """What waits for a link in shadow mode does not even leave the plant, whatever the edge's own settings say."""
        now = self._plant.clock.now_ms()
        for link in self._shadows & links_waiting(self._plant.spool) if self._shadows else ():
            with write(self._plant.spool) as conn:
                withhold(conn, link, now, WITHHELD_WHY)

    def _run(self) -> None:
        bell = self.station.ground.arrived
        while not self._stopping.is_set():
            seen = bell.rings
            try:
                if not self.step():
                    bell.wait(seen, LOOK_S)
            except (StrandlineError, SQLAlchemyError, OSError) as error:
                log.warning("the edge's words wait", why=str(error)[:300])
                self._stopping.wait(RETRY_S)


def in_our_time(promised_ms: int, offset_ms: int) -> int:
    """What an edge promised by a clock that is off, in the plant's time; offset_ms: its clock minus ours.

    The promise of a clock ahead was cut to our time when it came, which may be as late as a request takes at most.
    """
    if abs(offset_ms) < OFF_FROM_MS:
        return promised_ms
    return promised_ms - offset_ms if offset_ms < 0 else promised_ms - round(BODY_S * 1_000)


def report(desk: Node, edge: str) -> LinkReport:
    """How the line to the edge stands: orders that wait are those it has not taken yet."""
    with read(desk.engine) as conn:
        return report_caller(conn, f"{desk.code}>{edge}", edge, desk.settings.sync.away_after_s)


def edge_through_ms(plant: Plant) -> int | None:
    """Up to when the edge's messages are in this plant's spool; None before its first word."""
    tables.make_tables(plant.spool)
    with read(plant.spool) as conn:
        found = select(tables.through.c.through_ms).where(tables.through.c.edge == plant.settings.edge)
        return conn.execute(found).scalar()


def _keep_through(plant: Plant, edge: str, through_ms: int) -> None:
    with read(plant.spool) as conn:
        kept = conn.execute(select(tables.through.c.through_ms).where(tables.through.c.edge == edge)).scalar()
    if kept is None or through_ms > kept:
        with write(plant.spool) as conn:
            upsert(conn, tables.through, [{"edge": edge, "through_ms": through_ms}], update=["through_ms"])
