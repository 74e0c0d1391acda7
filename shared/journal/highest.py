"""Values of a node that must never go back, though they are in its database: numbers on steel, versions trusted.

Who owns such values registers how they are read and raised. They are copied to the anchor with every write of it, and
the numbers to the peers with every batch, so that a restored node learns what it gave out before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

NUMBER_GAP = 1_000
"""How far a counter jumps past the highest mark that anyone knows. A mark may be as old as the last contact; a week of
slabs of one caster without a line is about 800."""


class Values(Protocol):
    """Some values of one owner, by name."""

    def read(self, conn: Connection) -> dict[str, int]:
        """Each value as it stands; none for a name that has no value yet."""
        ...

    def owns(self, name: str) -> bool:
        """Whether this is a name of theirs."""
        ...

    def raise_to(self, conn: Connection, values: Mapping[str, int]) -> None:
        """Bring each named value up to this, if it is lower; names that are not the owner's are left out."""
        ...


class NoValues:
    """A node that has none."""

    def read(self, conn: Connection) -> dict[str, int]:
        """Nothing."""
        return {}

    def owns(self, name: str) -> bool:
        """None."""
        return False

    def raise_to(self, conn: Connection, values: Mapping[str, int]) -> None:
        """Nothing to raise."""


@dataclass(frozen=True)
class Outside:
    """What of a node is also kept outside its database: numbers jump past their mark, floors come up to it."""

    numbers: Values
    floors: Values


NOTHING = Outside(NoValues(), NoValues())


def read_outside(conn: Connection, outside: Outside) -> tuple[dict[str, int], dict[str, int]]:
    """Numbers and floors as they stand."""
    return outside.numbers.read(conn), outside.floors.read(conn)


def jump(conn: Connection, outside: Outside, *marks: Mapping[str, int]) -> None:
    """With every new epoch: numbers go past the highest of their own value and the given marks, by the gap; floors
    come up to the marks. Names of numbers and of floors differ."""
    highest = outside.numbers.read(conn)
    for known in marks:
        for name, value in known.items():
            highest[name] = max(value, highest.get(name, value))
    outside.numbers.raise_to(conn, {name: value + NUMBER_GAP for name, value in highest.items()})
    outside.floors.raise_to(conn, {name: value for known in marks for name, value in known.items()})


def ahead_of(conn: Connection, outside: Outside, marks: Mapping[str, int]) -> list[str]:
    """Numbers of ours of which others know a higher mark than we do: given out in a life that is not here."""
    own = outside.numbers.read(conn)
    return sorted(name for name, value in marks.items() if outside.numbers.owns(name) and value > own.get(name, -1))
