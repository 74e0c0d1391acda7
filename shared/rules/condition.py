"""A condition taken apart into its comparisons, so that the verdict and its explanation are one and the same calculation.

`level >= -10 && level <= 10 || duration <= 5` becomes Any(All(level >= -10, level <= 10), duration <= 5). Both sides of
a comparison are compiled and evaluated by the engine; they are compared here after rounding to nine decimals, so that
a value written 0.38 meets a limit written 0.38 whatever way it was summed up. Three-valued: what is missing decides
nothing, but one failed term of an `&&` does, and so does one good term of an `||`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Literal

import msgspec

from shared.rules.port import Bound, Compiled, Engine, Failed, InputValue, Missing, SourceError, Value, ValueType
from shared.rules.tokens import names, split_top, without_outer_brackets

DECIMALS = 9  # far below any reported digit, far above the error of adding doubles
_CLEAR = 1e-6  # so far apart no rounding brings two numbers together, and none is needed
_HOLDS: Mapping[str, Callable[[float, float], bool]] = {"<=": le, ">=": ge, "<": lt, ">": gt}
_COMPARISONS = tuple(_HOLDS)

Truth = Literal["true", "false", "missing", "failed"]


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One comparison with its numbers, in the units of the rule.

    what   the left side as written; op and limit_text likewise
    value  the left side's number, limit the right side's; None where the term is no comparison of numbers or is missing
    """

    what: str
    op: str
    limit_text: str
    truth: Truth
    value: float | None = None
    limit: float | None = None
    missing: tuple[str, ...] = ()
    why: str = ""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The truth of a condition and every comparison that went into it."""

    truth: Truth
    findings: tuple[Finding, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """All inputs that are missing, each once."""
        if len(self.findings) == 1:
            return self.findings[0].missing
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.missing))


@dataclass(frozen=True)
class Comparison:
    """left op right, both numbers; fixed: the right one's value where it hangs on nothing that is measured."""

    source: str
    op: str
    sides: tuple[str, str]
    left: Compiled
    right: Compiled
    fixed: Value | None = None

    def judge(self, bound: Bound) -> Verdict:
        """Compare the two numbers."""
        left = self.left.of(bound)
        right = self.fixed or self.right.of(bound)
        value, limit = _number(left), _number(right)
        missing: tuple[str, ...] = ()
        why = ""
        if value is not None and limit is not None:
            truth: Truth = "true" if _holds(value, self.op, limit) else "false"
        else:
            missing = tuple(name for side in (left, right) if isinstance(side, Missing) for name in side.names)
            why = next((side.why for side in (left, right) if isinstance(side, Failed)), "")
            truth = "failed" if why else "missing"
        return Verdict(truth, (Finding(self.sides[0], self.op, self.sides[1], truth, value, limit, missing, why),))


@dataclass(frozen=True)
class Plain:
    """A term that is no comparison of numbers: a flag, a text equality, a macro."""

    source: str
    term: Compiled

    def judge(self, bound: Bound) -> Verdict:
        """Evaluate the term as it stands."""
        result = self.term.of(bound)
        if isinstance(result, Missing):
            return Verdict("missing", (Finding(self.source, "", "", "missing", missing=result.names),))
        if isinstance(result, Failed):
            return Verdict("failed", (Finding(self.source, "", "", "failed", why=result.why),))
        truth: Truth = "true" if result.value is True else "false"
        return Verdict(truth, (Finding(self.source, "", "", truth),))


@dataclass(frozen=True)
class Joined:
    """Terms joined by && (all) or || (any)."""

    how: Literal["all", "any"]
    terms: tuple[Term, ...]

    def judge(self, bound: Bound) -> Verdict:
        """Join the terms' truths; a deciding term wins over missing and failed ones."""
        verdicts = [term.judge(bound) for term in self.terms]
        join = all_of if self.how == "all" else any_of
        truth = join([verdict.truth for verdict in verdicts])
        return Verdict(truth, tuple(f for v in verdicts for f in v.findings))


Term = Comparison | Plain | Joined


@dataclass(frozen=True)
class Condition:
    """A condition taken apart; whole is the same as one expression, over the variables that all of its terms have."""

    whole: Compiled
    term: Term

    def bind(self, inputs: Mapping[str, InputValue]) -> Bound:
        """The inputs made ready once, for this and every condition over the same variables."""
        return self.whole.bind(inputs)

    def judge(self, inputs: Mapping[str, InputValue]) -> Verdict:
        """The verdict on these inputs."""
        return self.term.judge(self.bind(inputs))

    def judge_bound(self, bound: Bound) -> Verdict:
        """The verdict on inputs that were bound before."""
        return self.term.judge(bound)


def compile_condition(engine: Engine, source: str, variables: Mapping[str, ValueType]) -> Condition:
    """The condition's terms, type-checked as a whole first so that an error's column is that of the whole source."""
    whole = engine.compile(source, variables)
    if whole.result_type != "flag":
        raise SourceError(f"a condition must be true or false; this gives a {whole.result_type}", source, 1)
    return Condition(whole, _parse(engine, " ".join(source.splitlines()), variables))


def _parse(engine: Engine, source: str, variables: Mapping[str, ValueType]) -> Term:
    text = without_outer_brackets(source)
    if len(split_top(text, ("?",))[0]) > 1:  # binds weaker than || and &&: taken apart it would mean something else
        return Plain(text, engine.compile(text, variables))
    for how, operator in (("any", "||"), ("all", "&&")):
        parts, found = split_top(text, (operator,))
        if found:
            return Joined("any" if how == "any" else "all", tuple(_parse(engine, part, variables) for part in parts))
    return _comparison(engine, text, variables) or Plain(text, engine.compile(text, variables))


def _comparison(engine: Engine, text: str, variables: Mapping[str, ValueType]) -> Comparison | None:
    parts, found = split_top(text, (*_COMPARISONS, "==", "!="))
    if len(found) != 1 or found[0] not in _COMPARISONS:
        return None
    left, right = (engine.compile(part, variables) for part in parts)
    if left.result_type != "number" or right.result_type != "number":
        return None
    limit = right.evaluate({}) if not set(names(parts[1])) & set(variables) else None
    fixed = limit if isinstance(limit, Value) else None
    return Comparison(text, found[0], (parts[0], parts[1]), left, right, fixed)


def _number(result: Value | Missing | Failed) -> float | None:
    return float(result.value) if isinstance(result, Value) else None


def _holds(value: float, op: str, limit: float) -> bool:
    if abs(value - limit) > _CLEAR:
        return _HOLDS[op](value, limit)
    return _HOLDS[op](round(value, DECIMALS), round(limit, DECIMALS))


def all_of(truths: Sequence[Truth]) -> Truth:
    """Terms joined by &&: one false decides, whatever else is missing or failed."""
    return _joined(truths, "false", "true")


def any_of(truths: Sequence[Truth]) -> Truth:
    """Terms joined by ||: one true decides."""
    return _joined(truths, "true", "false")


def _joined(truths: Sequence[Truth], deciding: Truth, other: Truth) -> Truth:
    order: tuple[Truth, ...] = (deciding, "failed", "missing")
    return next((truth for truth in order if truth in truths), other)
