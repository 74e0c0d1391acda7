"""A history of transfers as time passes: who does what when, what is known where, and what befalls lines and disks.

People's work is written as scripts: generators that do something at a plant and yield the time (ms) until they go on. One
queue holds them all, so a history is the same for the same seed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from campaign.custody.desks import Desk, read_desk
from campaign.custody.sites import CODES, CustodyGroup
from campaign.disk import MODES, Image, Mode, Shelf
from campaign.network import CLEAR, ROUGH, Weather
from campaign.site import HUB, START_MS
from campaign.sqlite import SqliteSite
from local_mes.plant import Plant
from shared.errors import StrandlineError
from sync.errors import SyncError

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
SKEW_MAX_MS = 10 * MINUTE_MS
TRIES_MAX = 60
Script = Generator[int, None, Any]
Act = Callable[[Plant], Any]


@dataclass
class Piece:
    """A piece of steel as it truly is. number: what is painted on it now; fate: what happens to it on its first way."""

    number: str
    fate: str
    mass_g: int
    material_id: str = ""


@dataclass(frozen=True)
class Refusal:
    """A command that ought to have been taken and was not."""

    plant: str
    code: str
    at_ms: int
    what: str


@dataclass
class World:
    """Five plants and a hub in the middle of a history."""

    group: CustodyGroup
    dice: Random
    weather: Weather = ROUGH
    now_ms: int = START_MS
    calm: bool = False
    pieces: list[Piece] = field(default_factory=list)
    skews: dict[str, int] = field(default_factory=dict)
    away_until: dict[str, int] = field(default_factory=dict)
    shelves: dict[str, Shelf] = field(default_factory=dict)
    restores: list[tuple[int, str]] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)
    """What the hub held right before each time that it was put back."""
    refusals: list[Refusal] = field(default_factory=list)
    stale_taken: list[str] = field(default_factory=list)
    working: int = 0
    commands: int = 0
    _queue: list[tuple[int, int, Script, bool]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        for code in (HUB, *CODES):
            self.shelves[code], self.away_until[code] = Shelf(), 0
        for code, site in self.group.plants.items():
            self.skews[code] = self.dice.randrange(-SKEW_MAX_MS, SKEW_MAX_MS + 1)
            site.set_clock(self.skews[code])
            self.group.lines[code].dice = self.dice
        self.pass_to(self.now_ms)

    def run(self, script: Script, *, work: bool = True, after_ms: int = 0) -> None:
        """Begin a script; work: the history is not over before it has ended."""
        self.working += work
        self._push(self.now_ms + after_ms, script, work)

    def play(self) -> None:
        """Let time pass until all work is done."""
        while self.working:
            at_ms, _, script, work = heapq.heappop(self._queue)
            self.pass_to(at_ms)
            try:
                wait_ms = next(script)
            except StopIteration:
                self.working -= work
                continue
            self._push(self.now_ms + wait_ms, script, work)

    def pass_to(self, at_ms: int) -> None:
        """Everyone's clock moves on."""
        self.now_ms = max(self.now_ms, at_ms)
        for site in self.group.everyone:
            site.tick(self.now_ms)

    def do(self, code: str, act: Act) -> Any:
        """A person's command at a plant: its result, or the error it was refused with."""
        site = self.group.plants[code]
        try:
            return act(site.plant)
        except StrandlineError as error:
            return error
        finally:
            if self.dice.random() < 0.9:
                site.anchor()

    def must(self, code: str, act: Act, what: str) -> Any:
        """The same where nothing speaks against it; None, and remembered, if it is refused."""
        done = self.do(code, act)
        if isinstance(done, StrandlineError):
            self.refusals.append(Refusal(code, done.code, self.now_ms, what))
            return None
        return done

    def insist(self, code: str, act: Act) -> Script:
        """The same, tried again every few hours: data may have to come first. Returns the result, or None in the end."""
        for _ in range(TRIES_MAX):
            done = self.do(code, act)
            if not isinstance(done, StrandlineError):
                return done
            yield self.dice.randrange(2 * HOUR_MS, 6 * HOUR_MS)
        return None

    def command(self) -> str:
        """A fresh id for a command."""
        self.commands += 1
        return f"c{self.commands}"

    def meet(self, code: str, weather: Weather) -> str:
        """A plant calls the hub; each then does by itself what follows. Says how it went."""
        site, line = self.group.plants[code], self.group.lines[code]
        line.weather, said = weather, "well"
        try:
            site.exchange(line, self.dice)
        except SyncError as error:
            said = error.code
        finally:
            line.weather = CLEAR
        site.anchor()
        self.group.hub.follow()
        self.group.hub.anchor()
        site.follow()
        site.anchor()
        return said

    def put_back(self, code: str, image: Image, mode: Mode) -> None:
        """Somebody's disk is as it was at a backup."""
        if code == HUB:
            self.desks.append(read_desk(self.group.hub))
        self.group.restore(self.site(code), image, mode)
        self.restores.append((self.now_ms, code))

    def site(self, code: str) -> SqliteSite:
        """The hub or a plant."""
        return self.group.hub if code == HUB else self.group.plants[code]

    def _push(self, at_ms: int, script: Script, work: bool) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at_ms, self._count, script, work))


def calls(world: World, code: str) -> Script:
    """A plant calls the hub now and then, unless its line is cut."""
    while True:
        yield world.dice.randrange(HOUR_MS, 9 * HOUR_MS)
        if world.calm or world.now_ms >= world.away_until[code]:
            world.meet(code, CLEAR if world.calm else world.weather)


def outages(world: World, code: str) -> Script:
    """The line is cut for hours or days."""
    while True:
        yield world.dice.randrange(12 * HOUR_MS, 8 * DAY_MS)
        world.away_until[code] = world.now_ms + world.dice.choice((6, 20, 48, 72, 120)) * HOUR_MS


def mishaps(world: World) -> Script:
    """Backups are made of somebody's disk, and now and then one is put back."""
    while True:
        yield world.dice.randrange(10 * HOUR_MS, 40 * HOUR_MS)
        if world.calm:
            continue
        code = world.dice.choice((HUB, *CODES))
        if world.dice.random() < 0.6:
            world.shelves[code].keep(world.site(code).save())
        elif (image := world.shelves[code].choose(world.dice)) is not None:
            world.put_back(code, image, world.dice.choice(MODES))
