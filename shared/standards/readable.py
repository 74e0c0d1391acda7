"""A document as people read it: a few sentences and tables in the field's units, the same at hub and plant. Pure."""

from __future__ import annotations

from shared.rules.document import Consequence, Expression, Limits, PairTolerance, Rule, Tolerance
from shared.rules.explain import number
from shared.rules.vocabulary import variables_of
from shared.standards.documents import AnyStandard, GroupRule, Kpi, Parameter, QualityRule, Routing, RuleCase, Workflow
from shared.standards.readable_group import group_sections
from shared.standards.readable_kinds import describe
from shared.standards.readable_kpi import kpi_sections
from shared.standards.section import Section

__all__ = ["Section", "sections"]

HOLDS = {"at_once": "at once", "next_step": "with the next step of work", "next_heat": "with the next heat"}
EVENTS = {
    "sample_final": "the final ladle analysis arrives",
    "slab_cut": "a slab is cut",
    "mark": "the caster reports an event",
    "coil_done": "a coil is coiled",
    "coating": "coating spots are measured",
    "receipt": "a piece is received",
}
ACTIONS = {"hold": "the piece is held", "mark": "the place is marked", "case": "a case is opened"}


def sections(document: AnyStandard) -> list[Section]:
    """Everything a document says, in reading order."""
    found = [_frame(document)]
    if isinstance(document, QualityRule):
        found += [*_rule(document.rule), *_cases(document.cases)]
    elif isinstance(document, Routing):
        found.append(_steps(document))
    elif isinstance(document, Kpi):
        found += kpi_sections(document)
    elif isinstance(document, GroupRule):
        found += group_sections(document)
    elif isinstance(document, Workflow):
        found.append(_workflow(document))
    else:
        found += describe(document)
    return [*found, _parameters(document.parameters)] if document.parameters else found


def _frame(document: AnyStandard) -> Section:
    plants = ", ".join(document.scope.plants) or "all plants"
    grades = f", grade {', '.join(document.scope.grades)}" if document.scope.grades else ""
    needs = f"Needs equipment of class {', '.join(document.needs)}." if document.needs else ""
    lines = (
        document.purpose,
        f"For {plants}{grades}. Takes hold {HOLDS[document.takes_hold]}. Owner: {document.owner}.",
        needs,
        f"Depends on {', '.join(document.depends)}." if document.depends else "",
    )
    return Section("What it is for", tuple(line for line in lines if line))


def _rule(rule: Rule) -> list[Section]:
    asked = f"Asked when {' and when '.join(EVENTS[event] for event in rule.when)}."
    if isinstance(rule.check, Limits):
        rows = tuple(
            (
                table.grade,
                limit.element,
                _percent(limit.min_e6),
                _percent(limit.max_e6),
                "" if limit.required else "if measured",
            )
            for table in rule.check.grades
            for limit in table.limits
        )
        check = Section("What must be true", (asked,), ("Grade", "Element", "From %", "To %", "Note"), rows)
    elif isinstance(rule.check, Tolerance):
        check = Section(
            "What must be true",
            (asked,),
            ("Lane", "Sender's mass", "Receiver's mass", "Within"),
            _tolerances(rule.check),
        )
    else:
        check = _expression(rule, rule.check, asked)
    return [check, Section("Otherwise", _otherwise(rule.otherwise))]


def _cases(cases: tuple[RuleCase, ...]) -> list[Section]:
    rows = tuple(
        (c.name, ", ".join(f"{name} = {value}" for name, value in c.inputs.items()), c.outcome.replace("_", " "))
        for c in cases
    )
    said = "They are run whenever the draft is saved; inputs are in stored units."
    return [Section("Cases", (said,), ("Case", "Inputs", "Must come out"), rows)] if cases else []


def _expression(rule: Rule, check: Expression, asked: str) -> Section:
    meaning = variables_of(rule.when[0])
    rows = tuple(
        (used.name, used.unit, meaning[used.name].meaning if used.name in meaning else "") for used in check.variables
    )
    applies = (f"Only where {check.applies}.",) if check.applies else ()
    return Section("What must be true", (asked, *applies, check.condition), ("Name", "Unit", "Meaning"), rows)


def _otherwise(then: Consequence) -> tuple[str, ...]:
    lines = [f"Otherwise {ACTIONS[then.action]}.", then.note]
    if then.share_threshold_ppm:
        lines.append(
            f"A heat's hold reaches slabs with a share of {number(then.share_threshold_ppm / 10_000)} % and more."
        )
    lines += [f"Workflow {then.workflow}."] if then.workflow else []
    lines += [f"May still serve {', '.join(then.serves)}."] if then.serves else []
    lines += [f"Never for orders of {', '.join(then.never_for)}."] if then.never_for else []
    return tuple(line for line in lines if line)


def _tolerances(check: Tolerance) -> tuple[tuple[str, ...], ...]:
    listed = [(lane, pair) for lane, pairs in check.lanes.items() for pair in pairs]
    listed += [("every", pair) for pair in check.pairs]
    return tuple((lane, pair.sender_basis, pair.receiver_basis, _within(pair)) for lane, pair in listed)


def _within(pair: PairTolerance) -> str:
    least = f", at least {number(pair.at_least_g / 1000)} kg" if pair.at_least_g else ""
    return f"{number(pair.tolerance_ppm / 10_000)} %{least}"


def _steps(document: Routing) -> Section:
    rows = tuple(
        (str(step.number), step.name, ", ".join(step.classes), step.result, step.loss, ", ".join(step.collect))
        for step in document.steps
    )
    return Section(
        "Steps", (f"Product: {document.product}.",), ("Step", "What", "Class", "Result", "Loss", "Collect"), rows
    )


def _workflow(document: Workflow) -> Section:
    rows = tuple((action.role, action.text, str(action.within_min)) for action in document.actions)
    return Section("What to do", (f"Begins when {document.trigger} is broken.",), ("Who", "What", "Within min"), rows)


def _parameters(parameters: tuple[Parameter, ...]) -> Section:
    rows = tuple((p.of, p.name, str(p.default), p.unit, p.range_text(), p.meaning) for p in parameters)
    return Section("What a plant may choose", (), ("Class", "Parameter", "Default", "Unit", "Allowed", "Meaning"), rows)


def _percent(e6: int | None) -> str:
    return "" if e6 is None else number(e6 / 10_000)
