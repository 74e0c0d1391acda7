"""The world of the pure core: the product's chain hash, verdicts, clone watch and recovery over memory storage.

No signatures, no bytes on a wire, no SQL: a few hundred histories a second, so that rare meetings of faults come up.
What a site does around the core mirrors sync/caller.py and sync/desk.py step by step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any

from campaign.disk import Image, Mode
from campaign.network import Line
from campaign.store import Anchor, Chain, Database, Kind, Stated
from campaign.world import HUB, PLANTS, START_MS, Tip, Violation, Written
from shared.ids import random_key
from sync import clones, recovery, verdict
from sync.errors import OutOfStep, PeerHeld, StaleSession
from sync.messages import ZERO_HASH, Branch, EpochState
from sync.positions import missing

LABELS_GAP = 100
"""A new life's labels begin so far past the highest that anyone knows: more than are printed while an anchor lags."""


@dataclass(frozen=True)
class Hello:
    """A plant shows its epochs, its process and what it holds of the hub's way down."""

    node: str
    boot: str
    instance: str
    epochs: tuple[EpochState, ...]
    copies: tuple[EpochState, ...]


@dataclass(frozen=True)
class Welcome:
    """What the hub holds of the plant."""

    ticket: verdict.Ticket
    holds: tuple[EpochState, ...]
    counter: int
    through: int


@dataclass(frozen=True)
class Fetch:
    """A plant asks for its own entries after `keep`, or only for hashes at `places`."""

    node: str
    ticket: verdict.Ticket
    epoch: str
    keep: int = 0
    take: int = 0
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class Push:
    """Entries first.. of an epoch; none is a heartbeat."""

    node: str
    ticket: verdict.Ticket
    epoch: str
    parent: Branch | None
    first: int
    prev: str
    facts: tuple[Stated, ...]
    hashes: tuple[str, ...]
    through: int
    counter: int


@dataclass(frozen=True)
class Pull:
    """A plant asks for what follows its positions in its way down."""

    node: str
    ticket: verdict.Ticket
    copies: tuple[EpochState, ...]


class MemorySite:
    """One installation."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.old = self.met = False
        self.disk = Database()
        self.kept: Anchor | None = None
        self._now_ms = START_MS
        self._ahead_ms = 0
        self._clock_ms = START_MS
        self._boot = ""
        self._pieces: list[str] = []
        self.remakes: Counter[str] = Counter()

    def boot(self) -> None:
        """A database that is older than its anchor opens new epochs before the first write."""
        self._boot = random_key()
        self._clock_ms = max(0, self._now_ms + self._ahead_ms)
        disk = self.disk
        disk.sessions.clear()
        if is_behind(disk, self.kept):
            disk.instance, disk.incarnation = random_key(), random_key()
            for stream in disk.own:
                self._open_child(stream, disk.own[stream][-1])
            if self.kept is not None:
                disk.counter, disk.floor_ms = (
                    max(disk.counter, self.kept.counter),
                    max(disk.floor_ms, self.kept.floor_ms),
                )
            disk.counter += LABELS_GAP
            self.anchor()
        elif not disk.instance:
            disk.instance, disk.incarnation = random_key(), random_key()

    def tick(self, now_ms: int) -> None:
        """Never backwards while the process runs."""
        self._now_ms = now_ms
        self._clock_ms = max(self._clock_ms, now_ms + self._ahead_ms)

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
        for rows in self.disk.rows.values():
            rows.retry(self.old)

    def exchange(self, line: Line[Any, Any], dice: Random) -> None:
        """Until neither side has anything for the other."""
        copies = tuple(chain.state() for chain in self.disk.copies.get(f"{HUB}>{self.code}", ()))
        welcome = line.call(Hello(self.code, self._boot, self.disk.instance, self._states(), copies))
        self.disk.floor_ms = max(self.disk.floor_ms, welcome.through + 1)
        self._recover(line, welcome)
        self.met = True
        held = {state.epoch: state for state in welcome.holds}
        for span in missing(self._states(), welcome.holds):
            self._push_span(line, dice, welcome, span.epoch, span.first)
        if self.disk.own and not missing(self._states(), held.values()):
            self._push(line, welcome.ticket, self.disk.own[self.code][-1], self.disk.own[self.code][-1].head + 1, 0)
        while self._pull(line, welcome.ticket):
            pass

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
        disk.floor_ms = max(disk.floor_ms, self._clock_ms)
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

    def _open_child(self, stream: str, parent: Chain) -> None:
        branch = Branch(parent.epoch, parent.head, parent.hashes[-1])
        self.disk.own[stream].append(Chain(stream, random_key(), branch))

    def _states(self) -> tuple[EpochState, ...]:
        return tuple(chain.state() for chain in self.disk.own.get(self.code, ()))

    def _push_span(self, line: Line[Any, Any], dice: Random, welcome: Welcome, epoch: str, first: int) -> None:
        chain = next(chain for chain in self.disk.own[self.code] if chain.epoch == epoch)
        while first <= chain.head:
            first = self._push(line, welcome.ticket, chain, first, dice.choice((1, 2, 5, 2_000))) + 1

    def _push(self, line: Line[Any, Any], ticket: verdict.Ticket, chain: Chain, first: int, most: int) -> int:
        facts, hashes = tuple(chain.facts[first - 1 : first - 1 + most]), tuple(chain.hashes[first : first + most])
        disk, last = self.disk, first - 1 + len(facts)
        through = 0
        if chain is disk.own[self.code][-1] and last == chain.head:
            disk.floor_ms = max(disk.floor_ms, self._clock_ms)
            through = disk.floor_ms - 1
            disk.floor_ms = through + 1
        elif facts and chain is disk.own[self.code][-1] and chain.parent is None:
            through = facts[-1].recorded_ms - 1
        push = Push(
            self.code, ticket, chain.epoch, chain.parent, first, chain.hashes[first - 1], facts, hashes, through,
            disk.counter,
        )  # fmt: skip
        answer: verdict.Answer
        answer, durable = line.call(push)
        if answer != "stored" or durable < last:
            raise OutOfStep(f"sync.{answer}", f"The hub holds {chain.epoch[:6]} up to {durable}.")
        return last

    def _recover(self, line: Line[Any, Any], welcome: Welcome) -> None:
        """Plan, fetch all that is needed, then change the database at once."""
        chains = {chain.epoch: chain for chain in self.disk.own.get(self.code, ())}
        meets = {}
        for state in welcome.holds:
            if state.epoch in chains:
                chain = chains[state.epoch]
                probe = self._probe(line, welcome.ticket, state.epoch)
                meets[state.epoch] = recovery.meeting(chain.state(), state, chain.at, probe)
        plan = recovery.plan(self._states(), welcome.holds, meets)
        if plan.clean:
            return
        fetched = {
            step.epoch: line.call(Fetch(self.code, welcome.ticket, step.epoch, step.keep, step.take))
            for step in plan.steps
            if step.take > step.keep
        }
        self._mend(plan, fetched, welcome.counter)

    def _probe(self, line: Line[Any, Any], ticket: verdict.Ticket, epoch: str) -> recovery.Probe:
        return lambda places: line.call(Fetch(self.code, ticket, epoch, places=tuple(places)))

    def _mend(self, plan: recovery.Plan, fetched: Mapping[str, Sequence[Stated]], known_counter: int) -> None:
        disk, carried = self.disk, []
        chains = {chain.epoch: chain for chain in disk.own.get(self.code, ())}
        for step in plan.steps:
            chain = chains.setdefault(step.epoch, Chain(self.code, step.epoch, step.state.parent))
            carried += chain.cut(step.keep)
            for fact in fetched.get(step.epoch, ()):
                chain.append(fact)
            if chain.hashes[-1] != step.head:
                raise Violation("I2", f"what came of epoch {step.epoch[:6]} does not lead to the hash that was named")
        for moved in plan.rebased:
            at = Branch(moved.parent, moved.seq, chains[moved.parent].hashes[moved.seq])
            chains[moved.epoch].parent = at
        disk.own[self.code] = [chains[epoch] for epoch in plan.order]
        if plan.parent:
            self._open_child(self.code, chains[plan.parent])
            disk.instance = random_key()
        known = {fact.fact_id for chain in disk.own[self.code] for fact in chain.facts}
        for fact in carried:
            if fact.fact_id not in known:
                known.add(fact.fact_id)
                disk.own[self.code][-1].append(fact)
        disk.counter = max(disk.counter, known_counter) + LABELS_GAP
        disk.incidents += 1
        disk.rebuild(self.old)

    def _pull(self, line: Line[Any, Any], ticket: verdict.Ticket) -> int:
        stream = f"{HUB}>{self.code}"
        copies = self.disk.copies.setdefault(stream, [])
        push: Push | None = line.call(Pull(self.code, ticket, tuple(chain.state() for chain in copies)))
        if push is None:
            return 0
        answer, _ = take(self.disk, stream, push)
        if answer != "stored":
            raise OutOfStep(f"sync.{answer}", f"{stream} does not continue what is held here.")
        return len(push.facts)

    def facts(self, stream: str) -> set[str]:
        """Ids of all facts in a stream."""
        return {fact.fact_id for chain in self.disk.streams().get(stream, ()) for fact in chain.facts}

    def applied(self, author: str) -> set[str]:
        """Ids of the author's facts that had their effect."""
        return set(self.disk.rows[author].done) if author in self.disk.rows else set()

    def set_aside(self, author: str) -> dict[str, str]:
        """What of the author's is kept out, and how."""
        rows = self.disk.rows.get(author)
        return {fact_id: state for fact_id, (state, _) in rows.aside.items()} if rows else {}

    def tips(self, stream: str) -> list[Tip]:
        """The epochs of a stream, in order."""
        return [
            Tip(c.epoch, c.head, c.hashes[-1], (c.parent.epoch, c.parent.seq, c.parent.hash) if c.parent else None)
            for c in self.disk.streams().get(stream, ())
        ]

    def hash_at(self, stream: str, epoch: str, seq: int) -> str | None:
        """The chain at one place."""
        return next((c.at(seq) for c in self.disk.streams().get(stream, ()) if c.epoch == epoch), None)

    def held(self) -> dict[tuple[str, str], tuple[int, str]]:
        """What is held of plants' own streams."""
        return {
            (stream, chain.epoch): (chain.head, chain.hashes[-1])
            for stream, chains in self.disk.copies.items()
            if ">" not in stream
            for chain in chains
        }

    def through(self, author: str) -> int:
        """The highest promise."""
        return self.disk.through.get(author, 0)

    def times(self, stream: str) -> dict[str, int]:
        """recorded_at of each fact."""
        return {f.fact_id: f.recorded_ms for c in self.disk.streams().get(stream, ()) for f in c.facts}

    def remade(self, author: str) -> int:
        """Since the history began."""
        return self.remakes[author]

    def repeated(self, author: str) -> list[str]:
        """By what the subjects went through."""
        rows = self.disk.rows.get(author)
        return [
            fact for facts in (rows.subjects.values() if rows else ()) for fact, n in Counter(facts).items() if n > 1
        ]

    def incidents(self) -> int:
        """How many recoveries there were."""
        return self.disk.incidents

    def findings(self) -> list[str]:
        """Places whose hash is wrong."""
        return [
            f"stream {stream}, epoch {chain.epoch[:6]}, entry {place}"
            for stream, chains in self.disk.streams().items()
            for chain in chains
            if (place := chain.broken())
        ]

    def content(self, author: str) -> str:
        """A hash over what every subject has gone through."""
        rows = self.disk.rows.get(author)
        return sha256(repr(sorted(rows.subjects.items()) if rows else []).encode()).hexdigest()

    def rebuilt(self, authors: tuple[str, ...]) -> dict[str, str]:
        """The same after a rebuild, on a copy."""
        other = MemorySite(self.code)
        other.disk = self.disk.copy()
        other.disk.rebuild(self.old)
        return {author: other.content(author) for author in authors}


def is_behind(disk: Database, anchor: Anchor | None) -> bool:
    """Whether the database is older than, or beside, what the anchor remembers; a missing anchor counts as that."""
    if anchor is None:
        return any(chain.head for chains in disk.own.values() for chain in chains)
    for stream, (epoch, seq, digest) in anchor.heads.items():
        chains = disk.own.get(stream)
        if not chains or chains[-1].epoch != epoch or chains[-1].at(seq) != digest:
            return True
    return anchor.counter > disk.counter


def welcome_plant(hub: MemorySite, hello: Hello) -> Welcome:
    """The desk's hello: open a session, take over the author's order, say what is held."""
    disk, node = hub.disk, hello.node
    if node in disk.held:
        raise PeerHeld("sync.peer_held", f"{node} is held here.")
    disk.sessions[node] = random_key()
    disk.callers[node] = clones.Visit(hello.boot, hello.instance, hub._clock_ms)
    start_way_anew(disk, f"{HUB}>{node}", hello.copies)
    renumber(hub, node, [state.epoch for state in hello.epochs])
    named = {state.epoch: state.seq for state in hello.epochs}
    holds = tuple(chain.state(named.get(chain.epoch)) for chain in disk.copies.get(node, ()))
    ticket = verdict.Ticket(disk.incarnation, disk.sessions[node])
    return Welcome(ticket, holds, disk.counters.get(node, 0), disk.through.get(node, 0))


def start_way_anew(disk: Database, stream: str, copies: Sequence[EpochState]) -> None:
    """Where the reader holds places that are not ours (we were rolled back), all facts go down again in a new epoch."""
    own = {chain.epoch: chain for chain in disk.own.get(stream, ())}
    settled = disk.settled.setdefault(stream, set())
    strange = [c for c in copies if (own[c.epoch].at(c.seq) != c.hash if c.epoch in own else c.epoch not in settled)]
    if not strange:
        return
    settled |= {copy.epoch for copy in copies} | own.keys()
    fresh = Chain(stream, random_key(), None)
    for fact in {fact.fact_id: fact for chain in own.values() for fact in chain.facts}.values():
        fresh.append(fact)
    disk.own[stream] = [fresh]
    disk.incidents += 1


def watch_callers(hub: MemorySite, node: str) -> None:
    """A session is used: whoever opened it is alive. Told at its use, because a late hello opens one as well."""
    disk = hub.disk
    visits, visit = disk.visits.setdefault(node, []), disk.callers.get(node)
    if visit is not None and clones.is_change(visits, visit):
        visits.append(visit)
        del visits[: -clones.VISITS_KEPT]
    if clones.suspected(visits, hub._clock_ms):
        disk.held.add(node)
        disk.incidents += 1
        raise PeerHeld("sync.peer_held", f"Two installations of {node} take turns.")


def renumber(hub: MemorySite, node: str, order: Sequence[str]) -> None:
    """The order of an author that names every epoch counts; rows are made again where it changes anything."""
    held = {chain.epoch: chain for chain in hub.disk.copies.get(node, ())}
    wanted = [epoch for epoch in order if epoch in held]
    if len(wanted) == len(held) and wanted != list(held):
        hub.disk.copies[node] = [held[epoch] for epoch in wanted]
        hub.remakes[node] += 1
        hub.disk.rebuild(hub.old)


def check_session(hub: MemorySite, node: str, ticket: verdict.Ticket) -> None:
    """Raise StaleSession unless this is the plant's latest session in the hub's present life."""
    present = verdict.Ticket(hub.disk.incarnation, hub.disk.sessions.get(node, ""))
    if verdict.is_stale(ticket, present):
        raise StaleSession("sync.stale_session", f"{node} opened another session since.")
    if node in hub.disk.held:
        raise PeerHeld("sync.peer_held", f"{node} is held here.")
    watch_callers(hub, node)


def take_push(hub: MemorySite, push: Push) -> tuple[verdict.Answer, int]:
    """The desk's push."""
    check_session(hub, push.node, push.ticket)
    hub.disk.counters[push.node] = max(push.counter, hub.disk.counters.get(push.node, 0))
    answer, durable = take(hub.disk, push.node, push)
    if answer == "stored" and push.first - 1 + len(push.facts) >= durable:
        through = hub.disk.through
        through[push.node] = max(through.get(push.node, 0), min(push.through, hub._clock_ms))
    return answer, durable


def take(disk: Database, stream: str, push: Push) -> tuple[verdict.Answer, int]:
    """Store what is new of a batch; the answer and how far the epoch is held."""
    chains = disk.copies.setdefault(stream, [])
    held = next((chain for chain in chains if chain.epoch == push.epoch), None)
    if held is None:
        if push.first != 1:
            return "gap", 0
        _check_parent(chains, push)
    branched = any(chain.parent is not None and chain.parent.epoch == push.epoch for chain in chains)
    copy = verdict.Copy(held.head, held.hashes[-1], branched) if held else None
    offer = verdict.Offer(push.first, push.first - 1 + len(push.facts), push.prev)
    offered: Callable[[int], str | None] = lambda n: push.hashes[n - push.first]  # noqa: E731
    found = verdict.judge(offer, copy, held.at if held else {0: ZERO_HASH}.get, offered)
    if found.answer == "stored":
        if held is None:
            chains.append(held := Chain(stream, push.epoch, push.parent))
        for fact in push.facts[found.first_new - push.first :] if push.facts else ():
            held.append(fact)
    return found.answer, held.head if held else 0


def _check_parent(chains: Sequence[Chain], push: Push) -> None:
    branch = push.parent
    if branch is not None and branch.seq:
        trunk = next((chain for chain in chains if chain.epoch == branch.epoch), None)
        if trunk is None or trunk.at(branch.seq) != branch.hash:
            raise OutOfStep("sync.unknown_parent", f"Epoch {push.epoch[:6]} grew from entries not held here.")


def give_entries(hub: MemorySite, fetch: Fetch) -> Sequence[Any]:
    """The desk's way back: a plant's own entries, or the hashes it asks for."""
    check_session(hub, fetch.node, fetch.ticket)
    chain = next(chain for chain in hub.disk.copies[fetch.node] if chain.epoch == fetch.epoch)
    if fetch.places:
        return [chain.hashes[place] for place in fetch.places]
    return tuple(chain.facts[fetch.keep : fetch.take])


def give_down(hub: MemorySite, pull: Pull) -> Push | None:
    """The desk's pull."""
    check_session(hub, pull.node, pull.ticket)
    stream = f"{HUB}>{pull.node}"
    chains = hub.disk.own.get(stream, [])
    spans = missing([chain.state() for chain in chains], pull.copies)
    if not spans:
        return None
    first = spans[0].first
    chain = next(chain for chain in chains if chain.epoch == spans[0].epoch)
    return Push(
        HUB, pull.ticket, chain.epoch, chain.parent, first, chain.hashes[first - 1],
        tuple(chain.facts[first - 1 :]), tuple(chain.hashes[first:]), 0, 0,
    )  # fmt: skip


DOORS: dict[type, Callable[[MemorySite, Any], Any]] = {
    Hello: welcome_plant,
    Push: take_push,
    Fetch: give_entries,
    Pull: give_down,
}


class MemoryGroup:
    """A hub and its plants before the first fact."""

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
