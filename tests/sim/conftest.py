"""A group of each world with the deeds that the named cases need; ids from dice, so that a failure repeats."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from random import Random

import pytest
import structlog

from campaign import invariants
from campaign.history import seeded_ids, settle
from campaign.network import CLEAR
from campaign.world import World
from campaign.worlds import WORLDS


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Nodes that are restored warn; here they are restored all the time."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


class Play:
    """A world played by hand: the plant ALD, the hub, and the line between them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.world = World(WORLDS[kind].open_group(Random("a clear day")), CLEAR)
        self.hub, self.plant = self.world.hub, self.world.sites["ALD"][0]
        self.dice = Random("by hand")
        for site in self.world.everyone():
            site.old = False

    @property
    def line(self):
        return self.world.lines[id(self.plant)]

    def write(self, count=1, site=None, anchor=True):
        site = site or self.plant
        for _ in range(count):
            self.world.pass_time(1_000)
            self.world.commit(site, site.record(self.dice, []))
        if anchor:
            self.world.anchor(site)

    def meet(self, site=None, weather=CLEAR, dice=None):
        site = site or self.plant
        try:
            self.world.exchange(site, dice or self.dice, weather)
        finally:
            self.world.anchor(site)

    def restore(self, site, image, mode="database"):
        site.load(image, mode)
        site.boot()
        self.world.forget_lost(site.code)
        if mode != "database":
            self.world.blind.add(id(site))
            self.world.forget_labels(site.code)
        if site is self.hub:
            self.world.tops.clear()

    def settle(self):
        """Faults stop; everyone agrees, and every invariant holds."""
        settle(self.world, [])
        invariants.check_end(self.world)

    def epochs(self, site, stream="ALD"):
        return [tip.seq for tip in site.tips(stream)]

    def level(self):
        """Whether plant and hub hold the same facts and rows of ALD."""
        self.hub.apply()
        return self.plant.facts("ALD") == self.hub.facts("ALD") and self.plant.content("ALD") == self.hub.content("ALD")


@pytest.fixture(params=["memory", "sqlite"])
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    with seeded_ids(Random(request.node.name)):
        yield Play(request.param)
