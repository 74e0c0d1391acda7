"""What is known of a piece that is to leave the group, read for the decision."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.dispatch.domain import DispatchCandidate, find_missing
from local_mes.orders.service import find_order
from local_mes.transfers.pieces import candidate
from shared.material.queries import rows_of
from shared.material.trace import trace
from shared.outside.queries import Terms, get_terms
from shared.quality.queries import list_decisions
from shared.units import theoretical_mass_g

DECISIONS_READ = 2_000
"""Decisions looked through for one piece and its ancestors: far above what any route makes."""


def look(conn: Connection, row: Row[Any], party: Row[Any], certificate: str) -> DispatchCandidate:
    """A piece of this plant's books with what its order demands and what is there of it."""
    here = row.author
    order = find_order(conn, here, row.order_item)
    terms = get_terms(conn, here, row.order_item) if order else Terms()
    return DispatchCandidate(
        piece=candidate(conn, row),
        party_kind=party.kind,
        party_name=party.name,
        customer=order.customer if order else "",
        terms=terms,
        mass_basis=row.mass_basis,
        theoretical_g=theoretical_mass_g(row.thickness_um, row.width_um, row.length_um),
        has_analysis=bool(terms.certificate) and _has_analysis(conn, row),
        certificate=certificate,
        passed=_passed(conn, row.material_id, terms.rules),
    )


def missing_of(conn: Connection, row: Row[Any], party: Row[Any], certificate: str = "") -> tuple[str, ...]:
    """What speaks against this piece going to this party; none: it may."""
    return find_missing(look(conn, row, party, certificate))


def _has_analysis(conn: Connection, row: Row[Any]) -> bool:
    """Whether the chemistry of the piece is known, or of what it was made or packed from."""
    ids = [piece.material_id for piece in trace(conn, row.material_id, "backward").rows]
    return any(known.chemistry not in ("", "{}") for known in (row, *rows_of(conn, ids)))


def _passed(conn: Connection, material_id: str, rules: Collection[str]) -> frozenset[str]:
    """Of these rules those whose last decision, on the piece or on anything it was made from, is a pass."""
    if not rules:
        return frozenset()
    ids = [piece.material_id for piece in trace(conn, material_id, "backward").rows]
    last: dict[str, str] = {}
    for decision in list_decisions(conn, ids=ids, limit=DECISIONS_READ):  # the youngest first
        last.setdefault(decision.rule_id, decision.outcome)
    return frozenset(rule for rule in rules if last.get(rule) == "pass")
