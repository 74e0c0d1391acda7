"""Recall: everything that was made of a piece, and where each of it is now; pure sorting of what the rows say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ENDED = ("consumed", "scrapped", "identified")


@dataclass(frozen=True)
class Whereabouts:
    """One piece of a recall: who has it, where, and in which state. share_ppm: the part of the recalled steel in it."""

    material_id: str
    number: str
    kind: str
    author: str
    state: str
    place: str
    mass_g: int
    order_item: str
    depth: int
    held: bool
    load: str = ""
    to_plant: str = ""

    @property
    def where(self) -> str:
        """In one phrase."""
        if self.state == "shipped" and self.to_plant:
            return f"on the way to {self.to_plant} with {self.load}"
        if self.state in ENDED:
            return {"consumed": "used up", "scrapped": "scrap"}.get(self.state, self.state)
        return f"{self.author} {self.place}".strip()

    @property
    def is_at_large(self) -> bool:
        """Whether the piece still exists as itself: here, or between plants."""
        return self.state not in ENDED


@dataclass(frozen=True)
class Recall:
    """The pieces of a recall: those at large first, then what they were made through."""

    number: str
    pieces: Sequence[Whereabouts]

    @property
    def at_large(self) -> list[Whereabouts]:
        """Pieces that still exist."""
        return [piece for piece in self.pieces if piece.is_at_large]

    @property
    def mass_g(self) -> int:
        """Grams at large."""
        return sum(piece.mass_g for piece in self.at_large)


def in_order(pieces: Iterable[Whereabouts]) -> list[Whereabouts]:
    """At large first, by plant, place and number; then the used up ones, by generation."""
    return sorted(pieces, key=lambda p: (not p.is_at_large, p.author, p.place, p.depth, p.number, p.material_id))
