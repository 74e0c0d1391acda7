"""The documents of standards: what a version says, by kind, and what makes one fit to be published.

A document names equipment classes and parameters (default and the range a plant may choose from), never units of a
plant. Every quantity outside a CEL text is an integer in stored units, so that its bytes are the same everywhere.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from shared.errors import BadInput
from shared.rules.document import Rule
from shared.standards.frame import Document, EquipmentClass, Parameter, ParameterName, StandardId, Strict
from shared.standards.product_kinds import Practice, Product, Substitution
from shared.standards.work_kinds import DataCollection, Instruction, ReasonTree

__all__ = ["EquipmentClass", "Parameter", "ParameterName", "StandardId"]

SCHEMA = 2
"""The newest schema this release reads; a plant that does not know a document's schema says so and keeps what it has."""
BODY_BYTES_MAX = 150_000
"""A body travels as text inside one fact of at most 256 KiB, where each quotation mark takes two bytes."""


class Step(Strict):
    """One step of a route: the equipment classes that do it, what goes in and comes out, losses, what to collect.

    A step of class `transport` is the border between two plants.
    """

    number: int = Field(ge=1)
    name: str
    classes: tuple[EquipmentClass, ...] = Field(min_length=1)
    result: str = ""
    aims: dict[str, int] = Field(default_factory=dict)
    loss: str = ""
    collect: tuple[str, ...] = ()


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


class MeasureUse(Strict):
    """A base measure summed over the units of a class, under the name the formula uses."""

    name: ParameterName
    of: EquipmentClass
    measure: ParameterName


class KpiFormula(Strict):
    """The formula at one place of the road; sums first, the ratio last."""

    at: EquipmentClass
    title: str
    measures: tuple[MeasureUse, ...] = Field(min_length=1)
    formula: str
    unit: str


class Kpi(Document):
    """A KPI's definition: one formula for each place it is taken at."""

    kind: Literal["kpi"] = "kpi"
    better: Literal["higher", "lower"]
    formulas: tuple[KpiFormula, ...] = Field(min_length=1)


class Workflow(Document):
    """What people do when a check fails: steps with a role and a time to answer in."""

    kind: Literal["workflow"] = "workflow"
    trigger: str
    actions: tuple[WorkflowAction, ...] = Field(min_length=1)


class WorkflowAction(Strict):
    """One thing to do, by whom, within how many minutes."""

    role: str
    text: str
    within_min: int = Field(gt=0)


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
)
KINDS: tuple[str, ...] = tuple(kind.model_fields["kind"].default for kind in get_args(AnyStandard))
FIRST_KINDS = (Routing, QualityRule, Kpi, Workflow)
"""What schema 1 had; all others need a reader of schema 2."""
Standard = Annotated[AnyStandard, Field(discriminator="kind")]
Workflow.model_rebuild()
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
    has_cases = isinstance(document, QualityRule) and bool(document.cases)
    return 1 if isinstance(document, FIRST_KINDS) and not has_cases else 2


def _refused(error: ValidationError) -> BadInput:
    lines = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return BadInput(
        "standards.bad_document",
        f"The document is not in order. {'; '.join(lines)}.",
        todo="Mend the named fields and save again.",
    )
