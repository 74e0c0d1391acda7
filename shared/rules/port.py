"""The port of expression engines: compile once with types, evaluate to a value that is never truthy by accident.

Numbers are doubles on both sides; an integer literal in a source is read as a double, so that `C <= 1` means what its
author thinks it means. Limits of the port, not of one engine: `SOURCE_CHARS_MAX`, `INPUTS_MAX`, `TEXT_CHARS_MAX`.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

ValueType = Literal["number", "text", "flag"]
InputValue = float | str | bool

SOURCE_CHARS_MAX = 2_000  # a rule that needs more is two rules; also keeps the parser's work small
INPUTS_MAX = 64  # all elements of an analysis (30) twice over
TEXT_CHARS_MAX = 200  # the longest product name in use is 40


class Value(msgspec.Struct, frozen=True, gc=False):
    """The expression has a value of its declared type."""

    value: InputValue


class Missing(msgspec.Struct, frozen=True, gc=False):
    """The verdict hangs on inputs nobody has measured yet."""

    names: tuple[str, ...]


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The expression could not be evaluated, and more measurements would not help (type, range, iteration budget)."""

    why: str


Result = Value | Missing | Failed


class SourceError(Exception):
    """An expression that cannot be compiled; `column` counts from 1, or is None where the engine does not tell."""

    def __init__(self, what: str, source: str, column: int | None = None) -> None:
        super().__init__(what if column is None else f"{what} (column {column})")
        self.what = what
        self.source = source
        self.column = column


class Bound(Protocol):
    """Inputs made ready for the expressions of one engine over the same variables; belongs to one thread."""


class Compiled(Protocol):
    """One expression, type-checked; safe to evaluate from several threads."""

    @property
    def result_type(self) -> ValueType:
        """The type of the expression's value."""
        ...

    def evaluate(self, inputs: Mapping[str, InputValue]) -> Result:
        """The value for these inputs; names the expression does not use are ignored."""
        ...

    def bind(self, inputs: Mapping[str, InputValue]) -> Bound:
        """The inputs, ready for this and every other expression compiled over the same variables."""
        ...

    def of(self, bound: Bound) -> Result:
        """The value for inputs that were bound before, once for several expressions."""
        ...


class Engine(Protocol):
    """Compiles expressions over named, typed variables."""

    def compile(self, source: str, variables: Mapping[str, ValueType]) -> Compiled:
        """A compiled expression, or SourceError with the column of an unknown name or a wrong type."""
        ...
