"""Recall: everything that was made of something, and where each of it is now; pure sorting of what the rows say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

ENDED = ("consumed", "scrapped", "identified", "withdrawn", "packed", "opened")
WORDS = {"consumed": "used up", "scrapped": "scrap", "packed": "in a pack", "opened": "pack taken apart"}


class Whereabouts(NamedTuple):
    """One piece of a recall: who has it, where, in which state. to: where its load goes; part: what of it is meant, um
    from the head and from the left edge, empty = all of it."""

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
    customer: str = ""
    part: tuple[tuple[int, int, int | None, int | None], ...] = ()

    @property
    def bucket(self) -> str:
        """stock | transit | customer | ended"""
        if self.state in ENDED:
            return "ended"
        if self.state != "shipped":
            return "stock"
        return "customer" if self.customer else "transit"

    @property
    def where(self) -> str:
        """In one phrase."""
        if self.state in ENDED:
            return WORDS.get(self.state, self.state)
        if self.customer:
            return f"delivered to {self.customer} with {self.load}"
        if self.state == "shipped" and self.to_plant:
            return f"on the way to {self.to_plant} with {self.load}"
        return f"{self.author} {self.place}".strip()

    @property
    def is_at_large(self) -> bool:
        """Whether the piece still exists as itself: here, between plants, or at a customer."""
        return self.state not in ENDED


class Total(NamedTuple):
    """Pieces and grams of one line of the totals. who: the plant that has them, `A > B` on the way, the customer."""

    bucket: str
    who: str
    kind: str
    pieces: int
    mass_g: int


@dataclass
class Totals:
    """Sums that grow with the stream; nothing of it is kept but these."""

    sums: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)

    def add(self, pieces: Iterable[Whereabouts]) -> None:
        """Count these too."""
        for piece in pieces:
            bucket = piece.bucket
            who = piece.author
            if bucket == "customer":
                who = piece.customer
            elif bucket == "transit":
                who = f"{piece.author} > {piece.to_plant}"
            line = self.sums.setdefault((bucket, who, piece.kind), [0, 0])
            line[0] += 1
            line[1] += piece.mass_g

    @property
    def lines(self) -> list[Total]:
        """Stock first, then on the way, at customers, ended; by who and kind."""
        order = ("stock", "transit", "customer", "ended")
        keys = sorted(self.sums, key=lambda key: (order.index(key[0]), key[1:]))
        return [Total(*key, *self.sums[key]) for key in keys]

    def at_large(self) -> tuple[int, int]:
        """Pieces and grams that still exist."""
        found = [line for key, line in self.sums.items() if key[0] != "ended"]
        return sum(line[0] for line in found), sum(line[1] for line in found)

    @property
    def pieces(self) -> int:
        """All pieces, those used up included."""
        return sum(line[0] for line in self.sums.values())


@dataclass(frozen=True)
class Recall:
    """A page of a recall: lines, at large first; the totals are of all of it. cut: how many lines are not shown; told: numbers
    that no piece here bears, known by what was said of those made of them."""

    number: str
    pieces: Sequence[Whereabouts]
    totals: Totals
    cut: int = 0
    told: tuple[str, ...] = ()

    @property
    def at_large(self) -> list[Whereabouts]:
        """Pieces shown that still exist."""
        return [piece for piece in self.pieces if piece.is_at_large]

    @property
    def mass_g(self) -> int:
        """Grams at large, of the whole recall."""
        return self.totals.at_large()[1]


def in_order(pieces: Iterable[Whereabouts]) -> list[Whereabouts]:
    """At large first, by plant, place and number; then the used up ones, by generation."""
    return sorted(pieces, key=lambda p: (not p.is_at_large, p.author, p.place, p.depth, p.number, p.material_id))


def destination(to: str, plants: Collection[str]) -> tuple[str, str]:
    """(plant, customer) of a load's addressee: who writes no facts in this group is a customer."""
    return (to, "") if to in plants else ("", to)
