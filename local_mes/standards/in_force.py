"""What is in force here: the read side that other features of the plant use. Nothing adopted is no error, it is said."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from local_mes.standards.tables import standards_trust
from shared.journal.fact import StandardRef
from shared.journal.reading import own_streams
from shared.rules.document import Rule
from shared.rules.evaluate import Outcome, Stored, evaluate
from shared.standards.documents import Kpi, QualityRule
from shared.standards.queries import Adopted, find_document, list_in_force
from shared.standards.queries import find_in_force as find_adopted
from shared.standards.work_kinds import ReasonTree

NOT_ADOPTED = "No version of {} is in force at this plant, so nothing was checked."


@dataclass(frozen=True)
class RuleInForce:
    """A quality rule as adopted here."""

    rule_id: str
    version: int
    hash: str
    document: QualityRule

    @property
    def rule(self) -> Rule:
        """What `shared.rules.evaluate.evaluate` takes."""
        return self.document.rule

    @property
    def ref(self) -> StandardRef:
        """The stamp for facts decided by it."""
        return StandardRef(self.rule_id, self.version, self.hash)


@dataclass(frozen=True)
class Checked:
    """The answer to a check: under which rule (None: none in force) and with what outcome."""

    rule: RuleInForce | None
    outcome: Outcome


def find_rule(conn: Connection, rule_id: str, at_ms: int | None = None) -> RuleInForce | None:
    """The quality rule in force here now, or at a time; None when none is adopted (then there is no check)."""
    adopted = _find(conn, rule_id, at_ms)
    document = find_document(conn, rule_id, adopted.version, adopted.sha256) if adopted else None
    if adopted is None or not isinstance(document, QualityRule):
        return None
    return RuleInForce(rule_id, adopted.version, adopted.sha256, document)


def check(conn: Connection, rule_id: str, inputs: dict[str, Stored], at_ms: int | None = None) -> Checked:
    """Ask the rule in force about one piece; without one the outcome is not_applicable and says that nothing was checked.

    Inputs are named as in shared/rules/vocabulary.py, in stored units.
    """
    rule = find_rule(conn, rule_id, at_ms)
    if rule is None:
        return Checked(None, Outcome("not_applicable", None, (), {}, reason=NOT_ADOPTED.format(rule_id)))
    return Checked(rule, evaluate(rule.rule, inputs))


def standard_ref(conn: Connection, standard_id: str, at_ms: int | None = None) -> StandardRef | None:
    """The stamp for facts done under a standard; None when none is in force here."""
    adopted = _find(conn, standard_id, at_ms)
    return adopted.ref if adopted else None


def find_kpi(conn: Connection, kpi_id: str) -> tuple[Kpi, StandardRef] | None:
    """The KPI definition in force here with its stamp."""
    adopted = _find(conn, kpi_id, None)
    document = find_document(conn, kpi_id, adopted.version, adopted.sha256) if adopted else None
    return (document, adopted.ref) if adopted and isinstance(document, Kpi) else None


def find_reasons(conn: Connection, of: str) -> ReasonTree | None:
    """The tree of reasons in force here for a delay, a defect or scrap; of several the first by its id."""
    plant = _plant(conn)
    for adopted in list_in_force(conn, plant) if plant else ():
        document = find_document(conn, adopted.standard_id, adopted.version, adopted.sha256)
        if isinstance(document, ReasonTree) and document.of == of:
            return document
    return None


def parameter(conn: Connection, standard_id: str, unit: str, name: str) -> int | str | None:
    """The bound value of a parameter, e.g. (R-GISLIT, FM, head_crop_kg); None when that is not in force here."""
    adopted = _find(conn, standard_id, None)
    return adopted.values.get(f"{unit}.{name}") if adopted else None


def parameters(conn: Connection, standard_id: str, unit: str) -> dict[str, int | str]:
    """All bound values of a unit, by their names; empty when the standard is not in force here."""
    adopted = _find(conn, standard_id, None)
    found = adopted.values.items() if adopted else ()
    return {name.removeprefix(f"{unit}."): value for name, value in found if name.startswith(f"{unit}.")}


def _find(conn: Connection, standard_id: str, at_ms: int | None) -> Adopted | None:
    plant = _plant(conn)
    return find_adopted(conn, plant, standard_id, at_ms) if plant else None


def _plant(conn: Connection) -> str | None:
    """This plant's code: of what it trusts; one that trusts no group yet may have standards of its own."""
    found: str | None = conn.execute(select(standards_trust.c.plant)).scalar()
    return found or next(iter(own_streams(conn)), None)
