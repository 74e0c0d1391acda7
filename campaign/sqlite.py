"""The world of the real classes: Journal, Caller, Desk, Applying and the anchor on SQLite in memory, with real keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from random import Random
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection

from campaign import steel
from campaign.disk import Image, Mode
from campaign.history import seeded_ids
from campaign.machine import Machine, empty_database, machine, make_key
from campaign.network import Line
from campaign.reading import Reading
from campaign.site import HUB, PLANTS, START_MS, Written
from campaign.world import Violation
from local_mes.model.domain import PlantModel
from local_mes.model.high_marks import NumberMarks
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.ids import random_key
from shared.journal import fact as fact_types
from shared.journal.highest import NoValues, Outside
from shared.journal.journal import Journal, Work
from shared.journal.rebuild_author import rebuild_author
from shared.node import Node
from sync import applying, meeting
from sync.beginning import begin
from sync.caller import Caller
from sync.desk import Desk
from sync.meeting import forget_visits
from sync.peers import ACTIVE, find_peer, keep_key, keys_of, set_state, trust_peer
from sync.recovering import Recovery
from sync.station import build_called, make_ground
from sync.transport import Door

OUTSIDE = Outside(NumberMarks(PlantModel.model_construct(numbering=(steel.SCHEME,))), NoValues())
"""What plants keep outside their database: the labels' counter."""

APPLIED_AT_ONCE = 7
"""Entries in one transaction of the applier: few, so that chunks end in the middle of things."""

Request = tuple[Door, bytes]


class SqliteSite(Reading):
    """One installation."""

    outside = OUTSIDE
    applied_at_once = APPLIED_AT_ONCE

    def __init__(self, code: str, name: str) -> None:
        super().__init__(machine(code, name))
        self.code = code
        self.old = False
        self.met = False
        self.key = self.machine.key
        self._ahead_ms = 0
        self._now_ms = START_MS
        self._pieces: list[str] = []
        self._desk: Desk | None = None
        self.clock = FixedClock(START_MS)

    def boot(self) -> None:
        """What a process does before its first write."""
        self.clock = FixedClock(max(0, self._now_ms + self._ahead_ms))
        there = self.machine
        journal = Journal(self.code, there.engine, self.clock, there.appliers)
        self.node = Node(self.code, there.settings, self.clock, there.engine, journal, self.key)
        self._boot = random_key()
        if self.code == HUB:
            station = build_called(self.node, self.applied_at_once)
            self.ground, self._desk = station.ground, station.desk
        else:
            begin(self.node, self.outside)
            self.ground = make_ground(self.node, self.applied_at_once, self.outside)
        if self.machine.raw.execute("SELECT 1 FROM quarantine").fetchone():
            with release(self.old):
                self.ground.applying.retry_set_aside()

    def tick(self, now_ms: int) -> None:
        """Never backwards while the process runs, as the system's clock is held."""
        self._now_ms = now_ms
        self.clock.set(max(self.clock.now_ms(), now_ms + self._ahead_ms))

    def set_clock(self, ahead_ms: int) -> None:
        """In force at once if it is forward, else from the next start on."""
        self._ahead_ms = ahead_ms

    def record(self, dice: Random, foreign: Sequence[str]) -> Written:
        """A new slab, or something about an old one."""
        label = None
        with self.node.journal.work() as tx:
            if not self._pieces or dice.random() < 0.4:
                piece, fact_id, label = steel.create(tx)
                self._pieces = [*self._pieces, piece]
            else:
                fact_id = steel.speak(tx, dice, dice.choice(self._pieces), foreign)
        return Written(fact_id, label)

    def record_poison(self, dice: Random) -> Written:
        """See steel.poison."""
        return self._commit(steel.poison)

    def record_newer(self, dice: Random) -> Written:
        """A mark on one of the pieces."""
        if not self._pieces:
            return self.record(dice, [])
        return self._commit(lambda tx: steel.mark(tx, dice, dice.choice(self._pieces)))

    def pieces(self) -> list[str]:
        """As the people of the plant remember them."""
        return self._pieces

    def anchor(self) -> None:
        """Write it now."""
        self.ground.anchoring.write_now()

    def save(self) -> Image:
        """Database and anchor of one moment."""
        return Image(*self.machine.read_disk(), self._pieces)

    def load(self, image: Image, mode: Mode) -> None:
        """Replace the database, and the anchor as the mode says."""
        self.machine.write_database(image.database)
        if mode != "database":
            self.machine.write_anchor(image.anchor if mode == "machine" else None)
        self._pieces = image.memory

    def wipe(self) -> None:
        """A new key, too: keys are in no backup."""
        self.load(Image(empty_database(), None, []), "machine")
        if self.code != HUB:
            self.key = make_key(self.key.id)
        self.boot()

    def apply(self) -> None:
        """All that is durable, author by author."""
        with release(self.old), counted(self.remakes):
            self.ground.applying.apply_all()

    def upgrade(self) -> None:
        """The new release starts, and tries again what was set aside."""
        self.old = False
        self.boot()

    def exchange(self, line: Line[Request, bytes], dice: Random) -> None:
        """Until neither side has anything for the other."""
        entries_max = dice.choice((1, 2, 3, 5, 2_000))
        with read(self.machine.engine) as conn:
            peer = find_peer(conn, HUB)
        assert peer is not None
        there = self.machine
        way = Way(line, there)
        kept = (lambda: None, 2 << 20, self.outside.numbers, self._boot, self.ground.anchoring.cover)
        caller = Caller(self.code, peer, there.engine, self.clock, self.key, way, *kept)
        session = caller.hello()
        recovery = Recovery(caller, self.node.journal, self.outside, self.ground.anchoring.write_now)
        while recovery.settle(session):
            session = caller.hello()
        self.met = True
        while (run := caller.next_run(entries_max)) is not None:
            caller.push(session, run)
        caller.push(session, None)
        while caller.pull(session, 0):
            pass

    def answer(self, request: Request) -> bytes:
        """The hub's desk as it is now."""
        door, body = request
        answering: Callable[[bytes], bytes] = getattr(self._desk, door)
        with counted(self.remakes):
            return answering(body)

    def _commit(self, deed: Callable[[Work], str]) -> Written:
        with self.node.journal.work() as tx:
            return Written(deed(tx))


class Way:
    """The transport of a caller: its line. I12 is judged here."""

    def __init__(self, line: Line[Request, bytes], caller: Machine) -> None:
        self._line = line
        self._caller = caller

    def send(self, door: Door, body: bytes) -> bytes:
        """Hand the bytes to the line."""
        if self._caller.busy:
            raise Violation("I12", f"{self._caller.code} calls {door} inside a transaction")
        return self._line.call((door, body))


class SqliteGroup:
    """A hub and its plants, enrolled, before the first fact."""

    gives_back = True

    def __init__(self, dice: Random) -> None:
        self.hub = _begin(HUB, HUB)
        self.plants = {code: _begin(code, code) for code in PLANTS}
        self.hub.old = dice.random() < 0.2
        self.plants[PLANTS[0]].old = dice.random() < 0.1

    def twin(self, code: str) -> SqliteSite:
        """A machine with the plant's key."""
        twin = SqliteSite(code, f"{code}2")
        twin.key, twin.old = self.plants[code].key, self.plants[code].old
        return twin

    def line(self, plant: Any) -> Line[Request, bytes]:
        """To whatever desk the hub has when a request arrives."""
        return Line(self.hub.answer, lambda request: request[0] == "hello", cut_request)

    def relay(self, fact_id: str, plant: str) -> None:
        """Once a fact and plant."""
        with self.hub.node.journal.work() as tx:
            tx.relay(fact_id, f"{HUB}>{plant}")

    def enrol(self, plant: Any) -> None:
        """Each trusts the key that the other has now."""
        with write(self.hub.machine.engine) as conn:
            trust_peer(conn, plant.code, plant.key.public, START_MS)
            forget_visits(conn, plant.code)
            known = keys_of(conn, plant.code)
        with write(plant.machine.engine) as conn:
            trust_peer(conn, HUB, self.hub.key.public, START_MS)
            for public in known.values():
                keep_key(conn, plant.code, public, START_MS)

    def knows(self, plant: Any) -> bool:
        """Whether the hub trusts the key that the plant has now."""
        with read(self.hub.machine.engine) as conn:
            peer = find_peer(conn, plant.code)
        return peer is not None and peer.public_key == plant.key.public

    def release(self, code: str) -> None:
        """The operator of the hub lets the plant speak again."""
        with write(self.hub.machine.engine) as conn:
            set_state(conn, code, ACTIVE, START_MS)
            forget_visits(conn, code)


@contextmanager
def release(old: bool) -> Iterator[None]:
    """Decode as a release does that does not know the newer type."""
    known = {key: kind for key, kind in fact_types._TYPES.items() if not (old and key == steel.NEWER)}
    with patch.object(fact_types, "_TYPES", known):
        yield


@contextmanager
def counted(remakes: Counter[str]) -> Iterator[None]:
    """Count the authors whose rows are made again because of what arrived."""

    def remake(conn: Connection, appliers: Any, author: str, now_ms: int) -> int:
        remakes[author] += 1
        return rebuild_author(conn, appliers, author, now_ms)

    with patch.object(applying, "rebuild_author", remake), patch.object(meeting, "rebuild_author", remake):
        yield


def _begin(code: str, name: str) -> SqliteSite:
    site = SqliteSite(code, name)
    site.machine.write_anchor(None)
    site.machine.write_database(_enrolled(code, name))
    site.boot()
    return site


@cache
def _enrolled(code: str, name: str) -> bytes:
    """The disk of a node that has begun its life and trusts the others."""
    site = SqliteSite(code, name)
    site.load(Image(empty_database(), None, []), "machine")
    with seeded_ids(Random(name)):  # made once a process, so not from the dice of whatever history comes first
        site.boot()
    with write(site.machine.engine) as conn:
        for other in PLANTS if code == HUB else (HUB,):
            _trust(conn, other)
    return site.machine.read_disk()[0]


def _trust(conn: Connection, code: str) -> None:
    trust_peer(conn, code, machine(code, code).key.public, START_MS)


def cut_request(request: Request, dice: Random) -> Request:
    """The first part of a request, as a line that breaks leaves it."""
    door, body = request
    return door, body[: dice.randrange(len(body))]
