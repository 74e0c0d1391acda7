"""How a wave does: checks at its plants since they took a version, against as long a time before, with an interval.

A share of few checks says little, so it is never shown as a point: beside it stands the interval in which the true
share lies with 95 % confidence (Wilson's score interval, E. B. Wilson, JASA 22, 1927, p. 209-212).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from sqlalchemy import Connection, func, select

from shared.quality.tables import decision, hold
from shared.standards.queries import list_history

Z_95 = 1.959964
GOOD, BAD = ("pass",), ("hold", "mark", "case")
"""Outcomes of checks; one that is pending or found no rule says nothing of the piece."""
BEFORE_MS_MAX = 90 * 86_400_000
"""What lies further back than a quarter was made under other conditions."""


@dataclass(frozen=True)
class Share:
    """So many of so many, and the interval of the true share (ppm)."""

    bad: int
    checks: int

    @property
    def interval_ppm(self) -> tuple[int, int]:
        """Wilson's 95 % interval; (0, 1,000,000) when nothing was checked."""
        if not self.checks:
            return 0, 1_000_000
        n, p, z2 = self.checks, self.bad / self.checks, Z_95**2
        middle, half = p + z2 / (2 * n), Z_95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        low, high = (middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)
        return round(max(low, 0.0) * 1e6), round(min(high, 1.0) * 1e6)


@dataclass(frozen=True)
class Evidence:
    """One plant: violated checks before and since (of the rule itself, or of all rules for another kind)."""

    plant: str
    since_ms: int
    before: Share
    after: Share
    open_holds: int

    @property
    def verdict(self) -> str:
        """In words, and only where the intervals do not meet."""
        low, high = self.after.interval_ppm
        low_before, high_before = self.before.interval_ppm
        if high < low_before:
            return "better than before"
        return "worse than before" if low > high_before else "no difference shown yet"


def read_evidence(conn: Connection, standard_id: str, version: int, is_rule: bool, now_ms: int) -> list[Evidence]:
    """Of every plant that runs the version now."""
    running = [a for a in list_history(conn, standard_id) if a.version == version and a.until_ms is None]
    return [
        evidence_at(conn, a.plant, max(a.adopted_ms, a.effective_from_ms), standard_id if is_rule else "", now_ms)
        for a in sorted(running, key=lambda a: a.plant)
    ]


def evidence_at(conn: Connection, plant: str, since: int, rule_id: str, now_ms: int) -> Evidence:
    """Of one plant since a time; rule_id "": of all rules."""
    span = min(max(now_ms - since, 86_400_000), BEFORE_MS_MAX)
    opened = select(func.count()).where(
        hold.c.author == plant, hold.c.released_at_ms.is_(None), hold.c.placed_at_ms >= since
    )
    opened = opened.where(hold.c.rule_id == rule_id) if rule_id else opened
    return Evidence(
        plant,
        since,
        _share(conn, plant, rule_id, since - span, since),
        _share(conn, plant, rule_id, since, now_ms + 1),
        conn.execute(opened).scalar() or 0,
    )


def _share(conn: Connection, plant: str, rule_id: str, from_ms: int, to_ms: int) -> Share:
    query = select(decision.c.outcome, func.count()).where(
        decision.c.author == plant,
        decision.c.outcome.in_((*GOOD, *BAD)),
        decision.c.decided_at_ms >= from_ms,
        decision.c.decided_at_ms < to_ms,
    )
    query = query.where(decision.c.rule_id == rule_id) if rule_id else query
    counts = {outcome: count for outcome, count in conn.execute(query.group_by(decision.c.outcome))}
    return Share(sum(counts.get(outcome, 0) for outcome in BAD), sum(counts.values()))
