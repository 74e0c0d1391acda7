"""A rule as it stands in a signed document: when it is asked, what it is asked about, what must be true, what follows.

Three ways of saying what must be true, because people read them differently:
`expression` a condition in CEL; `limits` a table of element limits by grade, reported element by element;
`tolerance` allowed mass difference by the pair of bases of the two masses.
All quantities outside CEL texts are integers in stored units (see rules/vocabulary.py), so that the document's bytes
are the same everywhere.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.rules.program import Program, program_of
from shared.rules.vocabulary import EVENTS

Event = Literal["sample_final", "slab_cut", "mark", "coil_done", "coating", "receipt"]
Action = Literal["hold", "mark", "case"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z_0-9]{0,39}$")]
PPM = 1_000_000


class Strict(BaseModel):
    """A frozen part of a document; a field it does not know is an error of its author."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VariableUse(Strict):
    """A variable the rule uses, with the type and unit its author expects; both must be those of the event."""

    name: Name
    type: Literal["number", "text", "flag"] = "number"
    unit: str = ""


class Expression(Strict):
    """True means in order. `applies` says for which pieces the question makes sense at all."""

    kind: Literal["expression"] = "expression"
    variables: tuple[VariableUse, ...]
    applies: str = ""
    condition: str

    @cached_property
    def program(self) -> Program:
        """The expression made ready; SourceError for one that does not compile."""
        return program_of(tuple((v.name, v.type, v.unit) for v in self.variables), self.applies, self.condition)

    def __copy__(self) -> Expression:
        """Its fields alone: what is compiled cannot be copied, and would be another's once a field is changed."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_construct(set(self.model_fields_set), **fields)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Expression:
        """The same: every field is frozen."""
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).model_validate, (self.model_dump(exclude_unset=True),)


class Limit(Strict):
    """Smallest and largest allowed mass fraction of one element, 1e-6; a measured element only if not required."""

    element: str
    min_e6: int | None = Field(None, ge=0, le=PPM)
    max_e6: int | None = Field(None, ge=0, le=PPM)
    required: bool = True

    @model_validator(mode="after")
    def _bounded(self) -> Limit:
        if self.min_e6 is None and self.max_e6 is None:
            raise ValueError(f"the limit of {self.element} has neither a smallest nor a largest value")
        if self.min_e6 is not None and self.max_e6 is not None and self.min_e6 > self.max_e6:
            raise ValueError(f"the limits of {self.element} leave nothing: {self.min_e6} > {self.max_e6}")
        return self


class GradeLimits(Strict):
    """The limits of one internal grade."""

    grade: str
    limits: tuple[Limit, ...] = Field(min_length=1)


class Limits(Strict):
    """Limit table by grade; a grade that is not listed is not checked, and the outcome says so."""

    kind: Literal["limits"] = "limits"
    grades: tuple[GradeLimits, ...] = Field(min_length=1)


class PairTolerance(Strict):
    """Allowed difference for one pair of bases: ppm of the sender's mass, and at least so many grams."""

    sender_basis: str
    receiver_basis: str
    tolerance_ppm: int = Field(gt=0, le=PPM)
    at_least_g: int = Field(0, ge=0)


class Tolerance(Strict):
    """Mass tolerance of a lane by the pair of bases; a lane of its own may be named, `*` is every other."""

    kind: Literal["tolerance"] = "tolerance"
    pairs: tuple[PairTolerance, ...] = Field(min_length=1)
    lanes: dict[str, tuple[PairTolerance, ...]] = Field(default_factory=dict)


class Consequence(Strict):
    """What follows when the rule is broken."""

    action: Action
    share_threshold_ppm: int | None = Field(None, gt=0, le=PPM)  # a heat's hold reaches slabs with at least this share
    workflow: str = ""  # standard id of the workflow that corrects the process
    serves: tuple[str, ...] = ()  # products such a piece may still become; empty: a person decides
    never_for: tuple[str, ...] = ()  # internal grades whose orders such a piece must not serve
    note: str = ""  # one sentence for the person who finds the piece


class Rule(Strict):
    """A quality rule's content."""

    when: tuple[Event, ...] = Field(min_length=1)
    check: Annotated[Expression | Limits | Tolerance, Field(discriminator="kind")]
    otherwise: Consequence


def events() -> tuple[str, ...]:
    """All events a rule can be asked at."""
    return tuple(EVENTS)
