"""Playing a history from a seed, letting it come to rest, judging it; and making a history that fails short."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from unittest.mock import patch

from campaign import invariants
from campaign.faults import DEEDS, draw_deeds
from campaign.network import CLEAR, ROUGH, Wrong
from campaign.site import PLANTS, Group, Site
from campaign.world import ROUNDS_MAX, Step, Violation, World
from sync.errors import SyncError

OpenGroup = Callable[[Random], Group]
SHRINK_TRIES_MAX = 400
THOROUGH_EVERY = 4
"""One history in so many has all its rows rebuilt at the end."""


@dataclass(frozen=True)
class Outcome:
    """How a history ended: violation is '' when every invariant held; trace is what happened, a line a step."""

    seed: int
    number: str
    violation: str
    trace: tuple[str, ...]


def plan(seed: int, length: int) -> list[Step]:
    """The steps of a history; each has dice of its own."""
    dice = Random(f"{seed} deeds")
    return [Step(n, deed, f"{seed} {n}") for n, deed in enumerate(draw_deeds(dice, length), start=1)]


def steps_of(seed: int, said: str) -> list[Step]:
    """The steps of a history that are told as in `3 write, 9 exchange`: what was left when it was made short."""
    pairs = (step.split() for step in said.split(", "))
    return [Step(int(number), deed, f"{seed} {number}") for number, deed in pairs]


def play(open_group: OpenGroup, seed: int, steps: Sequence[Step]) -> Outcome:
    """One history, from the first step to its judgement."""
    trace: list[str] = []
    dice = Random(f"{seed} weather")
    with seeded_ids(Random(f"{seed} ids")):
        world = World(open_group(dice), CLEAR if dice.random() < 0.2 else ROUGH, thorough=seed % THOROUGH_EVERY == 0)
        try:
            for step in steps:
                trace.append(f"{step.number:3} {step.deed}: ")
                trace[-1] += step.play(world, DEEDS)
                invariants.check_step(world)
            settle(world, trace)
            invariants.check_end(world)
        except (Violation, Wrong) as violation:
            return Outcome(seed, violation.number, str(violation), tuple(trace))
        except SyncError as error:
            return Outcome(seed, "I10", f"I10: at rest, and then {error.code}: {error.what}", tuple(trace))
        except Exception as error:  # noqa: BLE001 - whatever breaks in a history is what it is for, and is told by seed
            return Outcome(seed, "crash", f"crash: {type(error).__name__}: {str(error)[:400]}", tuple(trace))
    return Outcome(seed, "", "", tuple(trace))


def settle(world: World, trace: list[str]) -> None:
    """The faults stop, and everyone meets the hub over a clear line until all agree. Violation I10 if they do not."""
    calm_down(world, trace)
    for turn in range(1, ROUNDS_MAX + 1):
        world.pass_time(60_000)
        troubles = [trouble for code in PLANTS for trouble in _meet(world, world.sites[code][0])]
        for site in world.everyone():
            site.apply()
            world.anchor(site)
        if not troubles and invariants.at_rest(world):
            trace.append(f"    at rest after {turn} rounds")
            return
        trace += [f"    round {turn}: {trouble}" for trouble in troubles]
    raise Violation("I10", f"no agreement after {ROUNDS_MAX} clear rounds: {invariants.unrest(world)}")


def calm_down(world: World, trace: list[str]) -> None:
    """What is late arrives, one installation a plant is left, everyone runs the new release."""
    for line in world.lines.values():
        while line.late:
            line.deliver_late()
    for code in PLANTS:
        if len(world.sites[code]) > 1:
            trace.append(f"    {DEEDS['stop_clone'](world, Random(code))}")
    for site in world.everyone():
        if site.old:
            site.upgrade()


def _meet(world: World, site: Site) -> Iterator[str]:
    try:
        world.exchange(site, Random(0), CLEAR)
    except SyncError as error:
        yield f"{site.code} meets the hub: {error.code}: {error.what}"


def shrink(open_group: OpenGroup, seed: int, steps: Sequence[Step]) -> tuple[Outcome, list[Step]]:
    """Leave steps out as long as the same invariant still breaks; the outcome of what is left, and the steps."""
    best, left = play(open_group, seed, steps), list(steps)
    size, tries = max(1, len(left) // 2), 0
    while size and tries < SHRINK_TRIES_MAX:
        at = 0
        while at < len(left) and tries < SHRINK_TRIES_MAX:
            tries += 1
            fewer = left[:at] + left[at + size :]
            outcome = play(open_group, seed, fewer)
            if outcome.number == best.number:
                best, left = outcome, fewer
            else:
                at += size
        size //= 2
    return best, left


class _Seeded:
    """In place of the module `secrets`: the same ids for the same history."""

    def __init__(self, dice: Random) -> None:
        self.token_bytes: Callable[[int], bytes] = dice.randbytes
        self.randbelow: Callable[[int], int] = dice.randrange

    def token_hex(self, size: int) -> str:
        """Random bytes as hex."""
        return self.token_bytes(size).hex()

    def token_urlsafe(self, size: int) -> str:
        """Random bytes as text."""
        return self.token_bytes(size).hex()


@contextmanager
def seeded_ids(dice: Random) -> Iterator[Any]:
    """Have the product draw its ids from these dice."""
    with patch("shared.ids.secrets", _Seeded(dice)) as seeded:
        yield seeded
