"""The hub's desk over memory storage: hello, push, fetch and pull, as sync/desk.py answers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from campaign.memory_reading import MemoryReading
from campaign.site import HUB
from campaign.store import Chain, Database
from campaign.words import Fetch, Hello, Pull, Push, Welcome
from shared.ids import random_key
from sync import clones, verdict
from sync.errors import OutOfStep, PeerHeld, StaleSession
from sync.messages import ZERO_HASH, EpochState
from sync.positions import missing


def welcome_plant(hub: MemoryReading, hello: Hello) -> Welcome:
    """The desk's hello: open a session, take over the author's order, say what is held."""
    disk, node = hub.disk, hello.node
    if node in disk.held:
        raise PeerHeld("sync.peer_held", f"{node} is held here.")
    disk.sessions[node] = random_key()
    disk.callers[node] = clones.Visit(hello.boot, hello.instance, hub.clock_ms)
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


def watch_callers(hub: MemoryReading, node: str) -> None:
    """A session is used: whoever opened it is alive. Told at its use, because a late hello opens one as well."""
    disk = hub.disk
    visits, visit = disk.visits.setdefault(node, []), disk.callers.get(node)
    if visit is not None and clones.is_change(visits, visit):
        visits.append(visit)
        del visits[: -clones.VISITS_KEPT]
    if clones.suspected(visits, hub.clock_ms):
        disk.held.add(node)
        disk.incidents += 1
        raise PeerHeld("sync.peer_held", f"Two installations of {node} take turns.")


def renumber(hub: MemoryReading, node: str, order: Sequence[str]) -> None:
    """The order of an author that names every epoch counts; rows are made again where it changes anything."""
    held = {chain.epoch: chain for chain in hub.disk.copies.get(node, ())}
    wanted = [epoch for epoch in order if epoch in held]
    if len(wanted) == len(held) and wanted != list(held):
        hub.disk.copies[node] = [held[epoch] for epoch in wanted]
        hub.remakes[node] += 1
        hub.disk.rebuild(hub.old)


def check_session(hub: MemoryReading, node: str, ticket: verdict.Ticket) -> None:
    """Raise StaleSession unless this is the plant's latest session in the hub's present life."""
    present = verdict.Ticket(hub.disk.incarnation, hub.disk.sessions.get(node, ""))
    if verdict.is_stale(ticket, present):
        raise StaleSession("sync.stale_session", f"{node} opened another session since.")
    if node in hub.disk.held:
        raise PeerHeld("sync.peer_held", f"{node} is held here.")
    watch_callers(hub, node)


def take_push(hub: MemoryReading, push: Push) -> tuple[verdict.Answer, int]:
    """The desk's push."""
    check_session(hub, push.node, push.ticket)
    hub.disk.counters[push.node] = max(push.counter, hub.disk.counters.get(push.node, 0))
    answer, durable = take(hub.disk, push.node, push)
    if answer == "stored" and push.first - 1 + len(push.facts) >= durable:
        through = hub.disk.through
        through[push.node] = max(through.get(push.node, 0), min(push.through, hub.clock_ms))
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


def give_entries(hub: MemoryReading, fetch: Fetch) -> Sequence[Any]:
    """The desk's way back: a plant's own entries, or the hashes it asks for."""
    check_session(hub, fetch.node, fetch.ticket)
    chain = next(chain for chain in hub.disk.copies[fetch.node] if chain.epoch == fetch.epoch)
    if fetch.places:
        return [chain.hashes[place] for place in fetch.places]
    return tuple(chain.facts[fetch.keep : fetch.take])


def give_down(hub: MemoryReading, pull: Pull) -> Push | None:
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


DOORS: dict[type, Callable[[MemoryReading, Any], Any]] = {
    Hello: welcome_plant,
    Push: take_push,
    Fetch: give_entries,
    Pull: give_down,
}
