"""A plant's side of the line over memory storage: hello, recovery, push, pull, as sync/caller.py and its neighbours do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from campaign.memory_desk import take
from campaign.memory_reading import MemoryReading
from campaign.network import Line
from campaign.site import HUB
from campaign.store import Chain, Stated
from campaign.words import Fetch, Hello, Pull, Push, Welcome
from campaign.world import Violation
from shared.ids import random_key
from sync import recovery, verdict
from sync.errors import OutOfStep
from sync.messages import Branch, EpochState
from sync.positions import missing

LABELS_GAP = 100
"""A new life's labels begin so far past the highest that anyone knows: more than are printed while an anchor lags."""


class MemoryCaller(MemoryReading, ABC):
    """A site that calls the hub."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.met = False
        self.process = ""

    def exchange(self, line: Line[Any, Any], dice: Random) -> None:
        """Until neither side has anything for the other."""
        copies = tuple(chain.state() for chain in self.disk.copies.get(f"{HUB}>{self.code}", ()))
        welcome = line.call(Hello(self.code, self.process, self.disk.instance, self._states(), copies))
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

    def _cover(self) -> None:
        """What is promised is in the anchor before it leaves."""
        self.anchor()

    @abstractmethod
    def anchor(self) -> None:
        """Bring the anchor level with the database."""

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
            disk.floor_ms = max(disk.floor_ms, self.clock_ms)
            through = disk.floor_ms - 1
            disk.floor_ms = through + 1
        elif facts and chain is disk.own[self.code][-1] and chain.parent is None:
            through = facts[-1].recorded_ms - 1
        push = Push(
            self.code, ticket, chain.epoch, chain.parent, first, chain.hashes[first - 1], facts, hashes, through,
            disk.counter,
        )  # fmt: skip
        self._cover()
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
