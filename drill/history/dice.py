"""Chance that a seed determines: the same seed throws alike on every machine and release of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws by hashing the seed and the number of the throw."""

    def __init__(self, *seed: str | int) -> None:
        self._seed = "\x1f".join(str(part) for part in seed)
        self._thrown = 0

    def below(self, end: int) -> int:
        """A whole number from 0 on and below the end."""
        self._thrown += 1
        digest = hashlib.sha256(f"{self._seed}\x1f{self._thrown}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % end

    def between(self, first: int, end: int) -> int:
        """A whole number from the first on and below the end."""
        return first + self.below(end - first)

    def choice(self, among: Sequence[T]) -> T:
        """One of these."""
        return among[self.below(len(among))]
