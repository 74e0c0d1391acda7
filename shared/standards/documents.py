"""The documents of standards: what a version says, by kind, and what makes one fit to be published.

A document names equipment classes and parameters (default and the range a plant may choose from), never units of a
plant. Every quantity outside a CEL text is an integer in stored units, so that its bytes are the same everywhere.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from shared.errors import BadInput
from shared.rules.document import Rule

SCHEMA: Literal[1] = 1
"""Version of these schemas; a plant that does not know a document's schema says so and keeps what it has."""
BODY_BYTES_MAX = 150_000
"""A body travels as text inside one fact of at most 256 KiB, where each quotation mark takes two bytes."""

StandardId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,39}$")]
EquipmentClass = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Kind = Literal["routing", "quality_rule", "kpi", "workflow"]
KINDS: tuple[Kind, ...] = ("routing", "quality_rule", "kpi", "workflow")
TakesHold = Literal["at_once", "next_step", "next_heat"]


class Strict(BaseModel):
    """A frozen part of a document; a field it does not know is an error of its author."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scope(Strict):
    """Whom a version is for; an empty list means all."""

    plants: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()


class Parameter(Strict):
    """A value the plant's own choice may replace: a whole number within min..max, or one of the choices.

    `of` is the equipment class that carries it; the plant model gives its values a unit (or for all).
    """

    name: ParameterName
    of: EquipmentClass
    unit: str
    default: int | str
    min: int | None = None
    max: int | None = None
    choices: tuple[str, ...] = ()
    meaning: str = ""

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Parameter:
        if not self.allows(self.default):
            raise ValueError(f"the default {self.default} of {self.name} is outside what it allows itself")
        return self

    def allows(self, value: int | str) -> bool:
        """Whether a plant may choose this value."""
        if self.choices:
            return value in self.choices
        if isinstance(value, str):
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def range_text(self) -> str:
        """The allowed values in words."""
        return " | ".join(self.choices) if self.choices else f"{self.min}..{self.max} {self.unit}".strip()


class Document(Strict):
    """What all kinds have in common."""

    schema_version: Literal[1] = SCHEMA
    id: StandardId
    version: int = Field(ge=1, le=1_000_000)
    title: str = Field(min_length=3, max_length=200)
    purpose: str = Field("", max_length=4_000)
    owner: str = Field(max_length=100)
    takes_hold: TakesHold
    scope: Scope = Scope()
    needs: tuple[EquipmentClass, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    depends: tuple[StandardId, ...] = ()

    @model_validator(mode="after")
    def _parameters_are_distinct(self) -> Document:
        seen = [(parameter.of, parameter.name) for parameter in self.parameters]
        if len(set(seen)) < len(seen):
            raise ValueError("two parameters of one equipment class have the same name")
        return self


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


class QualityRule(Document):
    """A rule: when it is asked, what must be true, what follows otherwise."""

    kind: Literal["quality_rule"] = "quality_rule"
    rule: Rule


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


Standard = Annotated[Routing | QualityRule | Kpi | Workflow, Field(discriminator="kind")]
AnyStandard = Routing | QualityRule | Kpi | Workflow
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


def _refused(error: ValidationError) -> BadInput:
    lines = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return BadInput(
        "standards.bad_document",
        f"The document is not in order. {'; '.join(lines)}.",
        todo="Mend the named fields and save again.",
    )
