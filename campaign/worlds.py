"""The two worlds by name, with the length of their histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from campaign import memory, sqlite
from campaign.history import OpenGroup

WorldName = Literal["memory", "sqlite"]


@dataclass(frozen=True)
class Kind:
    """A kind of world; steps is how long its histories are, long how many the long campaign plays."""

    name: WorldName
    open_group: OpenGroup
    steps: int
    long: int


MEMORY = Kind("memory", memory.open_group, steps=50, long=200_000)
SQLITE = Kind("sqlite", sqlite.SqliteGroup, steps=16, long=2_000)
WORLDS: dict[WorldName, Kind] = {"memory": MEMORY, "sqlite": SQLITE}
