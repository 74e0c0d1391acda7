"""I1-I17 (sync-protocol.md, 1.11) as functions over a world. Each says in one line what holds, and where it is judged.

Some need what a history of sync has not: a standards catalogue, transfers. They name where they are judged instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from campaign.site import HUB, PLANTS, Site
from campaign.world import Violation, World

When = Literal["at each step", "at the end", "as it happens", "elsewhere"]
Check = Callable[[World], Iterable[str]]


@dataclass(frozen=True)
class Invariant:
    """One of the seventeen. check is None where it is judged while a history runs, or elsewhere (`where` says)."""

    number: str
    statement: str
    when: When
    check: Check | None = None
    where: str = ""


def check_step(world: World) -> None:
    """Judge what must hold after every step. Raises Violation."""
    _check(world, "at each step")


def check_end(world: World) -> None:
    """Judge what must hold when the group is at rest. Raises Violation."""
    _check(world, "at the end")


def at_rest(world: World) -> bool:
    """Whether everyone holds everything."""
    return not unrest(world)


def unrest(world: World) -> list[str]:
    """Where plants and hub do not hold the same."""
    return [*_different_heads(world)]


def no_loss(world: World) -> Iterator[str]:
    """I1."""
    for code in PLANTS:
        plant, hub = _first(world, code), world.hub
        for fact_id in sorted(plant.facts(code) - _known(hub, code)):
            yield f"{code}'s fact {fact_id} has no effect at the hub and is not set aside there"
        for fact_id in sorted(world.alive[code] - plant.facts(code)):
            yield f"{code} committed {fact_id}, and its journal has it no more"
        down = f"{HUB}>{code}"
        for fact_id in sorted(hub.facts(down) - _known(plant, HUB) - _known(plant, _other(code))):
            yield f"fact {fact_id} sent down has no effect at {code} and is not set aside there"


def given_back(world: World) -> Iterator[str]:
    """I7, for what the hub wrote itself: whatever a plant holds of it stands in the hub's own stream, and counts."""
    if not world.group.gives_back:
        return
    hub = world.hub
    for code in PLANTS:
        held = _first(world, code).facts(f"{HUB}>{code}") & world.of_hub
        for fact_id in sorted(held - hub.facts(HUB)):
            yield f"{code} holds {fact_id}, which the hub wrote once and has no more"
        for fact_id in sorted(held - _known(hub, HUB)):
            yield f"the hub's own fact {fact_id} has no effect there and is not set aside"


def no_fabrication(world: World) -> Iterator[str]:
    """I2, I4."""
    for site in world.everyone():
        for finding in site.findings():
            yield f"at {site.code}: {finding}"


def one_effect(world: World) -> Iterator[str]:
    """I3."""
    for code in PLANTS:
        plant = _first(world, code)
        yield from _unequal(f"{code}'s facts applied", plant.applied(code), world.hub.applied(code))
        for site in (plant, world.hub):
            for fact_id in site.repeated(code):
                yield f"{code}'s fact {fact_id} had its effect twice at {site.code}"


def monotone(world: World) -> Iterator[str]:
    """I4, I6."""
    held = world.hub.held()
    for key, (durable, digest) in world.tops.items():
        now = held.get(key)
        if now is None or now[0] < durable:
            yield f"the hub held {key[0]} {key[1][:6]} up to {durable}, and now to {now[0] if now else 0}"
        elif now[0] > durable and world.hub.hash_at(*key, durable) != digest:
            yield f"entry {durable} of {key[0]} {key[1][:6]} at the hub has another hash than before"
    world.tops = held


def one_tree(world: World) -> Iterator[str]:
    """I9."""
    for code in PLANTS:
        for stream in (code, f"{HUB}>{code}"):
            sites = (_first(world, code), world.hub)
            parents = [{tip.epoch: tip.parent for tip in site.tips(stream)} for site in sites]
            for epoch in parents[0].keys() & parents[1].keys():
                if parents[0][epoch] != parents[1][epoch]:
                    yield f"epoch {epoch[:6]} of {stream} has two parents: {parents[0][epoch]}, {parents[1][epoch]}"


def same_rows(world: World) -> Iterator[str]:
    """I5, I10, I17."""
    for code in PLANTS:
        here, there = _first(world, code).content(code), world.hub.content(code)
        if here != there:
            yield f"{code}'s rows differ: {here[:12]} there, {there[:12]} at the hub"


def same_after_rebuild(world: World) -> Iterator[str]:
    """I5. The dearest of all, so that only some histories are judged by it."""
    if not world.thorough:
        return
    for site in (world.hub, *(_first(world, code) for code in PLANTS)):
        authors = PLANTS if site is world.hub else (site.code,)
        for author, rebuilt in site.rebuilt(authors).items():
            if rebuilt != site.content(author):
                yield f"{author}'s rows at {site.code} are others after a rebuild"


def never_overtaken(world: World) -> Iterator[str]:
    """I5, but for clones: two lives at once have no order that the hub could have known."""
    for code in PLANTS:
        if code not in world.cloned and world.hub.remade(code):
            yield f"something of {code} came before what the hub had applied: its rows were made again"


def isolated(world: World) -> Iterator[str]:
    """I11."""
    for code in PLANTS:
        for fact_id, state in world.hub.set_aside(code).items():
            if fact_id not in world.poison:
                yield f"{code}'s fact {fact_id} is {state} at the hub, though nothing of its subject is unreadable"


def covered(world: World) -> Iterator[str]:
    """I15, where somebody can know what was promised."""
    for code in PLANTS:
        if code in world.once_blind and world.hub_restored:
            continue
        through, missing = world.hub.through(code), world.promised & world.alive[code] - world.hub.facts(code)
        for site in world.sites[code] if missing else ():
            for fact_id, at in site.times(code).items():
                if at <= through and fact_id in missing:
                    yield f"{code} recorded {fact_id} at {at}, promised complete through {through}; the hub has it not"


def quiet(world: World) -> Iterator[str]:
    """I16."""
    before = [(site.code, site.incidents(), _shape(site)) for site in world.everyone()]
    for code in PLANTS:
        site = _first(world, code)
        line = world.lines[id(site)]
        site.exchange(line, Random(0))
        site.apply()
    world.hub.apply()
    after = [(site.code, site.incidents(), _shape(site)) for site in world.everyone()]
    for was, now in zip(before, after, strict=True):
        if was != now:
            yield f"{was[0]} had {was[1]} incidents and epochs {was[2]}; one more exchange makes them {now[1:]}"


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I1", "each fact of a node's committed state is applied or set aside at its readers", "at the end", no_loss
    ),
    Invariant("I2", "every copied entry verifies under its author's key and chain", "at the end", no_fabrication),
    Invariant("I3", "a fact has its effect once", "at the end", one_effect),
    Invariant("I4", "copied places are 1..durable and never change their hash", "at each step", monotone),
    Invariant("I5", "rows follow (epoch order, seq): a rebuild changes nothing", "at the end", same_after_rebuild),
    Invariant("I5", "what comes, comes after what was applied", "at the end", never_overtaken),
    Invariant("I6", "durable never goes back within an incarnation", "at each step", monotone),
    Invariant("I7", "a hub restored to any backup gets everything back", "at the end", no_loss),
    Invariant("I7", "a hub that lost its own facts gets back what plants hold of them", "at the end", given_back),
    Invariant("I8", "a label is printed once", "as it happens", where="campaign.world.World.commit"),
    Invariant("I9", "an epoch has one parent, the same on both sides", "at the end", one_tree),
    Invariant(
        "I10", "faults stopped, everyone agrees in bounded rounds", "as it happens", where="campaign.history.settle"
    ),
    Invariant("I11", "a fact that is kept out delays only its subjects", "at the end", isolated),
    Invariant("I12", "no call inside a transaction", "as it happens", where="campaign.sqlite.Way"),
    Invariant(
        "I13", "standards whole, signed and never back", "elsewhere", where="tests of standards: no catalogue here"
    ),
    Invariant("I14", "each live piece in one place", "elsewhere", where="tests of transfers: no shipments here"),
    Invariant("I15", "what a watermark promises is there", "at each step", covered),
    Invariant("I16", "detectors stay silent on unchanged input", "at the end", quiet),
    Invariant("I17", "an author's rows do not depend on the others' interleaving", "at the end", same_rows),
)


def _check(world: World, when: When) -> None:
    for invariant in INVARIANTS:
        if invariant.when == when and invariant.check is not None:
            for what in invariant.check(world):
                raise Violation(invariant.number, what)


def _different_heads(world: World) -> Iterator[str]:
    for code in PLANTS:
        plant, hub = _first(world, code), world.hub
        mine, copied = _tips(plant, code), _tips(hub, code)
        if list(mine.items()) != list(copied.items()):
            yield f"{code} has {_short(mine)}, the hub {_short(copied)}"
        down = f"{HUB}>{code}"
        sent = _tips(hub, down)
        if any(plant.hash_at(down, epoch, seq) != digest for epoch, (seq, digest) in sent.items()):
            yield f"the hub sent {_short(sent)}, {code} holds {_short(_tips(plant, down))}"


def _tips(site: Site, stream: str) -> dict[str, tuple[int, str]]:
    return {tip.epoch: (tip.seq, tip.hash) for tip in site.tips(stream) if tip.seq}


def _short(tips: dict[str, tuple[int, str]]) -> str:
    return ", ".join(f"{epoch[:6]}:{seq}" for epoch, (seq, _) in tips.items()) or "nothing"


def _shape(site: Site) -> list[str]:
    streams = [site.code] if site.code != HUB else [f"{HUB}>{code}" for code in PLANTS]
    return [tip.epoch[:6] for stream in streams for tip in site.tips(stream)]


def _first(world: World, code: str) -> Site:
    return world.sites[code][0]


def _other(code: str) -> str:
    return next(plant for plant in PLANTS if plant != code)


def _known(site: Site, author: str) -> set[str]:
    return site.applied(author) | site.set_aside(author).keys()


def _unequal(what: str, here: set[str], there: set[str]) -> Iterator[str]:
    if here != there:
        yield f"{what}: {len(here - there)} only at the plant, {len(there - here)} only at the hub"
