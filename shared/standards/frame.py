"""What documents of all kinds have in common: names, scope, parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

StandardId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,39}$")]
EquipmentClass = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
TakesHold = Literal["at_once", "next_step", "next_heat"]


class Strict(BaseModel):
    """A frozen part of a document; a field it does not know is an error of its author."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Grown(Strict):
    """A part that got fields after its first schema. They are written only where they say something, so that older
    documents keep their bytes, and with them their hashes and signatures.

    LATER: each such field with the schema from which on it can be read.
    """

    LATER: ClassVar[Mapping[str, int]] = MappingProxyType({})

    @model_serializer(mode="wrap")
    def _without_what_is_silent(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        for name in self.LATER:
            if name not in self.later_fields:
                written.pop(name, None)
        return written

    @property
    def later_fields(self) -> list[str]:
        """Those of its later fields that say something."""
        return [name for name in self.LATER if getattr(self, name) != type(self).model_fields[name].default]


def newest_schema(part: object) -> int:
    """The schema that a reader of this part, and of all within it, must know; 1 where it has no later field."""
    own = [part.LATER[name] for name in part.later_fields] if isinstance(part, Grown) else []
    return max([1, *own, *(newest_schema(inner) for inner in _within(part))])


def _within(part: object) -> Iterator[object]:
    if isinstance(part, tuple):
        yield from (inner for inner in part if isinstance(inner, BaseModel))
    elif isinstance(part, BaseModel):
        yield from (getattr(part, name) for name in type(part).model_fields)


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

    schema_version: Literal[1] = 1
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

    @cached_property
    def parameters_by_name(self) -> dict[str, Parameter]:
        """The parameters by their name; of two classes' parameters with one name the later."""
        return {parameter.name: parameter for parameter in self.parameters}

    @model_validator(mode="after")
    def _parameters_are_distinct(self) -> Document:
        seen = [(parameter.of, parameter.name) for parameter in self.parameters]
        if len(set(seen)) < len(seen):
            raise ValueError("two parameters of one equipment class have the same name")
        return self
