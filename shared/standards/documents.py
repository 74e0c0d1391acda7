"""The documents of standards: what a version says, by kind, and what makes one fit to be published.

A document names equipment classes and parameters (default and the range a plant may choose from), never units of a
plant. Every quantity outside a CEL text is an integer in stored units, so that its bytes are the same everywhere.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from shared.errors import BadInput
from shared.rules.document import Rule
from shared.standards.dashboard_kind import Dashboard
from shared.standards.frame import (
    Document,
    EquipmentClass,
    Parameter,
    ParameterName,
    StandardId,
    Strict,
    newest_schema,
)
from shared.standards.group_rule import GroupRule
from shared.standards.kpi_kind import Kpi, KpiFormula
from shared.standards.product_kinds import Practice, Product, Substitution
from shared.standards.route_steps import Step, route_faults
from shared.standards.work_kinds import DataCollection, Instruction, ReasonTree
from shared.standards.workflow_kind import Workflow

__all__ = [
    "Dashboard",
    "EquipmentClass",
    "GroupRule",
    "Kpi",
    "KpiFormula",
    "Parameter",
    "ParameterName",
    "StandardId",
    "Step",
    "Workflow",
]

SCHEMA = 3
"""The newest schema this release reads; a plant that does not know a document's schema says so and keeps what it has."""
BODY_BYTES_MAX = 150_000
"""A body travels as text inside one fact of at most 256 KiB, where each quotation mark takes two bytes."""


class Routing(Document):
    """The steps from melt to dispatch, by equipment class, across plants."""

    kind: Literal["routing"] = "routing"
    product: str
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _steps_rise(self) -> Routing:
        numbers = [step.number for step in self.steps]
        if numbers != sorted(set(numbers)):
            raise ValueError("step numbers must rise and be used once")
        if faults := route_faults(self.steps):
            raise ValueError("; ".join(faults))
        return self


class RuleCase(Strict):
    """A case that travels with a rule and is run before review: inputs in stored units, and what must come out."""

    name: str = Field(min_length=3, max_length=100)
    inputs: dict[str, int | str | bool | None]
    outcome: Literal["in_order", "violated", "pending", "not_applicable"]


class QualityRule(Document):
    """A rule: when it is asked, what must be true, what follows otherwise; and the cases that try it."""

    kind: Literal["quality_rule"] = "quality_rule"
    rule: Rule
    cases: tuple[RuleCase, ...] = Field((), max_length=200)


AnyStandard = (
    Routing
    | QualityRule
    | Kpi
    | Workflow
    | Product
    | Practice
    | Substitution
    | ReasonTree
    | DataCollection
    | Instruction
    | GroupRule
    | Dashboard
)
KINDS: tuple[str, ...] = tuple(kind.model_fields["kind"].default for kind in get_args(AnyStandard))
FIRST_KINDS = (Routing, QualityRule, Kpi, Workflow)
"""What schema 1 had; all others need a reader of schema 2."""
Standard = Annotated[AnyStandard, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[AnyStandard] = TypeAdapter(Standard)


def parse_document(value: object) -> AnyStandard:
    """A document from plain JSON values; BadInput lists every field that is wrong."""
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        raise _refused(error) from error


def parse_body(body: bytes) -> AnyStandard:
    """A document from its canonical bytes; BadInput when this node cannot read it."""
    if len(body) > BODY_BYTES_MAX:
        raise BadInput(
            "standards.too_large", f"The document has {len(body)} bytes; at most {BODY_BYTES_MAX} are allowed."
        )
    try:
        return _ADAPTER.validate_json(body)
    except ValidationError as error:
        raise _refused(error) from error


def schema_of(document: AnyStandard) -> int:
    """The oldest schema whose readers understand the document."""
    return max(_schema_of_kind(document), newest_schema(document))


def _schema_of_kind(document: AnyStandard) -> int:
    if isinstance(document, QualityRule):
        return 2 if document.cases else 1
    if isinstance(document, GroupRule | Dashboard):
        return 3
    return 1 if isinstance(document, FIRST_KINDS) else 2


def _refused(error: ValidationError) -> BadInput:
    lines = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return BadInput(
        "standards.bad_document",
        f"The document is not in order. {'; '.join(lines)}.",
        todo="Mend the named fields and save again.",
    )
