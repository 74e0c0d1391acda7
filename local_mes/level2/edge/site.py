"""The process `strandline plant edge run`: the collector alone on site, its MES elsewhere.

It hears, spools and acknowledges as any collector does. Beside that a thread records what was spooled in this node's
own journal, and sync carries it to the plant with receipts, for ever, in order; orders come back by the same road. A
cable that is cut costs nothing but time: the spool and the journal take a day, or a month, and catch up by themselves.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.collector import Collector, alone, until_signalled
from local_mes.level2.edge import tables
from local_mes.level2.edge.errors import no_rest, other_plant
from local_mes.level2.edge.hosting import MIGRATIONS
from local_mes.level2.edge.links import Telling
from local_mes.level2.edge.looking import record_looks, take_asked
from local_mes.level2.edge.orders import mend_orders, take_orders
from local_mes.level2.edge.reading import take_next
from local_mes.level2.edge.recording import begin_again, oldest_unrecorded_ms, record_heard, record_settled
from local_mes.level2.links import LinkPlan, load_links, refuse_unreadable
from local_mes.level2.played_plant import refuse_real_peers
from local_mes.level2.pruning import prune
from local_mes.level2.shadow.seat import check_shadow
from local_mes.level2.spool import SpoolWriter, create_spool
from local_mes.model.service import load_model
from local_mes.plant import Plant
from shared import logs
from shared.clock import Clock
from shared.db import migrate
from shared.db.engine import open_engine, read
from shared.errors import StrandlineError
from shared.interpreter import give_back_memory
from shared.journal.fact import AppliedFact
from shared.node import build_node, new_folder
from shared.settings import PlantSettings
from shared.threads import looping
from sync.keeping import Keeping
from sync.lines import routed_transport
from sync.peers import list_peers
from sync.station import build_calling
from sync.steady import Steady
from sync.transport import Transport

LOOK_S = 0.05
"""How often the spool is asked for more: part of what a message needs to the MES."""
TELL_S = 1.0
LOOKS_S = 0.25
RETRY_S = 1.0
STOP_S = 3.0

log = logs.get("edge")


def build_edge(settings: PlantSettings, clock: Clock | None = None) -> Plant:
    """An edge from its settings: a node with the plant's model and a spool. BadSetup."""
    node = build_node(settings, (), clock)
    return Plant(node, settings, load_model(settings.model), open_engine(settings.spool))


def init_edge(settings: PlantSettings, clock: Clock | None = None) -> Plant:
    """First start: folder, key, database, spool."""
    load_model(settings.model)
    with new_folder(settings):
        edge = build_edge(settings, clock)
        migrate.upgrade(edge.node.engine, MIGRATIONS)
        create_spool(edge.spool, edge.clock)
        tables.make_tables(edge.spool)
    return edge


def run_edge(settings: PlantSettings, clock: Clock | None = None, transport: Transport | None = None) -> None:
    """Run until SIGTERM or SIGINT. BadSetup for a bad model, a taken port, a second collector, another schema."""
    logs.set_up(settings.log_level)
    give_back_memory()
    logging.getLogger("asyncua").setLevel(logging.ERROR)  # it warns at every try to reconnect; the link's state says it
    plan = _check(load_links(settings))
    refuse_real_peers(settings, plan)
    with ExitStack() as stack:
        stack.enter_context(alone(settings.folder))
        edge = build_edge(settings, clock)
        stack.callback(edge.spool.dispose)
        stack.callback(edge.node.engine.dispose)
        migrate.check(edge.node.engine, MIGRATIONS)
        create_spool(edge.spool, edge.clock)
        tables.make_tables(edge.spool)
        way = transport or routed_transport(edge.node, settings)
        station = build_calling(edge.node, partial(oldest_unrecorded_ms, edge), settings.apply_entries_max, way)
        carrier = Carrier(edge)
        keeping = Keeping(edge.node, (("spool", partial(prune, edge)),), fetch=station.history)
        for one in (keeping, station, carrier):
            one.start()
            stack.callback(one.stop)
        writer = SpoolWriter(edge.spool)
        stack.callback(writer.close)
        asyncio.run(until_signalled(Collector(plan, edge.spool, writer, edge.clock, settings)))


def _check(plan: LinkPlan) -> LinkPlan:
    refuse_unreadable(plan)
    check_shadow(plan)
    for link in plan.links.values():
        if link.kind == "rest" and not link.address:
            raise no_rest(link.code)
    return plan


class Carrier:
    """The thread between spool and journal, both ways; made before anything is heard."""

    def __init__(self, edge: Plant) -> None:
        begin_again(edge)
        mend_orders(edge)
        self._edge = edge
        self._telling = Telling(edge)
        self._tell_due = self._looks_due = 0.0
        self._host = ""
        self._stopping = threading.Event()
        self._thread = looping(Steady(edge.node).run, "edge", self._run, self._stopping)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step in hand."""
        self._stopping.set()
        self._thread.join(STOP_S)

    def step(self) -> int:
        """Record what was heard and settled, take what was ordered; returns how much that was."""
        edge = self._edge
        done = record_heard(edge) + record_settled(edge)
        host = self._find_host()
        if host:
            done += take_next(edge.node.engine, edge.spool, f"{host}>{edge.code}", self._take, edge.clock.now_ms())
        if monotonic() >= self._looks_due:
            self._looks_due = monotonic() + LOOKS_S
            done += record_looks(edge)
        if monotonic() >= self._tell_due:
            self._tell_due = monotonic() + TELL_S
            self._telling.tell()
        return done

    def _take(self, conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
        take_orders(self._edge, conn, facts)
        take_asked(self._edge, conn, facts)

    def _find_host(self) -> str:
        if not self._host:
            with read(self._edge.node.engine) as conn:
                found = list_peers(conn)
            if found and found[0].code != self._edge.model.code:
                raise other_plant(self._edge.model.code, found[0].code)
            self._host = found[0].code if found else ""
        return self._host

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self.step():
                    self._stopping.wait(LOOK_S)
            except (StrandlineError, SQLAlchemyError, OSError) as error:
                log.warning("spool not carried on", why=str(error)[:300], again_in_s=RETRY_S)
                self._stopping.wait(RETRY_S)
