"""The two worlds by name, with the length of their histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from campaign import memory, sqlite
from campaign.history import OpenGroup

WorldName = Literal["memory", "sqlite"]


@dataclass(frozen=True)
class Kind:
    """A kind of world; steps is how long its histories are."""

    name: WorldName
    open_group: OpenGroup
    steps: int


MEMORY = Kind("memory", memory.open_group, 50)
SQLITE = Kind("sqlite", sqlite.open_group, 25)
WORLDS: dict[WorldName, Kind] = {"memory": MEMORY, "sqlite": SQLITE}
