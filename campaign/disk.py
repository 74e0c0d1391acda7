"""What lies on a node's disk: its database and, outside it, the anchor; and the shelf of backups beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

Mode = Literal["database", "machine", "no anchor"]
"""How a backup comes back: the database alone, the anchor as it is now; the whole machine; the database, anchor lost."""

MODES: tuple[Mode, ...] = ("database", "machine", "no anchor")
COPIES_MAX = 4


@dataclass(frozen=True)
class Image:
    """A disk at one moment. What database, anchor and memory are is the world's matter; they are never changed."""

    database: Any
    anchor: Any
    memory: Any = None


@dataclass
class Shelf:
    """The backups of one node that are kept: the oldest always, and the last few."""

    copies: list[Image] = field(default_factory=list)

    def keep(self, image: Image) -> None:
        """Put one more on the shelf."""
        self.copies.append(image)
        if len(self.copies) > COPIES_MAX:
            del self.copies[1]

    def choose(self, dice: Random) -> Image | None:
        """Any retained backup, or None when there is none."""
        return dice.choice(self.copies) if self.copies else None
