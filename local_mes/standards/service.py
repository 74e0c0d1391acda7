"""What others call: what is in force, taking in what arrived, deviating, trusting a root."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.plant import Plant
from local_mes.standards.adopt import adopt_pending
from local_mes.standards.asking import Asked, accept, list_asked, reject
from local_mes.standards.deviation_terms import judge, renew
from local_mes.standards.deviations import declare, end
from local_mes.standards.freshness import freshness_of
from local_mes.standards.in_force import (
    Checked,
    RuleInForce,
    check,
    find_kpi,
    find_reasons,
    find_rule,
    parameter,
    parameters,
    standard_ref,
)
from local_mes.standards.proposing import figures_since, propose, propose_own
from local_mes.standards.tables import standards_trust
from local_mes.standards.trusting import begin_anew, get_trusted, install_root
from shared.db.engine import write

__all__ = [
    "Asked",
    "Checked",
    "RuleInForce",
    "accept",
    "adopt_pending",
    "begin_trust_anew",
    "check",
    "declare",
    "end",
    "figures_since",
    "find_kpi",
    "find_reasons",
    "find_rule",
    "judge",
    "list_asked",
    "parameter",
    "parameters",
    "propose",
    "propose_own",
    "reject",
    "renew",
    "standard_ref",
    "trust_root",
    "trust_state",
    "trusted_catalogue_version",
]


@dataclass(frozen=True)
class TrustState:
    """What the plant trusts, for pages: versions, until when confirmed, and whether that has passed (`stale`) or
    passed long ago (`stale_long`)."""

    root_version: int
    catalogue_version: int
    fresh_until_ms: int
    stale: bool
    stale_long: bool


def trust_root(plant: Plant, hub: str, envelope: str) -> int:
    """Trust the root document that came with the enrolment, or that an engineer hands in; returns its version."""
    with write(plant.node.engine) as conn:
        return install_root(conn, plant.code, hub, envelope).version


def begin_trust_anew(plant: Plant, digest: str) -> int:
    """Trust a root that does not descend from ours: its SHA-256 was compared aloud; returns its version. NotFound."""
    with write(plant.node.engine) as conn:
        return begin_anew(conn, plant.code, digest).version


def trust_state(conn: Connection, plant: Plant) -> TrustState | None:
    """What is trusted; None before the first root."""
    if conn.execute(select(standards_trust.c.plant).where(standards_trust.c.plant == plant.code)).first() is None:
        return None
    trusted, _ = get_trusted(conn, plant.code)
    fresh = freshness_of(trusted, plant)
    versions = (trusted.root.version, trusted.catalogue_version)
    return TrustState(*versions, trusted.fresh_until_ms, fresh.stale, fresh.stale_long)


def trusted_catalogue_version(conn: Connection) -> int:
    """The trusted catalogue's version, for the anchor file; 0 before the first."""
    return conn.execute(select(standards_trust.c.catalogue_version)).scalar() or 0
