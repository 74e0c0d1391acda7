"""What the hub holds of transfers at one moment: the facts, and the cases on its desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from campaign.custody.reference import Found
from campaign.custody.sites import HubSite
from shared.transfers.facts import TYPES

FACTS = f"""
SELECT f.author, f.type, f.recorded_at_ms, f.body FROM fact f
WHERE f.type IN ({", ".join(f"'{kind}'" for kind in TYPES)})
  AND EXISTS (SELECT 1 FROM entry e WHERE e.fact_id = f.fact_id AND e.stream = f.author)
ORDER BY f.recorded_at_ms, f.fact_id
"""  # noqa: S608 - the product's own names of types
CASES = "SELECT kind, material_id FROM transfer_case"
Told = tuple[str, str, int, bytes]
"""author, type, recorded, body of a fact."""


@dataclass(frozen=True)
class Desk:
    """Facts in the order they were recorded, each in its author's own stream; cases as (kind, piece)."""

    facts: tuple[Told, ...]
    cases: frozenset[Found]

    def with_facts_of(self, other: Desk) -> list[Told]:
        """The facts of both, in the order they were recorded."""
        return sorted({*self.facts, *other.facts}, key=lambda told: (told[2], told))


def read_desk(hub: HubSite) -> Desk:
    """The desk as it is now."""
    return Desk(tuple(_rows(hub, FACTS)), frozenset(_rows(hub, CASES)))


def _rows(hub: HubSite, query: str) -> list[Any]:
    return list(hub.machine.raw.execute(query).fetchall())
