"""Rules over the facts that arrive at the hub: a limit, a count in a window of time, a pattern across plants.

Such a rule runs at the hub alone. It is asked about each fact of its kind after that fact was applied: `applies` says
which facts count, `condition` what must be true, with the fact's own figures and with how many counted in the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from shared.rules.check import Fault, compiled, declared
from shared.rules.document import Consequence, Expression, Rule
from shared.rules.evaluate import Outcome, Stored, evaluate
from shared.rules.measures import UnitError, measure
from shared.rules.port import SourceError
from shared.rules.tokens import Token, names, tokens
from shared.rules.unit_check import unit_of
from shared.rules.vocabulary import ELEMENTS, Variable
from shared.standards.frame import Document, ParameterName, StandardId, Strict

GROUP_RULE = "group_rule"
WINDOW_MAX_MIN = 31 * 1440
"""A month: what the hub keeps of counted facts."""

COUNT_MAX = 2_000
"""Facts counted for one question, the youngest of its window: what arrives fast must not hold up what else is written."""

About = Literal["check", "hold", "release", "sample", "stop", "refusal", "deviation"]


def _number(name: str, unit: str, meaning: str) -> Variable:
    return Variable(name, "number", unit, meaning)


def _text(name: str, meaning: str) -> Variable:
    return Variable(name, "text", "", meaning)


_PLANT = _text("plant", "plant that says it")
_COUNTED = (
    _number("count", "", "facts that count within the window, this one with them"),
    _number("plants", "", "plants they come from"),
    _number("pieces", "", "pieces they speak of"),
)
ABOUT: Mapping[str, tuple[Variable, ...]] = {
    "check": (_PLANT, _text("rule", "rule that was asked"), _text("outcome", "pass, hold, mark, case, pending")),
    "hold": (_PLANT, _text("rule", "rule behind the hold, empty for a person's"), _text("reason", "why")),
    "release": (_PLANT, _text("disposition", "prime, downgrade, reapply, rework, scrap")),
    "sample": (
        _PLANT,
        _text("place", "EAF, LFA, LFF (counts), TUN, product"),
        *(_number(symbol, "%", f"{symbol}, mass fraction") for symbol in ELEMENTS),
    ),
    "stop": (
        _PLANT,
        _text("unit", "unit that stood"),
        _text("reason", "code of the tree of delays"),
        _number("duration", "min", "how long"),
    ),
    "refusal": (_PLANT, _text("code", "why a plant did not adopt its standards")),
    "deviation": (_PLANT, _text("standard", "standard it deviates from"), _text("parameter", "UNIT.name")),
}
"""What each kind of fact offers; `count`, `plants` and `pieces` beside it."""


class GroupCase(Strict):
    """A case that travels with the rule: inputs in stored units, counts among them, and what must come out."""

    name: str = Field(min_length=3, max_length=100)
    inputs: dict[str, int | str]
    outcome: Literal["in_order", "violated", "pending", "not_applicable"]


class GroupConsequence(Strict):
    """Whom it concerns at the hub and what they do: roles to tell, and a workflow whose steps become their tasks."""

    notify: tuple[Literal["author", "approver", "logistics", "owner", "engineer"], ...] = Field(min_length=1)
    workflow: StandardId | Literal[""] = ""
    note: str = Field("", max_length=500)


class GroupRule(Document):
    """A rule over arriving facts. per: names of text inputs by which counting is kept apart, none: the whole group.

    quiet_min: after it spoke it does not speak again of the same for so long, so that a storm is one message.
    """

    kind: Literal["group_rule"] = "group_rule"
    about: About
    check: Expression
    per: tuple[ParameterName, ...] = Field((), max_length=4)
    window_min: int = Field(0, ge=0, le=WINDOW_MAX_MIN)
    quiet_min: int = Field(60, ge=0, le=WINDOW_MAX_MIN)
    otherwise: GroupConsequence
    cases: tuple[GroupCase, ...] = Field((), max_length=200)

    def ask(self, inputs: Mapping[str, Stored]) -> Outcome:
        """What it says of these inputs. Pure: asked again with the inputs of a decision it says the same."""
        return evaluate(self.as_rule, inputs)

    @property
    def as_rule(self) -> Rule:
        """The same as the expression language knows it; no event of a plant asks it."""
        return Rule.model_construct(when=(), check=self.check, otherwise=_CASE)


_CASE = Consequence.model_validate({"action": "case"})


def variables_about(about: str) -> Mapping[str, Variable]:
    """What a rule about such facts may use, by name."""
    return {variable.name: variable for variable in (*ABOUT.get(about, ()), *_COUNTED)}


def group_rule_faults(document: GroupRule) -> list[Fault]:
    """Everything wrong with it, each with its field; empty when it can be published."""
    faults = _name_faults(document) or _source_faults(document.check) or _bound_faults(document.check)
    return faults or _case_faults(document)


def _name_faults(document: GroupRule) -> list[Fault]:
    offered = variables_about(document.about)
    faults = []
    for n, used in enumerate(document.check.variables):
        known = offered.get(used.name)
        said = ""
        if known is None:
            said = f"{document.about} offers no variable {used.name}; it has {', '.join(offered)}"
        elif (known.type, known.unit) != (used.type, used.unit):
            said = f"{used.name} is a {known.type} in {known.unit or 'no unit'}"
        faults += [Fault(f"check.variables.{n}.name", said)] if said else []
    texts = [name for name, variable in offered.items() if variable.type == "text"]
    wrong = [name for name in document.per if name not in texts]
    faults += [Fault("per", f"counting per {name}: only {', '.join(texts)} keep it apart") for name in wrong]
    counted = {variable.name for variable in _COUNTED}
    if not document.window_min and any(used.name in counted for used in document.check.variables):
        faults.append(Fault("window_min", "it counts, but names no window: window_min is 0"))
    return faults


def _source_faults(check: Expression) -> list[Fault]:
    measures = {used.name: measure(used.unit) for used in check.variables if used.type == "number"}
    faults = [
        Fault("check.applies", f"applies says which facts count, so it cannot ask for {name}")
        for name in names(check.applies)
        if name in {variable.name for variable in _COUNTED}
    ]
    for name, source in (("applies", check.applies), ("condition", check.condition)):
        try:
            if source or name == "condition":
                compiled(source, declared(check))
                unit_of(source, measures)
        except (SourceError, UnitError) as error:
            faults.append(Fault(f"check.{name}", f"{name}: {error}"))
    return faults


def _bound_faults(check: Expression) -> list[Fault]:
    """A count that is compared with what no count reaches would never speak."""
    counted = {variable.name for variable in _COUNTED}
    return [
        Fault("check.condition", f"{name} is compared with {number.text}; at most {COUNT_MAX} facts are counted")
        for name, number in _compared(check.condition)
        if name in counted and float(number.text) > COUNT_MAX
    ]


def _compared(source: str) -> Iterator[tuple[str, Token]]:
    """Names and the numbers they are compared with, either way round."""
    said = [token for token in tokens(source) if token.kind != "space"]
    for left, op, right in zip(said, said[1:], said[2:], strict=False):
        if op.text in ("<", "<=", ">", ">=", "==", "!="):
            for name, number in ((left, right), (right, left)):
                if name.kind == "name" and number.kind in ("integer", "number"):
                    yield name.text, number


def _case_faults(document: GroupRule) -> list[Fault]:
    found = ((n, case, document.ask(case.inputs)) for n, case in enumerate(document.cases))
    return [
        Fault(
            f"cases.{n}.outcome",
            f"case {case.name!r} must come out {case.outcome}, it comes out {said.outcome}: {said.reason}",
        )
        for n, case, said in found
        if said.outcome != case.outcome
    ]
