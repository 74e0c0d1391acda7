"""One plant in this process: what every service of local_mes is handed. Built in wiring.py only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from local_mes.model.domain import PlantModel
from shared.clock import Clock
from shared.journal.journal import Journal
from shared.node import Node
from shared.settings import PlantSettings


@dataclass(frozen=True)
class Plant:
    """The node, its plant model and its Level-2 spool (a database of its own)."""

    node: Node
    settings: PlantSettings
    model: PlantModel
    spool: Engine

    @property
    def code(self) -> str:
        """The plant's code in the group."""
        return self.node.code

    @property
    def journal(self) -> Journal:
        """Where facts are recorded."""
        return self.node.journal

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.node.clock
