"""A way down under restores from seeds: hub and plant are put back to backups while facts go down over a rough line."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from campaign.disk import MODES
from campaign.history import seeded_ids
from campaign.network import CLEAR, ROUGH
from campaign.site import START_MS
from campaign.sqlite import SqliteGroup
from sync.errors import SyncError

DEEDS, CHANCES = ("send down", "write", "meet", "keep", "restore"), (6, 2, 5, 3, 2)
ROUNDS = 4


class Way:
    """A hub, a plant, the backups of both, and the line between them."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(f"{seed} ways down")
        self.group = SqliteGroup(self.dice)
        self.hub, self.plant = self.group.hub, self.group.plants["ALD"]
        self.hub.old = self.plant.old = False
        self.line = self.group.line(self.plant)
        self.line.dice = self.dice
        self.backups = {site.code: [site.save()] for site in (self.hub, self.plant)}

    def do(self, deed: str) -> None:
        site = self.dice.choice((self.hub, self.hub, self.plant))
        if deed == "send down":
            self.group.relay(self.hub.record(self.dice, []).fact_id, "ALD")
        elif deed == "write":
            self.plant.record(self.dice, [])
        elif deed == "meet":
            with suppress(SyncError):
                self.meet(self.dice.choice((ROUGH, CLEAR)))
        elif deed == "keep":
            self.backups[site.code].append(site.save())
        else:
            site.load(self.dice.choice(self.backups[site.code]), self.dice.choice(MODES))
            site.boot()
        if self.dice.random() < 0.9:
            site.anchor()

    def meet(self, weather=CLEAR) -> None:
        self.line.weather = weather
        try:
            self.plant.exchange(self.line, self.dice)
        finally:
            for site in (self.plant, self.hub):
                site.anchor()
                site.apply()

    def come_to_rest(self) -> None:
        """What was under way arrives; each meeting then ends well but for the first, which may find what parted."""
        while self.line.late:
            self.line.deliver_late()
        with suppress(SyncError):
            self.meet()
        for _ in range(ROUNDS):
            self.meet()


def play(seed: int, steps: int) -> None:
    with seeded_ids(Random(f"{seed} ids of ways down")):
        way = Way(seed)
        for step in range(steps):
            for site in (way.hub, way.plant):
                site.tick(START_MS + step * 60_000)
            way.do(way.dice.choices(DEEDS, CHANCES)[0])
        way.come_to_rest()
        for stream in ("HUB>ALD", "ALD"):
            assert way.hub.facts(stream) == way.plant.facts(stream), f"seed {seed}: {stream}"
        assert way.hub.content("ALD") == way.plant.content("ALD"), f"seed {seed}"


def test_a_way_down_is_level_after_restores_of_both_sides() -> None:
    play(1, 25)


@pytest.mark.slow
def test_ways_down_are_level_after_restores_of_both_sides() -> None:
    for seed in range(2, 32):
        play(seed, 40)
