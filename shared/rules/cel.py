"""The port over Google's CEL (cel-expr-python): typed at authoring, recursion and iteration bounded by the engine itself.

CEL returns its errors as values whose payload is a text (so truthy): only a value of the declared type counts as one.
`&&` and `||` absorb errors on either side, which gives the three-valued logic of "decided although one input is missing".
"""

import re
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

import msgspec
from cel_expr_python import cel
from cel_expr_python.ext.ext_math import ExtMath

from shared.rules.port import (
    INPUTS_MAX,
    SOURCE_CHARS_MAX,
    TEXT_CHARS_MAX,
    Bound,
    Compiled,
    Failed,
    InputValue,
    Missing,
    Result,
    SourceError,
    Value,
    ValueType,
)
from shared.rules.tokens import names, tokens, with_doubles

_TYPES = {"number": cel.Type.DOUBLE, "text": cel.Type.STRING, "flag": cel.Type.BOOL}
_RESULTS: dict[str, ValueType] = {"DOUBLE": "number", "STRING": "text", "BOOL": "flag"}
_PYTHON: Mapping[str, type] = {"number": float, "text": str, "flag": bool}
_ABSENT = re.compile(r'No value with name "([^"]+)"')
_POSITION = re.compile(r"<input>:1:(\d+): (.*)")


class CelInputs(msgspec.Struct, frozen=True, gc=False):
    """Inputs that the engine has taken. wrong: name -> why its value is not of the declared type."""

    activation: cel.Activation
    names: Set[str]
    wrong: Mapping[str, str]


class CelExpression:
    """A compiled expression together with the names it needs."""

    def __init__(
        self, source: str, env: cel.Env, expression: cel.Expression, variables: Mapping[str, ValueType]
    ) -> None:
        self._env = env
        self._expression = expression
        self._variables = variables
        self._uses = tuple(name for name in names(source) if name in variables)
        self.result_type: ValueType = _RESULTS[expression.return_type().name()]

    def evaluate(self, inputs: Mapping[str, InputValue]) -> Result:
        """The value, what is missing for one, or why there can be none."""
        return self.of(self.bind({name: inputs[name] for name in self._uses if name in inputs}))

    def bind(self, inputs: Mapping[str, InputValue]) -> CelInputs:
        """The inputs that are declared, checked and handed to the engine once."""
        given, wrong = {}, {}
        for name, value in inputs.items():
            declared = self._variables.get(name)
            if declared is None:
                continue
            if _fits(value, declared):
                given[name] = value
            else:
                wrong[name] = f"{name} is not a {declared}: {value!r}"
        return CelInputs(self._env.Activation(given), given.keys(), wrong)

    def of(self, bound: Bound) -> Result:
        """The value for bound inputs."""
        if not isinstance(bound, CelInputs):
            raise TypeError("these inputs were bound by another engine")
        if bound.wrong and (unfit := next((name for name in self._uses if name in bound.wrong), None)):
            return Failed(bound.wrong[unfit])
        try:
            outcome = self._expression.eval(bound.activation)
        except RuntimeError as error:  # what stops an evaluation as such (iteration budget) is raised, not returned
            return Failed(str(error))
        value: Any = outcome.value()
        # an error is a text, so a number or a flag is one by its Python type, and only a text needs the slower question
        fits = type(value) is _PYTHON[self.result_type]
        if fits and (self.result_type != "text" or outcome.type().name() == "STRING"):
            return Value(value)
        text = str(value)
        if _ABSENT.search(text):
            return Missing(tuple(name for name in self._uses if name not in bound.names))
        return Failed(text)


class CelEngine:
    """Compiles with CEL; keeps nothing but its environments, so one instance serves a process.

    calculates: `math.round`, `math.least` and their like are known too. Not in what one node publishes and another
    compiles: an older one would not know them.
    """

    def __init__(self, *, calculates: bool = False) -> None:
        self._extensions = [ExtMath()] if calculates else []
        self._environment = lru_cache(maxsize=500)(self._new_environment)  # one a set of variables: tens

    def compile(self, source: str, variables: Mapping[str, ValueType]) -> Compiled:
        """A compiled expression; SourceError for what does not parse, is unknown, of a wrong type, or too long."""
        if len(source) > SOURCE_CHARS_MAX:
            raise SourceError(
                f"the expression is {len(source)} characters long; at most {SOURCE_CHARS_MAX} are allowed", source
            )
        if len(variables) > INPUTS_MAX:
            raise SourceError(f"{len(variables)} variables are declared; at most {INPUTS_MAX} are allowed", source)
        one_line = " ".join(source.splitlines())
        env = self._environment(tuple(variables.items()))
        try:
            expression = env.compile(with_doubles(one_line))
        except (RuntimeError, ValueError) as error:  # the binding raises plain RuntimeError for every refusal
            raise _explained(str(error), one_line) from error
        if expression.return_type().name() not in _RESULTS:
            raise SourceError(
                f"the expression gives a {expression.return_type().name().lower()}, not a number, text or flag", source
            )
        return CelExpression(one_line, env, expression, variables)

    def _new_environment(self, variables: tuple[tuple[str, ValueType], ...]) -> cel.Env:
        return cel.NewEnv(variables={name: _TYPES[kind] for name, kind in variables}, extensions=self._extensions)


def _fits(value: InputValue, kind: ValueType) -> bool:
    """CEL takes a bool for a double without a word, so types are checked before it sees them."""
    if kind == "number":
        return type(value) is float or type(value) is int
    return isinstance(value, bool) if kind == "flag" else isinstance(value, str) and len(value) <= TEXT_CHARS_MAX


def _explained(text: str, source: str) -> SourceError:
    """CEL's message with the column of the author's own text (before literals were turned into doubles)."""
    match = _POSITION.search(text)
    if match is None:
        return SourceError(text.splitlines()[0], source)
    what = (
        match.group(2).replace(" (in container '')", "").replace("double", "number").removesuffix(" [INVALID_ARGUMENT]")
    )
    return SourceError(what, source, _original_column(source, int(match.group(1))))


def _original_column(source: str, column: int) -> int:
    added = 0
    for token in tokens(source):
        if token.start + added + len(token.text) >= column:
            break
        added += 2 if token.kind == "integer" else 0
    return min(column - added, len(source) + 1)
