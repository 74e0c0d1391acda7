"""KPIs of a plant before and since a change: means of production days with their 95 % interval, never a point alone.

A day is a case. A difference is claimed only where Welch's interval of the difference of the two means leaves out zero
(B. L. Welch, Biometrika 34, 1947, p. 28-35); quantiles are Student's, two-sided 95 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

from sqlalchemy import Connection

from shared.clock import to_datetime
from shared.performance.formulas import KpiFigure, evaluate_kpi, sums_by_class
from shared.performance.queries import sums_by_day
from shared.standards.documents import Kpi
from shared.standards.queries import equipment_of, list_documents_in_force

DAYS_MAX = 90
"""Days looked at on each side of a change: what lies further back was made under other conditions."""
DAY_MS = 86_400_000
T_95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""Student's quantile by degrees of freedom from 1 on; above 30 the last is taken, which is on the safe side."""


@dataclass(frozen=True)
class Mean:
    """Of so many days; half: half the width of its 95 % interval, None of fewer than two days."""

    days: int
    mean: float
    half: float | None
    squared_error: float = 0.0

    @property
    def text(self) -> str:
        """As people read it."""
        if not self.days:
            return "no day"
        range_text = "" if self.half is None else f" ({self.mean - self.half:,.2f} to {self.mean + self.half:,.2f})"
        return f"{self.mean:,.2f}{range_text}, {self.days} days"


@dataclass(frozen=True)
class KpiChange:
    """One figure of a KPI in force, before and since. better: "higher" or "lower"."""

    kpi_id: str
    version: int
    title: str
    at: str
    unit: str
    better: str
    before: Mean
    since: Mean

    @property
    def verdict(self) -> str:
        """In words, and only where the interval of the difference leaves out zero."""
        half = _half_of_difference(self.before, self.since)
        change = self.since.mean - self.before.mean
        if half is None or abs(change) <= half:
            return "no difference shown yet"
        return "better than before" if (change > 0) == (self.better == "higher") else "worse than before"


def read_changes(
    conn: Connection, plant: str, since_ms: int, now_ms: int, classes: Iterable[str] = ()
) -> list[KpiChange]:
    """Every KPI in force at a plant with days on both sides of a time; classes: only figures taken there (none: all).

    The production day of the change itself belongs to neither side; as the hub does not know a plant's day, nor does
    the day before it in UTC.
    """
    middle, at = to_datetime(since_ms).date(), set(classes)
    first = to_datetime(max(since_ms - DAYS_MAX * DAY_MS, 0)).date().isoformat()
    last = to_datetime(min(now_ms, since_ms + DAYS_MAX * DAY_MS)).date().isoformat()
    by_day = sums_by_day(conn, plant, first, last)
    units, cut = equipment_of(conn, plant), to_datetime(max(since_ms - DAY_MS, 0)).date().isoformat()
    sides = [
        [sums_by_class(by_day[day], units) for day in by_day if day < cut],
        [sums_by_class(by_day[day], units) for day in by_day if day > middle.isoformat()],
    ]
    found = []
    for adopted, kpi in list_documents_in_force(conn, plant, "kpi"):
        assert isinstance(kpi, Kpi)
        before, since = ([f for day in side for f in evaluate_kpi(kpi, day)] for side in sides)
        for formula in kpi.formulas:
            means = [mean_of(_values(figures, formula.at)) for figures in (before, since)]
            if (not at or formula.at in at) and all(mean.days for mean in means):
                found.append(
                    KpiChange(
                        adopted.standard_id,
                        adopted.version,
                        formula.title,
                        formula.at,
                        formula.unit,
                        kpi.better,
                        *means,
                    )
                )
    return sorted(found, key=lambda change: (change.verdict.startswith("no "), change.kpi_id, change.at))


def mean_of(values: Sequence[float]) -> Mean:
    """The mean with its interval."""
    if len(values) < 2:
        return Mean(len(values), values[0] if values else 0.0, None)
    squared = variance(values) / len(values)
    return Mean(len(values), fmean(values), _quantile(len(values) - 1) * sqrt(squared), squared)


def _values(figures: Iterable[KpiFigure], at: str) -> list[float]:
    return [figure.value for figure in figures if figure.at == at and figure.value is not None]


def _half_of_difference(a: Mean, b: Mean) -> float | None:
    if a.days < 2 or b.days < 2:
        return None
    error = a.squared_error + b.squared_error
    if not error:
        return 0.0
    freedom = error**2 / (a.squared_error**2 / (a.days - 1) + b.squared_error**2 / (b.days - 1))
    return _quantile(int(freedom)) * sqrt(error)


def _quantile(freedom: int) -> float:
    return T_95[min(max(freedom, 1), len(T_95)) - 1]
