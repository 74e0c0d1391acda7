"""`evaluate(rule, inputs)`: what a rule says about one piece, with every number that led to it. Pure: same in, same out.

`in_order`, `violated`, `pending` (an input is missing and the rest does not decide), `failed` (cannot be evaluated,
a matter for the rule's author), `not_applicable` (the rule does not speak of such a piece).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from shared.rules.condition import Finding, Truth, all_of
from shared.rules.document import PPM, Action, Expression, Limit, Limits, Rule, Tolerance
from shared.rules.explain import Line, lines_of, mass_line
from shared.rules.port import INPUTS_MAX, InputValue
from shared.rules.program import Program
from shared.rules.vocabulary import INTERNAL_PER_UNIT

Verdict = Literal["in_order", "violated", "pending", "failed", "not_applicable"]
Stored = int | float | str | bool | None
_VERDICTS: Mapping[Truth, Verdict] = {"true": "in_order", "false": "violated", "missing": "pending", "failed": "failed"}


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a rule says.

    outcome      the verdict
    action       what follows (hold, mark, case), None unless violated
    explanation  one line a comparison, in the field's units
    inputs       the stored values that were asked for and given, for the record: run again they give the same outcome
    missing      names of inputs still to be measured
    reason       one sentence, made of the lines that speak against the piece
    """

    outcome: Verdict
    action: Action | None
    explanation: tuple[Line, ...]
    inputs: Mapping[str, int | float | str | bool]
    missing: tuple[str, ...] = ()
    reason: str = ""

    @property
    def violated(self) -> bool:
        """Whether the piece breaks the rule."""
        return self.outcome == "violated"


def evaluate(rule: Rule, inputs: Mapping[str, Stored]) -> Outcome:
    """Ask a rule about one piece; inputs in stored units, None or absent for what is not measured."""
    given = {name: value for name, value in inputs.items() if value is not None}
    if len(given) > INPUTS_MAX:
        return Outcome(
            "failed", None, (), {}, reason=f"{len(given)} inputs; a rule is asked with at most {INPUTS_MAX}."
        )
    if isinstance(rule.check, Limits):
        return _by_limits(rule, rule.check, given)
    if isinstance(rule.check, Tolerance):
        return _by_tolerance(rule, rule.check, given)
    return _by_expression(rule, rule.check, given)


def applies(check: Expression, inputs: Mapping[str, Stored]) -> Truth:
    """Whether an expression speaks of such a piece: missing where what is given does not decide it."""
    program = check.program
    _, values = _scaled(program, inputs)
    return "true" if program.applies is None else program.applies.judge(values).truth


def _scaled(program: Program, given: Mapping[str, Stored]) -> tuple[dict[str, InputValue], dict[str, InputValue]]:
    """What a program asks for of what is given: in stored units, and in its own."""
    used: dict[str, InputValue] = {}
    values: dict[str, InputValue] = {}
    for name, per_unit in program.scales:
        value = given.get(name)
        if value is not None:
            used[name] = value
            values[name] = value if isinstance(value, bool | str) else value / per_unit
    return used, values


def _by_expression(rule: Rule, check: Expression, given: Mapping[str, InputValue]) -> Outcome:
    program = check.program
    used, values = _scaled(program, given)
    bound = program.condition.bind(values)
    if program.applies is not None:
        applied = program.applies.judge_bound(bound)
        if applied.truth != "true":
            verdict: Verdict = "not_applicable" if applied.truth == "false" else _VERDICTS[applied.truth]
            failed = [line.text for line in lines_of(applied.findings, program.units) if line.truth == "failed"]
            return Outcome(verdict, None, (), used, applied.missing, "; ".join(failed))
    judged = program.condition.judge_bound(bound)
    return _outcome(rule, judged.truth, lines_of(judged.findings, program.units), used, judged.missing)


def _by_limits(rule: Rule, check: Limits, given: Mapping[str, InputValue]) -> Outcome:
    grade = given.get("grade")
    if grade is None:
        return Outcome("pending", None, (), {}, ("grade",), "The grade is not known.")
    table = next((entry for entry in check.grades if entry.grade == grade), None)
    if table is None:
        return Outcome("not_applicable", None, (), {"grade": grade}, reason=f"No limits are given for grade {grade}.")
    findings = [finding for limit in table.limits for finding in _limit_findings(limit, given.get(limit.element))]
    truth = all_of([finding.truth for finding in findings])
    used = {name: given[name] for name in ("grade", *(limit.element for limit in table.limits)) if name in given}
    missing = tuple(dict.fromkeys(name for finding in findings for name in finding.missing))
    units = {limit.element: "%" for limit in table.limits}
    return _outcome(rule, truth, lines_of(findings, units), used, missing)


def _limit_findings(limit: Limit, stored: InputValue | None) -> list[Finding]:
    """At most one finding a side of the limit; values and limits in mass-%, compared as the integers they are stored as."""
    if stored is None and not limit.required:
        return []
    findings = []
    for op, bound in ((">=", limit.min_e6), ("<=", limit.max_e6)):
        if bound is None:
            continue
        in_unit = bound / INTERNAL_PER_UNIT["%"]
        if stored is None:
            findings.append(Finding(limit.element, op, "", "missing", None, in_unit, (limit.element,)))
        elif isinstance(stored, bool | str):
            findings.append(Finding(limit.element, op, "", "failed", None, in_unit, why=f"{stored!r} is not a number"))
        else:
            holds = stored >= bound if op == ">=" else stored <= bound
            findings.append(Finding(limit.element, op, "", "true" if holds else "false", stored / 10_000, in_unit))
    return findings


def _by_tolerance(rule: Rule, check: Tolerance, given: Mapping[str, InputValue]) -> Outcome:
    needed = ("sender_basis", "receiver_basis", "sender_mass", "receiver_mass")
    missing = tuple(name for name in needed if name not in given)
    used = {name: given[name] for name in ("lane", *needed) if name in given}
    if missing:
        return Outcome("pending", None, (), used, missing, f"Still to be measured: {', '.join(missing)}.")
    pairs = (*check.lanes.get(str(given.get("lane", "")), ()), *check.pairs)
    bases = (given["sender_basis"], given["receiver_basis"])
    pair = next((entry for entry in pairs if (entry.sender_basis, entry.receiver_basis) == bases), None)
    if pair is None:
        return Outcome(
            "not_applicable", None, (), used, reason=f"No tolerance is given for {bases[0]} against {bases[1]}."
        )
    sent, found = int(given["sender_mass"]), int(given["receiver_mass"])
    allowed = max(sent * pair.tolerance_ppm // PPM, pair.at_least_g)
    truth: Truth = "true" if abs(found - sent) <= allowed else "false"
    return _outcome(rule, truth, (mass_line(sent, found, allowed, truth),), used, ())


def _outcome(
    rule: Rule, truth: Truth, lines: tuple[Line, ...], used: Mapping[str, InputValue], missing: tuple[str, ...]
) -> Outcome:
    verdict = _VERDICTS[truth]
    against = [line.text for line in lines if line.truth == ("false" if verdict == "violated" else verdict)]
    if verdict == "pending":
        return Outcome(verdict, None, lines, used, missing, f"Still to be measured: {', '.join(missing)}.")
    if verdict == "failed":
        return Outcome(
            verdict, None, lines, used, missing, "; ".join(line.text for line in lines if line.truth == "failed")
        )
    action = rule.otherwise.action if verdict == "violated" else None
    return Outcome(verdict, action, lines, used, missing, "; ".join(against))
