"""Up to when nothing of Level 2 is missing in what a plant says, wherever its collector is."""

from __future__ import annotations

from local_mes.level2.edge.hosting import edge_through_ms
from local_mes.level2.interpret import oldest_open_ms
from local_mes.plant import Plant


def open_since_ms(plant: Plant) -> int | None:
    """Nothing the plant says about the time from here on is complete; None when all that was heard is done.

    What an edge has heard and not brought yet is open as well: from the moment that its promise ends.
    """
    here = oldest_open_ms(plant)
    if not plant.settings.edge:
        return here
    promised = (edge_through_ms(plant) or 0) + 1
    return promised if here is None else min(here, promised)
