"""What PLM or ERP says of a new product, as JSON or as a file (YAML or JSON); quantities in stored units."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import BadInput
from shared.rules.vocabulary import ELEMENTS
from shared.standards.frame import StandardId
from shared.standards.product_kinds import Range, TestDemand

Name = Annotated[str, Field(min_length=1, max_length=40)]

Grade = Annotated[str, Field(pattern=r"^[^'\"\\\p{C}]{1,40}$")]
"""It is written into the rules as a text: nothing in it may end one."""


class ElementRange(BaseModel):
    """Limits of one element in the ladle, 1e-6 mass fraction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    element: str
    min_e6: int | None = Field(None, ge=0, le=1_000_000)
    max_e6: int = Field(ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _is_an_element(self) -> Self:
        if self.element not in ELEMENTS:
            raise ValueError(f"{self.element} is not an element of an analysis")
        if self.min_e6 is not None and self.min_e6 > self.max_e6:
            raise ValueError(f"{self.element} begins at {self.min_e6} and ends at {self.max_e6}")
        return self


class Wish(BaseModel):
    """A product to be launched like a published one.

    product_id  id of the new product; like: id of the published product whose document and route are the template
    grade       internal grade its heats are ordered as: by it the first trial heat is known
    aims        step of the route, by its name -> aims that differ from the template's
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_id: StandardId
    like: StandardId
    title: str = Field(min_length=3, max_length=200)
    grade: Grade
    reference: str = Field("", max_length=200)
    source: Annotated[str, Field(pattern="^(plm|erp|file|person)$")] = "plm"
    grades: tuple[Name, ...] = Field((), max_length=20)
    dimensions: tuple[Range, ...] = Field((), max_length=20)
    properties: tuple[Range, ...] = Field((), max_length=50)
    tests: tuple[TestDemand, ...] = Field((), max_length=50)
    chemistry: tuple[ElementRange, ...] = Field((), max_length=30)
    aims: dict[str, dict[str, int]] = Field(default_factory=dict, max_length=30)


def read_wish(value: object) -> Wish:
    """The wish, or BadInput with every field that is wrong."""
    try:
        return Wish.model_validate(value)
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise BadInput(
            "launch.bad_wish", f"The product is not in order. {'; '.join(faults)}.", todo="Mend the named fields."
        ) from error
