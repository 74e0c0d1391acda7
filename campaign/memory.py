"""The world of the pure core: the product's chain hash, verdicts, clone watch and recovery over memory storage.

No signatures, no bytes on a wire, no SQL: a few hundred histories a second, so that rare meetings of faults come up.
What a site does around the core mirrors sync/caller.py and sync/desk.py step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from campaign.disk import Image, Mode
from campaign.memory_caller import LABELS_GAP, MemoryCaller
from campaign.memory_desk import DOORS
from campaign.network import Line
from campaign.site import HUB, PLANTS, START_MS, Written
from campaign.store import Anchor, Chain, Database, Kind, Stated
from campaign.words import Hello
from shared.ids import random_key


class MemorySite(MemoryCaller):
    """One installation."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.kept: Anchor | None = None
        self._now_ms = START_MS
        self._ahead_ms = 0
        self._pieces: list[str] = []

    def boot(self) -> None:
        """A database that is older than its anchor opens new epochs before the first write."""
        self.process = random_key()
        self.clock_ms = max(0, self._now_ms + self._ahead_ms)
        disk = self.disk
        disk.sessions.clear()
        if self.kept is not None:
            disk.floor_ms = max(disk.floor_ms, self.kept.floor_ms)
        if is_behind(disk, self.kept):
            disk.instance, disk.incarnation = random_key(), random_key()
            for stream in disk.own:
                self._open_child(stream, disk.own[stream][-1])
            if self.kept is not None:
                disk.counter = max(disk.counter, self.kept.counter)
            disk.counter += LABELS_GAP
            self.anchor()
        elif not disk.instance:
            disk.instance, disk.incarnation = random_key(), random_key()
        self._retry()

    def _retry(self) -> None:
        """Every start tries again what was set aside."""
        for rows in self.disk.rows.values():
            rows.retry(self.old)

    def tick(self, now_ms: int) -> None:
        """Never backwards while the process runs."""
        self._now_ms = now_ms
        self.clock_ms = max(self.clock_ms, now_ms + self._ahead_ms)

    def set_clock(self, ahead_ms: int) -> None:
        """In force at once if it is forward, else from the next start on."""
        self._ahead_ms = ahead_ms

    def record(self, dice: Random, foreign: Sequence[str]) -> Written:
        """A new slab with a label, or something about an old one or another plant's."""
        if not self._pieces or dice.random() < 0.4:
            self.disk.counter += 1
            self._pieces = [*self._pieces, random_key()]
            fact = self._write(self._pieces[-1], "plain")
            return Written(fact, f"S{self.disk.counter:09}")
        return Written(
            self._write(dice.choice(self._pieces if dice.random() < 0.8 or not foreign else foreign), "plain")
        )

    def record_poison(self, dice: Random) -> Written:
        """About a subject of its own."""
        return Written(self._write(random_key(), "poison"))

    def record_newer(self, dice: Random) -> Written:
        """About one of the pieces."""
        return Written(self._write(dice.choice(self._pieces), "newer")) if self._pieces else self.record(dice, [])

    def pieces(self) -> list[str]:
        """As people remember them."""
        return self._pieces

    def anchor(self) -> None:
        """Write it now."""
        heads = {s: (chains[-1].epoch, chains[-1].head, chains[-1].hashes[-1]) for s, chains in self.disk.own.items()}
        self.kept = Anchor(self.disk.instance, heads, self.disk.counter, self.disk.floor_ms)

    def save(self) -> Image:
        """Database and anchor of one moment."""
        return Image(self.disk.copy(), self.kept, self._pieces)

    def load(self, image: Image, mode: Mode) -> None:
        """Replace the database, and the anchor as the mode says."""
        self.disk = image.database.copy()
        if mode != "database":
            self.kept = image.anchor if mode == "machine" else None
        self._pieces = image.memory

    def wipe(self) -> None:
        """Nothing is left."""
        self.disk, self.kept, self._pieces = Database(), None, []
        self.boot()

    def apply(self) -> None:
        """All that is held of others."""
        for stream in self.disk.copies:
            if self.disk.overtaken(stream):
                self.remakes[stream] += 1
                self.disk.rebuild(self.old)
        for stream, chains in sorted(self.disk.copies.items(), key=lambda item: (">" in item[0], item[0])):
            self.disk.apply_stream(stream, chains, self.old)

    def upgrade(self) -> None:
        """The new release starts and tries again what was set aside."""
        self.old = False
        self.boot()

    def answer(self, request: Any) -> Any:
        """The hub's desk."""
        return DOORS[type(request)](self, request)

    def relay(self, fact_id: str, stream: str) -> None:
        """Send a fact down, once."""
        chains = self.disk.own.setdefault(stream, [])
        if any(fact.fact_id == fact_id for chain in chains for fact in chain.facts):
            return
        found = next(f for cs in self.disk.streams().values() for c in cs for f in c.facts if f.fact_id == fact_id)
        self._chain(stream).append(found)

    def _write(self, subject: str, kind: Kind) -> str:
        disk = self.disk
        disk.floor_ms = max(disk.floor_ms, self.clock_ms)
        fact = Stated(random_key(), self.code, subject, kind, disk.floor_ms)
        chain = self._chain(self.code)
        chain.append(fact)
        if kind != "poison":
            disk.rows_of(self.code).apply((fact,), False)
        disk.positions[self.code, chain.epoch] = chain.head
        return fact.fact_id

    def _chain(self, stream: str) -> Chain:
        chains = self.disk.own.setdefault(stream, [])
        if not chains:
            chains.append(Chain(stream, random_key(), None))
        return chains[-1]


def is_behind(disk: Database, anchor: Anchor | None) -> bool:
    """Whether the database is older than, or beside, what the anchor remembers; a missing anchor counts as that."""
    if anchor is None:
        return any(chain.head for chains in disk.own.values() for chain in chains)
    for stream, (epoch, seq, digest) in anchor.heads.items():
        chains = disk.own.get(stream)
        if not chains or chains[-1].epoch != epoch or chains[-1].at(seq) != digest:
            return True
    return anchor.counter > disk.counter


class MemoryGroup:
    """A hub and its plants before the first fact."""

    gives_back = False

    def __init__(self, dice: Random) -> None:
        self.hub = MemorySite(HUB)
        self.plants = {code: MemorySite(code) for code in PLANTS}
        for site in (self.hub, *self.plants.values()):
            site.boot()
        self.hub.old = dice.random() < 0.2
        self.plants[PLANTS[0]].old = dice.random() < 0.1

    def twin(self, code: str) -> MemorySite:
        """A second machine."""
        twin = MemorySite(code)
        twin.old = self.plants[code].old
        return twin

    def line(self, plant: Any) -> Line[Any, Any]:
        """To the hub."""
        return Line(self.hub.answer, lambda request: isinstance(request, Hello))

    def relay(self, fact_id: str, plant: str) -> None:
        """Once a fact and plant."""
        self.hub.relay(fact_id, f"{HUB}>{plant}")

    def enrol(self, plant: Any) -> None:
        """A new installation is a new caller."""
        self.hub.disk.visits.pop(plant.code, None)
        self.hub.disk.held.discard(plant.code)

    def knows(self, plant: Any) -> bool:
        """There are no keys here."""
        return True

    def release(self, code: str) -> None:
        """One installation is left: its turns are over."""
        self.hub.disk.visits.pop(code, None)
        self.hub.disk.held.discard(code)


def open_group(dice: Random) -> MemoryGroup:
    """A group at the start of a history."""
    return MemoryGroup(dice)
