"""Entries made ready: names resolved, expressions compiled, types and units checked against what the operation takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_mes.level2.mapping.files import EachLine, EntryLine, UseLine
from local_mes.level2.mapping.inputs import Input
from local_mes.level2.mapping.signals import ANY_UNIT, Namespace, Signal, is_of
from shared.rules.cel import CelEngine
from shared.rules.condition import Condition, compile_condition
from shared.rules.measures import ONE, Measure, UnitError, measure
from shared.rules.port import Compiled, SourceError
from shared.rules.tokens import names
from shared.rules.unit_check import Anything, unit_of

ResultType = Mapping[str, str]
_FITS = {"text": ("text",), "whole": ("number",), "number": ("number",), "flag": ("flag",)}
ENGINE = CelEngine(calculates=True)
OPEN = "open"
"""Kind of a field that an operation without a description takes: whatever the expression gives."""


class EntryFault(Exception):
    """What is wrong with an entry, without its name."""


@dataclass(frozen=True)
class Variable:
    """A name in an entry's expressions.

    use   how another message that tells it is found, None for this message's own
    same  signal of that message, and the name here whose value it must have
    """

    name: str
    signal: Signal
    use: UseLine | None = None
    same: tuple[tuple[Signal, str], ...] = ()


@dataclass(frozen=True)
class Output:
    """One field of the operation: its expression, ready; plain where it is a signal's name and nothing more."""

    takes: Input
    source: str
    expression: Compiled
    measure: Measure
    uses: tuple[str, ...]

    @property
    def plain(self) -> str:
        """The variable that is handed on as it is, "" where something is computed."""
        return self.source.strip() if self.uses == (self.source.strip(),) else ""


@dataclass(frozen=True)
class Rows:
    """Rows of an operation: out of each row of the message's list, or one a template."""

    name: str
    each: str
    templates: tuple[tuple[Output, ...], ...]
    when: Condition | None = None
    when_uses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One entry, ready to be asked."""

    name: str
    message: str
    operation: str
    unit: str
    keep: bool
    when_source: str
    when: Condition | None
    when_uses: tuple[str, ...]
    variables: Mapping[str, Variable]
    outputs: tuple[Output, ...]
    rows: tuple[Rows, ...]
    after: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    """Unit of each variable as written, for explanations."""


def make_entry(
    line: EntryLine,
    link: str,
    own: Sequence[Signal],
    namespace: Namespace,
    units: frozenset[str],
    inputs: tuple[Input, ...] | None,
) -> Entry:
    """An entry, checked.

    own: the signals of its link; namespace: those of all; units: codes of the plant; inputs: what its operation takes.
    """
    variables = _variables(line, link, [one for one in own if one.find_field(line.message) is not None], namespace)
    when = _condition(line.when, variables, "when", "") if line.when else None
    outputs = tuple(_output(name, source, variables, _taken(name, inputs), "") for name, source in line.fields.items())
    rows = tuple(_rows(name, of, variables, _taken(name, inputs)) for name, of in line.rows.items())
    _complete(line, inputs)
    strangers = [name for name in line.after if name not in variables or variables[name].use is None]
    if strangers:
        raise EntryFault(f"after: {strangers[0]} is not described in `use` as told by another message")
    return Entry(
        line.name,
        line.message,
        line.operation,
        _unit(line, variables, units),
        line.keep,
        line.when,
        when,
        _used(line.when, variables),
        variables,
        outputs,
        rows,
        line.after,
        {name: one.signal.measure.name for name, one in variables.items()},
    )


def _variables(line: EntryLine, link: str, own: list[Signal], namespace: Namespace) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for signal in own:
        if signal.variable in found:
            first = found[signal.variable].signal.name
            raise EntryFault(f"{first} and {signal.name} are both called {signal.variable}; name one in `use`")
        found[signal.variable] = Variable(signal.variable, signal)
    for name, said in line.use.items():
        if isinstance(said, UseLine):
            found[name] = _told_elsewhere(name, said, link, found, namespace)
            continue
        told = next((one for one in own if one.name == said), None)
        if told is None:
            raise EntryFault(f"use.{name}: {line.message} does not tell {said}; say signal, within_s and same")
        found[name] = Variable(name, told)
    return found


def _told_elsewhere(
    name: str, use: UseLine, link: str, known: Mapping[str, Variable], namespace: Namespace
) -> Variable:
    signal = namespace.find_elsewhere(use.signal, link)
    if signal is None:
        raise EntryFault(f"use.{name}: there is no signal {use.signal!r}")
    if signal.in_rows:
        raise EntryFault(f"use.{name}: {signal.name} stands in rows of its message and has no one value")
    same: list[tuple[Signal, str]] = []
    for theirs, mine in use.same.items():
        other = namespace.find(theirs, signal.link)
        if other is None:
            raise EntryFault(f"use.{name}: {theirs!r} is no signal of {signal.link}, which tells {signal.name}")
        if not any(other.find_field(message) is not None for message, _ in signal.sources):
            raise EntryFault(f"use.{name}: no message tells both {signal.name} and {theirs}")
        if mine not in known or known[mine].use is not None:
            raise EntryFault(f"use.{name}: this message tells no {mine}")
        if known[mine].signal.type != other.type:
            raise EntryFault(f"use.{name}: {theirs} is a {other.type}, {mine} a {known[mine].signal.type}")
        same.append((other, mine))
    return Variable(name, signal, use, tuple(same))


def _taken(name: str, inputs: tuple[Input, ...] | None) -> Input:
    if inputs is None:
        return Input(name, OPEN)  # type: ignore[arg-type]
    found = next((one for one in inputs if one.name == name), None)
    if found is None:
        raise EntryFault(f"fields.{name}: the operation takes no {name}; it takes {', '.join(i.name for i in inputs)}")
    return found


def _complete(line: EntryLine, inputs: tuple[Input, ...] | None) -> None:
    if inputs is None or line.keep:
        return
    missing = [one.name for one in inputs if not one.optional and one.name not in (*line.fields, *line.rows)]
    if missing:
        raise EntryFault(f"the operation {line.operation} needs {', '.join(missing)}")


def _rows(name: str, of: EachLine | list[dict[str, str]], variables: Mapping[str, Variable], takes: Input) -> Rows:
    if takes.kind not in ("rows", OPEN):
        raise EntryFault(f"rows.{name}: {name} is a single value, not rows")
    templates = [of.fields] if isinstance(of, EachLine) else of
    each = of.each if isinstance(of, EachLine) else ""
    made = []
    for template in templates:
        inner = takes.rows if takes.kind == "rows" else None
        outputs = tuple(_output(n, s, variables, _taken(n, inner), each) for n, s in template.items())
        absent = [one.name for one in inner or () if not one.optional and one.name not in template]
        if absent:
            raise EntryFault(f"rows.{name}: a row needs {', '.join(absent)}")
        made.append(outputs)
    when = of.when if isinstance(of, EachLine) else ""
    compiled = _condition(when, variables, f"rows.{name}.when", each) if when else None
    return Rows(name, each, tuple(made), compiled, _used(when, variables))


def _output(name: str, source: str, variables: Mapping[str, Variable], takes: Input, each: str) -> Output:
    where = f"fields.{name}"
    _check_rows(where, source, variables, each)
    try:
        expression = ENGINE.compile(source, _types(source, variables))
    except SourceError as error:
        raise EntryFault(f"{where}: {error}") from error
    if takes.kind == "rows":
        raise EntryFault(f"{where}: {name} is a list; describe it under rows.{name}")
    if takes.kind != OPEN and expression.result_type not in _FITS[takes.kind]:
        wanted = "number" if takes.kind == "whole" else takes.kind
        raise EntryFault(f"{where}: the operation takes a {wanted}, the expression gives a {expression.result_type}")
    return Output(takes, source, expression, _measured(where, source, variables, takes), _used(source, variables))


def _measured(where: str, source: str, variables: Mapping[str, Variable], takes: Input) -> Measure:
    """The unit that the expression's figure has; a mere literal has that of the field."""
    try:
        found = unit_of(source, _measures(variables))
    except UnitError as error:
        raise EntryFault(f"{where}: {error}") from error
    if takes.kind not in ("whole", "number"):
        return ONE
    wanted = measure(takes.unit)
    if isinstance(found, Anything):
        return wanted
    if not found.fits(wanted):
        raise EntryFault(
            f"{where}: the operation takes {wanted.name or 'a number without unit'}, "
            f"the expression gives {found.name or 'one without unit'}"
        )
    return found


def _condition(source: str, variables: Mapping[str, Variable], where: str, each: str) -> Condition:
    _check_rows(where, source, variables, each)
    try:
        unit_of(source, _measures(variables))
        return compile_condition(ENGINE, source, _types(source, variables))
    except (SourceError, UnitError) as error:
        raise EntryFault(f"{where}: {error}") from error


def _check_rows(where: str, source: str, variables: Mapping[str, Variable], each: str) -> None:
    for name in _used(source, variables):
        rows = variables[name].signal.in_rows
        if rows and rows != each:
            raise EntryFault(f"{where}: {name} stands in the rows of {rows}; use it under rows with each = {rows!r}")


def _used(source: str, variables: Mapping[str, Variable]) -> tuple[str, ...]:
    return tuple(name for name in names(source) if name in variables)


def _types(source: str, variables: Mapping[str, Variable]) -> dict[str, Any]:
    return {name: variables[name].signal.type for name in _used(source, variables)}


def _measures(variables: Mapping[str, Variable]) -> dict[str, Measure]:
    return {name: one.signal.measure for name, one in variables.items() if one.signal.type == "number"}


def _unit(line: EntryLine, variables: Mapping[str, Variable], units: frozenset[str]) -> str:
    """The machine the operation is about: as said, else that of the signals where it is one; `*` the message says it."""
    if line.unit:
        if line.unit not in units:
            raise EntryFault(f"the plant model has no unit {line.unit!r}")
        return line.unit
    found = {one.signal.unit for one in variables.values() if one.use is None}
    return "" if len(found) != 1 or ANY_UNIT in found else found.pop()


def matches(entry: Entry, message: str) -> bool:
    """Whether the entry is about messages of this name."""
    return is_of(entry.message, message)
