"""What of the plant's own standards belongs to its effective set now."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from local_mes.standards.own_queries import list_deployments
from shared.standards.binding import Equipment, bind
from shared.standards.facts import InstalledStandard
from shared.standards.queries import Deviation, find_document


def own_in_force(
    conn: Connection, plant: str, assigned: set[str], units: Sequence[Equipment], deviations: Sequence[Deviation]
) -> list[InstalledStandard]:
    """What the plant deployed of its own and can bind; one of the group's under the same id goes before it."""
    found = []
    for row in list_deployments(conn, plant).values():
        document = find_document(conn, row.standard_id, row.version, row.sha256)
        if row.standard_id in assigned or document is None:
            continue
        bound = bind(document, plant, units, deviations)
        if not bound.missing:
            found.append(InstalledStandard(row.standard_id, row.version, row.sha256, row.deployed_ms, bound.values))
    return found
