"""Reading one KPI over all plants: each plant's sums under the definition in force at that plant."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from central_hub.hub import Hub
from central_hub.performance.domain import Comparison, PlantFigures, compare
from central_hub.plants.queries import PlantLine, list_plants
from shared.errors import NotFound
from shared.performance.formulas import evaluate_kpi, sums_by_class
from shared.performance.queries import production_days, sums
from shared.standards.documents import Kpi
from shared.standards.queries import equipment_of, find_document, find_in_force, list_versions


def list_kpis(conn: Connection, hub: Hub) -> list[tuple[str, str]]:
    """Published KPIs: id and title, the newest title of each."""
    return list(
        {row.standard_id: row.title for row in list_versions(conn, hub.code, "published") if row.kind == "kpi"}.items()
    )


def list_days(conn: Connection) -> list[str]:
    """Production days that have figures, youngest first."""
    return production_days(conn)


def read_comparison(conn: Connection, hub: Hub, kpi_id: str, days: Sequence[str]) -> Comparison:
    """One KPI over production days at every enrolled plant; NotFound for a KPI nobody published."""
    if kpi_id not in dict(list_kpis(conn, hub)):
        raise NotFound("performance.no_kpi", f"No KPI {kpi_id} is published.", todo="Choose one of the list.")
    lines = list_plants(conn, hub.code, hub.settings.sync.away_after_s)
    return compare([_figures(conn, line, kpi_id, days) for line in lines])


def _figures(conn: Connection, line: PlantLine, kpi_id: str, days: Sequence[str]) -> PlantFigures:
    adopted = find_in_force(conn, line.code, kpi_id)
    document = find_document(conn, kpi_id, adopted.version, adopted.sha256) if adopted else None
    if adopted is None or not isinstance(document, Kpi):
        return PlantFigures(line.code, None, "", (), line.complete_through_ms)
    by_unit = (
        {unit: measures for (_, unit), measures in sums(conn, author=line.code, days=days).items()} if days else {}
    )
    figures = evaluate_kpi(document, sums_by_class(by_unit, equipment_of(conn, line.code)))
    return PlantFigures(line.code, adopted.version, adopted.sha256, tuple(figures), line.complete_through_ms)
