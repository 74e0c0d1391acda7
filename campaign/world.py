"""One history of a group from a seed: a hub, two plants, their lines, disks and clocks, and one step after another.

The world is a group of sites (real classes on SQLite, or the pure core in memory) and the ledger that judges them:
which facts were ever committed and are not lost by physics, which labels were printed on steel. Steps do not share
dice, so a step can be left out of a history without changing the others: that is how a violation is made short.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from campaign.disk import Shelf
from campaign.network import CLEAR, Hellos, Line, Weather
from campaign.site import HUB, PLANTS, START_MS, Group, Site, Written

ROUNDS_MAX = 6
"""I10: clear exchanges of everyone in turn after which a group must agree; a recovery takes a hello of its own."""


class Violation(Exception):
    """An invariant does not hold. number is its name, e.g. 'I1'."""

    def __init__(self, number: str, what: str) -> None:
        super().__init__(f"{number}: {what}")
        self.number = number


@dataclass
class World:
    """A group in the middle of a history."""

    group: Group
    weather: Weather
    now_ms: int = START_MS
    sites: dict[str, list[Site]] = field(default_factory=dict)
    lines: dict[int, Line[Any, Any]] = field(default_factory=dict)
    hellos: dict[str, Hellos] = field(default_factory=dict)
    shelves: dict[str, Shelf] = field(default_factory=dict)
    alive: dict[str, set[str]] = field(default_factory=dict)
    thorough: bool = True
    hub_restored: bool = False
    promised: set[str] = field(default_factory=set)
    poison: set[str] = field(default_factory=set)
    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    blind: set[int] = field(default_factory=set)
    lagging: set[int] = field(default_factory=set)
    cloned: set[str] = field(default_factory=set)
    """Plants of which two lives went on without knowledge of each other."""
    once_blind: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)
    tops: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    of_hub: set[str] = field(default_factory=set)
    """Every fact that the hub ever wrote itself."""

    def __post_init__(self) -> None:
        self.sites = {code: [site] for code, site in self.group.plants.items()}
        self.shelves = {code: Shelf() for code in (*PLANTS, HUB)}
        self.alive = {code: set() for code in (*PLANTS, HUB)}
        for site in self.everyone():
            self.connect(site)

    @property
    def hub(self) -> Site:
        """The hub."""
        return self.group.hub

    def everyone(self) -> Iterator[Site]:
        """The hub and all installations of plants that run."""
        yield self.hub
        for found in self.sites.values():
            yield from found

    def plant(self, dice: Random) -> Site:
        """Any running installation of any plant."""
        return dice.choice(self.sites[dice.choice(PLANTS)])

    def connect(self, site: Site) -> None:
        """Give an installation a line of its own."""
        if site is not self.hub:
            line = self.lines[id(site)] = self.group.line(site)
            line.hellos = self.hellos.setdefault(site.code, Hellos())
            line.watch = self._hub_holds

    def _hub_holds(self) -> object:
        return self.hub.held(), [self.hub.through(code) for code in PLANTS]

    def pass_time(self, ms: int) -> None:
        """Everyone's clock moves on."""
        self.now_ms += ms
        for site in self.everyone():
            site.tick(self.now_ms)

    def commit(self, site: Site, written: Written) -> None:
        """Enter a committed fact, and its label on steel, into the ledger. I8 is judged here."""
        self.alive[site.code].add(written.fact_id)
        self.lagging.add(id(site))
        if site is self.hub:
            self.of_hub.add(written.fact_id)
        if self._alone(site) and site.code not in self.cloned:
            self.promised.add(written.fact_id)
        if written.label is None or site is self.hub:
            return
        key = (site.code, written.label)
        first = self.labels.setdefault(key, written.fact_id)
        if first != written.fact_id and self._alone(site):
            raise Violation("I8", f"{site.code} printed the label {written.label} twice")

    def _alone(self, site: Site) -> bool:
        """Whether the installation can know all that its code did: no clone runs, and it met the hub since it lost it."""
        return id(site) not in self.blind and len(self.sites.get(site.code, [site])) == 1

    def anchor(self, site: Site) -> None:
        """Bring the site's anchor level with its database."""
        site.anchor()
        self.lagging.discard(id(site))

    def forget_lost(self, code: str) -> None:
        """After a disk was replaced: what neither it nor the hub holds any more is lost by physics."""
        held = self.hub.facts(code)
        for site in self.sites.get(code, [self.hub]):
            held |= site.facts(code)
        self.alive[code] &= held

    def forget_labels(self, code: str) -> None:
        """After the anchor went back or was lost too: labels of lost facts are known to nobody."""
        self.labels = {
            key: fact_id for key, fact_id in self.labels.items() if key[0] != code or fact_id in self.alive[code]
        }

    def exchange(self, site: Site, dice: Random, weather: Weather) -> None:
        """One exchange over this site's line in this weather; SyncErrors pass through."""
        line = self.lines[id(site)]
        line.dice, line.weather, site.met = dice, weather, False
        try:
            site.exchange(line, dice)
        finally:
            line.weather = CLEAR
            if site.met:
                self.blind.discard(id(site))


@dataclass(frozen=True)
class Step:
    """One thing that happens, with dice of its own."""

    number: int
    deed: str
    dice: str

    def play(self, world: World, deeds: dict[str, Callable[[World, Random], str]]) -> str:
        """Do it; returns what it came to, for people."""
        dice = Random(self.dice)
        world.pass_time(dice.randrange(1, 5_000))
        return deeds[self.deed](world, dice)
