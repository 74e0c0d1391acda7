"""What a field of the form offers to choose from: the group's classes of equipment, plants, units and standards' ids."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Connection

from central_hub.hub import Hub
from central_hub.standards.recording import active_plants
from shared.standards.documents import Routing
from shared.standards.queries import document_of, equipment_of, list_versions

OFFERED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("at", "of", "classes", "needs"), "classes"),
        **{"plants": "plants", "unit": "units", "depends": "ids", "product": "product", "kpi": "kpi"},
        **{"workflow": "workflow", "trigger": "quality_rule", "routes": "routing", "collect": "data_collection"},
    }
)
"""Field -> what it offers: a list's name, or a kind, of which the published ids."""


def read_picks(conn: Connection, hub: Hub) -> dict[str, list[str]]:
    """Field -> values to choose from, in order; others may be typed all the same."""
    plants = active_plants(conn)
    classes = {name for plant in plants for name in equipment_of(conn, plant).values()}
    units: set[str] = set()
    ids: dict[str, set[str]] = {}
    for row in list_versions(conn, hub.code, "published"):
        document = document_of(str(row.body))
        ids.setdefault(document.kind, set()).add(document.id)
        classes |= {*document.needs, *(parameter.of for parameter in document.parameters)}
        if isinstance(document, Routing):
            classes |= {name for step in document.steps for name in step.all_classes}
        units |= {parameter.unit for parameter in document.parameters}
    lists = {"plants": set(plants), "classes": classes, "units": units - {""}, "ids": set().union(*ids.values()), **ids}
    return {field: sorted(lists.get(name, ())) for field, name in OFFERED.items()}
