"""The hub in this process: what every service of central_hub is handed. Built in wiring.py only."""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import Clock
from shared.journal.journal import Journal
from shared.node import Node
from shared.settings import HubSettings


@dataclass(frozen=True)
class Hub:
    """The node and its settings."""

    node: Node
    settings: HubSettings

    @property
    def code(self) -> str:
        """The hub's code in the group."""
        return self.node.code

    @property
    def journal(self) -> Journal:
        """Where facts are recorded."""
        return self.node.journal

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.node.clock


def downlink(hub_code: str, plant_code: str) -> str:
    """The name of the hub's stream to one plant."""
    return f"{hub_code}>{plant_code}"
