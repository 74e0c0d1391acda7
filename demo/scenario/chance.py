"""The one door for chance in the demo: seeded, and split by purpose so that one draw more here changes nothing
there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Draws for one purpose; the same seed and purpose always give the same draws."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._seed = seed
        self._random = random.Random(f"{seed}/{purpose}")

    def purpose(self, name: str) -> Chance:
        """An independent stream of draws of the same seed."""
        return Chance(self._seed, name)

    def normal(self, mean: float, sd: float) -> float:
        """A normal draw."""
        return self._random.gauss(mean, sd)

    def between(self, low: float, high: float) -> float:
        """A uniform draw."""
        return self._random.uniform(low, high)

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self._random.random() < probability

    def pick(self, things: Sequence[T], count: int) -> list[T]:
        """`count` different things, in their own order."""
        chosen = sorted(self._random.sample(range(len(things)), count))
        return [things[i] for i in chosen]


def spread(total: int, parts: Sequence[int], step: int, chance: Chance, low: int, high: int) -> list[int]:
    """Change parts by multiples of step, each within [low, high] steps of where it was, so that they sum to total.

    The difference must be a multiple of step; used for loads whose sum is fixed and whose pieces vary with the seed.
    """
    steps, rest = divmod(total - sum(parts), step)
    if rest:
        raise ValueError(f"{total} cannot be reached from {sum(parts)} in steps of {step}")
    moved = [0] * len(parts)
    way = 1 if steps > 0 else -1
    while steps:
        i = chance.whole(0, len(parts) - 1)
        if low <= moved[i] + way <= high:
            moved[i] += way
            steps -= way
    return [part + step * count for part, count in zip(parts, moved, strict=True)]
