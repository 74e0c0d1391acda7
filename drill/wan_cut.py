"""The drill "the line to the hub is cut for days": the plant goes on, the line comes back, and everything is counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from drill.line import Line
from drill.nodes import HubProcess, make_plant, wait_for
from drill.reckoning import Reckoning, reckon
from drill.work import PLANT, Work
from local_mes.plant import Plant
from local_mes.wiring import build_station
from shared.clock import FixedClock, SystemClock
from shared.db.engine import open_engine, read
from shared.journal.bulk import record_many
from shared.journal.position import applied_to
from shared.journal.reading import last_entry
from shared.journal.tables import head
from sync.marks import list_holdings
from sync.station import CallingStation

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
FACTS_A_TRANSACTION = 250
FACTS_BEFORE = 200
"""Facts of a day with a line, before it is cut."""
CONVERGE_S_A_FACT = 0.05
CONVERGE_S = 120.0
"""A drill that takes longer than this and 50 ms a fact has failed: the slowest machine we saw took a tenth."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a drill came to. Bytes are those of the connections after the line was back."""

    days: int
    offline_facts: int
    calls_refused: int
    playing_s: float
    durable_s: float
    applied_s: float
    bytes_up: int
    bytes_down: int
    reckoning: Reckoning

    @property
    def passed(self) -> bool:
        """Nothing lost, nothing doubled, the same rows on both sides."""
        return self.reckoning.sound

    def lines(self) -> list[str]:
        """The report."""
        found, facts = self.reckoning, max(self.offline_facts, 1)
        rate = self.offline_facts / max(self.applied_s, 0.001)
        return [
            f"without a line       {self.days} days, {self.offline_facts} facts recorded in {self.playing_s:.0f} s, "
            f"{self.calls_refused} calls in vain",
            f"durable at the hub   {self.durable_s:.1f} s after the line was back",
            f"applied at the hub   {self.applied_s:.1f} s after the line was back, {rate:.0f} facts a second",
            f"on the wire          {self.bytes_up} bytes up ({self.bytes_up / facts:.0f} a fact), "
            f"{self.bytes_down} down",
            *found.lines(),
            "PASSED" if self.passed else "FAILED",
        ]


def run(folder: Path, days: int, facts_a_day: int, seed: int, say: Say) -> Outcome:
    """Play the drill in an empty folder. BadSetup when the machine does not let it run."""
    hub = HubProcess(folder)
    line = Line(hub.port)
    try:
        clock = FixedClock(SystemClock().now_ms() - days * DAY_MS - HOUR_MS)
        plant = make_plant(folder, hub, line, clock)
        scene = _Scene(hub, line, Shift(plant, clock, seed), Watch(plant, hub), build_station(plant))
        return _play(scene, days, facts_a_day, say)
    finally:
        line.close()
        hub.stop()


@dataclass(frozen=True)
class _Scene:
    hub: HubProcess
    line: Line
    shift: Shift
    watch: Watch
    station: CallingStation


def _play(scene: _Scene, days: int, facts_a_day: int, say: Say) -> Outcome:
    line = scene.line
    scene.station.start()
    try:
        scene.shift.work(FACTS_BEFORE, HOUR_MS)
        wait_for(scene.watch.applied, scene.hub, CONVERGE_S, "the first facts to arrive")
        say(f"{FACTS_BEFORE} facts went from a scratch plant to a scratch hub. Now the line is cut.")
        line.cut()
        playing_s = _days_without(scene.shift, days, facts_a_day, say)
        refused, up, down = line.refused, line.up, line.down
        durable_s, applied_s = _return(scene, days * facts_a_day)
    finally:
        scene.station.stop()
    found = scene.watch.reckon()
    carried = line.up - up, line.down - down
    return Outcome(days, days * facts_a_day, refused, playing_s, durable_s, applied_s, *carried, found)


def _days_without(shift: Shift, days: int, facts_a_day: int, say: Say) -> float:
    began = time.monotonic()
    for day in range(1, days + 1):
        shift.work(facts_a_day, DAY_MS)
        say(f"day {day}: {day * facts_a_day} facts wait at the plant")
    return time.monotonic() - began


def _return(scene: _Scene, facts: int) -> tuple[float, float]:
    """The line is back; seconds until everything is durable at the hub, and until it is applied."""
    scene.shift.come_to_the_present()
    scene.line.restore()
    if scene.station.exchange is not None:
        scene.station.exchange.sync_now()
    limit_s = CONVERGE_S + CONVERGE_S_A_FACT * facts
    durable_s = wait_for(scene.watch.durable, scene.hub, limit_s, "the backlog to be durable")
    return durable_s, durable_s + wait_for(scene.watch.applied, scene.hub, limit_s, "the backlog to be applied")


class Shift:
    """People and machines of the plant at work, in played time."""

    def __init__(self, plant: Plant, clock: FixedClock, seed: int) -> None:
        self._plant = plant
        self._clock = clock
        self._drafts = Work(seed, clock).drafts()

    def work(self, facts: int, span_ms: int) -> None:
        """Record so many facts while so much time passes."""
        end, left = self._clock.now_ms() + span_ms, facts
        while left:
            part = min(left, FACTS_A_TRANSACTION)
            with self._plant.journal.work() as tx:
                record_many(tx, list(islice(self._drafts, part)))
            self._clock.advance(span_ms * part // facts)
            left -= part
        self._clock.set(max(end, self._clock.now_ms()))

    def come_to_the_present(self) -> None:
        """The played days are over; now is now."""
        self._clock.set(SystemClock().now_ms())


class Watch:
    """How far the hub is, read from its database beside it."""

    def __init__(self, plant: Plant, hub: HubProcess) -> None:
        self._plant = plant
        self._hub = open_engine(hub.settings.database)

    def durable(self) -> bool:
        """Whether the plant has a receipt for everything."""
        epoch, seq = self._head()
        with read(self._plant.node.engine) as conn:
            held = {state.epoch: state.seq for state in list_holdings(conn, "HUB", [PLANT])}
        return held.get(epoch, 0) >= seq

    def applied(self) -> bool:
        """Whether everything that the plant recorded has become rows at the hub."""
        epoch, seq = self._head()
        with read(self._hub) as conn:
            return last_entry(conn, PLANT, epoch)[0] >= seq and applied_to(conn, PLANT, epoch) >= seq

    def reckon(self) -> Reckoning:
        """Count and compare everything."""
        return reckon(self._plant.node.engine, self._hub, PLANT)

    def _head(self) -> tuple[str, int]:
        with read(self._plant.node.engine) as conn:
            row = conn.execute(head.select().where(head.c.stream == PLANT)).one()
        return row.epoch, row.seq
