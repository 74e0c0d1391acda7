"""Dashboards and reports: which figures, charts and lists stand on one page, at every plant that runs it and for the group."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.standards.frame import Document, Strict

OF_KPI = ("figure", "trend", "table")
"""Tiles that show a KPI; the others show what the plant has on record anyway."""
DAYS_MAX = 92
"""A quarter: longer spans are a matter of evaluations, not of a page that people look at."""
PlaceOrAny = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{1,39})?$")]
KpiOrNone = Annotated[str, Field(pattern=r"^([A-Z][A-Z0-9-]{1,39})?$")]


class Tile(Strict):
    """One tile.

    show          a KPI's figure, its trend or its table by day; the delays by reason; the latest stops; the open holds
    at            the place of the road the KPI is taken at; empty: every place the plant has equipment for
    days          production days it looks back, the shown one with them
    target_milli  in thousandths of the KPI's unit; a figure that is worse asks for attention
    """

    name: str = Field(min_length=2, max_length=60)
    show: Literal["figure", "trend", "table", "delays", "stops", "holds"]
    kpi: KpiOrNone = ""
    at: PlaceOrAny = ""
    days: int = Field(1, ge=1, le=DAYS_MAX)
    target_milli: int | None = None

    @model_validator(mode="after")
    def _kpi_belongs_to_it(self) -> Self:
        if (self.show in OF_KPI) != bool(self.kpi):
            raise ValueError(f"{self.name}: figures, trends and tables show a KPI, and nothing else does")
        if self.target_milli is not None and not self.kpi:
            raise ValueError(f"{self.name}: only a KPI has a target")
        return self


class Dashboard(Document):
    """Tiles on one page. use: a dashboard is looked at, a report is printed and handed on; both are made of the same figures."""

    kind: Literal["dashboard"] = "dashboard"
    use: Literal["dashboard", "report"] = "dashboard"
    tiles: tuple[Tile, ...] = Field(min_length=1, max_length=40)

    @model_validator(mode="after")
    def _names_are_used_once(self) -> Self:
        names = [tile.name for tile in self.tiles]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"tile twice: {', '.join(twice)}")
        return self

    @property
    def kpis(self) -> tuple[str, ...]:
        """The KPIs it shows, each once."""
        return tuple(dict.fromkeys(tile.kpi for tile in self.tiles if tile.kpi))
