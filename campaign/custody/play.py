"""Playing one history of transfers from a seed, letting it come to rest, and judging it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

from campaign.custody import people
from campaign.custody.commands import Load
from campaign.custody.judge import judge
from campaign.custody.sites import CODES, CustodyGroup
from campaign.custody.world import DAY_MS, HOUR_MS, Piece, Script, World, calls, mishaps, outages
from campaign.history import seeded_ids
from campaign.network import CLEAR, ROUGH, Wrong

LOADS = 60
LOAD_MAX = 6
GAP_MS = 2 * HOUR_MS
"""Up to so long until the next load leaves somewhere."""
ROUNDS = 3


@dataclass(frozen=True)
class Played:
    """How a history ended. pieces: transfers of pieces in it; violations: what was wrong, a line each."""

    seed: int
    pieces: int
    fates: Counter[str]
    restores: int
    violations: tuple[str, ...]


def play(seed: int, loads: int = LOADS) -> Played:
    """One history of so many first loads (pieces that go on make more of them)."""
    dice = Random(f"{seed} transfers")
    with seeded_ids(Random(f"{seed} ids of transfers")):
        world = World(CustodyGroup(), dice, CLEAR if dice.random() < 0.1 else ROUGH)
        violations: tuple[str, ...]
        try:
            _let_happen(world, loads)
            _come_to_rest(world)
            violations = tuple(judge(world))
        except Wrong as wrong:
            violations = (str(wrong),)
    return Played(seed, _transfers(world), Counter(p.fate for p in world.pieces), len(world.restores), violations)


def _let_happen(world: World, loads: int) -> None:
    for code in CODES:
        world.run(calls(world, code), work=False)
        world.run(outages(world, code), work=False)
    if world.dice.random() < 0.7:
        world.run(mishaps(world), work=False)
    world.run(_depart(world, loads))
    world.play()


def _depart(world: World, loads: int) -> Script:
    for number in range(loads):
        sender, receiver = world.dice.sample(CODES, 2)
        pieces = [
            Piece(f"{number:03}-{at}", people.draw_fate(world), world.dice.randrange(15_000, 25_000) * 1000)
            for at in range(1, world.dice.randint(1, LOAD_MAX) + 1)
        ]
        pieces[0].fate = "arrives"  # a list has a piece at least
        world.pieces += pieces
        world.run(people.drive(world, Load(f"L{number:03}", sender, receiver, pieces)))
        yield world.dice.randrange(GAP_MS)


def _come_to_rest(world: World) -> None:
    """All lines are clear, requests of long ago arrive, and time passes until everything that is overdue is so."""
    world.calm = True
    for line in world.group.lines.values():
        while line.late:
            line.deliver_late()
    for wait_ms in (HOUR_MS, 2 * DAY_MS):
        world.pass_to(world.now_ms + wait_ms)
        for _ in range(ROUNDS):
            world.pass_to(world.now_ms + HOUR_MS)
            for code in CODES:
                said = world.meet(code, CLEAR)
                if said != "well":
                    world.stale_taken.append(f"nothing: {code} met the hub over a clear line: {said}")
    last = world.group.hub.follow()
    if last.cases or last.judged:
        world.stale_taken.append("nothing: the hub still judges when nothing moves")


def _transfers(world: World) -> int:
    row = world.group.hub.machine.raw.execute("SELECT count(*) FROM shipment_line").fetchone()
    return int(row[0])
