"""A message asked of a link's entries: the first that it meets says which operation, with which values.

Nothing here can stop a link: what cannot be decided or computed is BadMessage with the entry's name and the field at
fault, and goes to repair; what another message must tell first is NotYet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_mes.level2.mapping.entries import OPEN, Entry, Output, Rows, Variable
from local_mes.level2.mapping.load import LinkMapping
from local_mes.level2.mapping.signals import Signal, exact
from local_mes.level2.operations import BadMessage, Message, NotYet
from shared.rules.condition import Condition, Verdict
from shared.rules.explain import lines_of
from shared.rules.measures import convert, measure
from shared.rules.port import InputValue, Missing, Value

COUNTS_MAX = 1e15
"""Beyond it doubles skip whole numbers; what is measured ends long before."""
Same = tuple[Signal, InputValue]
"""A signal of another message, and the value it must have there."""


class Elsewhere(Protocol):
    """Finds what other messages told."""

    def find(self, message: Message, variable: Variable, same: Sequence[Same]) -> InputValue | None:
        """The value; None when no message has told it (yet)."""
        ...


@dataclass(frozen=True)
class Asked:
    """One entry's answer: whether it is meant, and why not."""

    entry: str
    is_meant: bool
    why: str = ""


@dataclass(frozen=True)
class Mapped:
    """What a message means. sources: the operation's field -> the message's field it came from."""

    entry: str
    file: str
    operation: str
    unit: str
    fields: dict[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()


def apply(mapping: LinkMapping, message: Message, elsewhere: Elsewhere) -> Mapped | None:
    """The operation and its values; None where no entry is about messages of this name, or none of them is meant.

    BadMessage: an entry cannot be decided or computed. NotYet: another message must come first.
    """
    asked: list[Asked] = []
    for entry in mapping.find_entries(message.name):
        with _named(entry, mapping):
            values = _Values(entry, message, elsewhere)
            verdict = entry.when.judge(values.of(entry.when_uses)) if entry.when else None
            if verdict is None or _is_true(verdict, entry, values):
                asked.append(Asked(entry.name, True))
                values.of(entry.after)  # NotYet while one of them is not told
                fields, sources = _fields(entry, values)
                unit = entry.unit or message.unit
                return Mapped(entry.name, mapping.file, entry.operation, unit, fields, sources, tuple(asked))
            asked.append(Asked(entry.name, False, _because(verdict, entry)))
    return None


def not_meant(mapping: LinkMapping, message: Message, elsewhere: Elsewhere) -> str:
    """Why no entry took a message, for the person who mends it; "" where none is about messages of this name."""
    entries = mapping.find_entries(message.name)
    whys = []
    for entry in entries:
        verdict = entry.when.judge(_Values(entry, message, elsewhere).of(entry.when_uses)) if entry.when else None
        whys.append(f"{entry.name!r} ({_because(verdict, entry) if verdict else 'always'})")
    return f"No entry of {mapping.file} is meant for this {message.name}: {'; '.join(whys)}." if entries else ""


@contextmanager
def _named(entry: Entry, mapping: LinkMapping) -> Iterator[None]:
    """Puts the entry's name before what went wrong in it."""
    words = f"Mapping {entry.name!r} ({mapping.file})"
    try:
        yield
    except BadMessage as error:
        raise BadMessage(f"{words}: {error}.", error.field) from error
    except NotYet as error:
        raise NotYet(f"{words}: {error}") from error


class _Values:
    """The values of an entry's variables, each read once, and only those that are asked for."""

    def __init__(self, entry: Entry, message: Message, elsewhere: Elsewhere) -> None:
        self._entry = entry
        self.message = message
        self._elsewhere = elsewhere
        self._known: dict[str, InputValue] = {}
        self.row: Mapping[str, Any] | None = None

    def of(self, names: tuple[str, ...]) -> dict[str, InputValue]:
        """The values that are told; a name whose value is not told is left out."""
        found = {name: self._value(self._entry.variables[name]) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def field_of(self, name: str) -> str:
        """The message's field that tells a variable, "" for one told elsewhere."""
        variable = self._entry.variables[name]
        return "" if variable.use else variable.signal.find_field(self.message.name) or ""

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        """The message's list."""
        found = at(self.message.fields, name)
        if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
            raise BadMessage(f"{name} is no list of rows", name)
        return found

    def _value(self, variable: Variable) -> InputValue | None:
        if variable.name in self._known:
            return self._known[variable.name]
        if variable.use is not None:
            value = self._told_elsewhere(variable)
        elif variable.signal.in_rows:
            return self._in_row(variable.signal)
        else:
            field_name = self.field_of(variable.name)
            value = variable.signal.read(at(self.message.fields, field_name), field_name)
        if value is not None:
            self._known[variable.name] = value
        return value

    def _in_row(self, signal: Signal) -> InputValue | None:
        field_name = (signal.find_field(self.message.name) or "").partition("[].")[2]
        return signal.read(at(self.row or {}, field_name), signal.in_rows)

    def _told_elsewhere(self, variable: Variable) -> InputValue | None:
        assert variable.use is not None
        wanted = tuple(mine for _, mine in variable.same)
        mine = self.of(wanted)
        missing = [name for name in wanted if mine.get(name, "") == ""]  # no name is nobody's name
        if missing:
            raise BadMessage(f"{missing[0]} is not told, by which {variable.name} is found", self.field_of(missing[0]))
        same = [(theirs, mine[name]) for theirs, name in variable.same]
        found = self._elsewhere.find(self.message, variable, same)
        goes_on = variable.signal.default is not None or (self.message.waited_out and not variable.use.needed)
        if found is None and not goes_on:
            of = ", ".join(str(value) for _, value in same)
            raise NotYet(f"{variable.signal.name}{' of ' + of if of else ''} was not told by {variable.signal.link}.")
        return variable.signal.default if found is None else found


def at(fields: Mapping[str, Any], path: str) -> Any:
    """A field by its path, `position.x`; None where there is none."""
    if path in fields:
        return fields[path]
    value: Any = fields
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _is_true(verdict: Verdict, entry: Entry, values: _Values) -> bool:
    if verdict.truth in ("missing", "failed"):
        missing = verdict.missing
        why = f"{missing[0]} is not told" if missing else next((one.why for one in verdict.findings if one.why), "")
        at_fault = values.field_of(missing[0]) if missing else ""
        raise BadMessage(f"when {entry.when_source!r} cannot be decided: {why}", at_fault)
    return verdict.truth == "true"


def _because(verdict: Verdict, entry: Entry) -> str:
    against = [one.text for one in lines_of(verdict.findings, entry.units) if one.truth == "false"]
    return "; ".join(against)


def _fields(entry: Entry, values: _Values) -> tuple[dict[str, Any], dict[str, str]]:
    fields: dict[str, Any] = dict(values.message.fields) if entry.keep else {}
    sources: dict[str, str] = {}
    for output in entry.outputs:
        fields |= _computed(output, values)
        sources[output.takes.name] = next(filter(None, (values.field_of(name) for name in output.uses)), "")
    for rows in entry.rows:
        fields[rows.name] = _rows(rows, values)
        sources[rows.name] = rows.each
    return fields, sources


def _rows(rows: Rows, values: _Values) -> list[dict[str, Any]]:
    """Each row of the message's list; or one a template, without those of which nothing was measured."""
    made = []
    if not rows.each:
        for template in rows.templates:
            told = [values.of(output.uses).keys() >= set(output.uses) for output in template]
            if all(told):
                made.append(_row(template, values))
        return made
    for number, row in enumerate(values.rows(rows.each)):
        values.row = row
        try:
            if rows.when is None or _row_is_meant(rows.when, rows.when_uses, values):
                made.append(_row(rows.templates[0], values))
        except BadMessage as error:
            raise BadMessage(f"row {number + 1} of {rows.each}: {error}", f"{rows.each}[{number}]") from error
        finally:
            values.row = None
    return made


def _row_is_meant(when: Condition, uses: tuple[str, ...], values: _Values) -> bool:
    truth = when.judge(values.of(uses)).truth
    if truth in ("missing", "failed"):
        raise BadMessage("when cannot be decided")
    return truth == "true"


def _row(template: tuple[Output, ...], values: _Values) -> dict[str, Any]:
    return {name: value for output in template for name, value in _computed(output, values).items()}


def _computed(output: Output, values: _Values) -> dict[str, Any]:
    """The field with its value in the operation's unit; nothing where it may be absent and was not told."""
    given = values.of(output.uses)
    name = output.takes.name
    if output.plain and output.plain in given:
        return {name: _in_unit(output, given[output.plain], values)}
    result = output.expression.evaluate(given)
    if isinstance(result, Value):
        value = round(result.value, 9) if isinstance(result.value, float) else result.value
        return {name: _in_unit(output, value, values)}
    if isinstance(result, Missing) or any(one not in given for one in output.uses):
        if output.takes.optional:
            return {}
        missing = next((one for one in output.uses if one not in given), "")
        raise BadMessage(f"{name} needs {missing}, which is not told", values.field_of(missing) if missing else "")
    at_fault = values.field_of(output.uses[0]) if output.uses else ""
    raise BadMessage(f"{name} cannot be computed: {result.why}", at_fault)


def _in_unit(output: Output, value: InputValue, values: _Values) -> Any:
    takes = output.takes
    if takes.kind == "text" and value == "" and not takes.optional:
        raise BadMessage(f"{takes.name} is empty", values.field_of(output.uses[0]) if output.uses else "")
    if isinstance(value, bool | str):
        return value
    if not abs(value) <= COUNTS_MAX:  # so that what is no number at all is refused too
        raise BadMessage(f"{takes.name} would be {value:g}", values.field_of(output.uses[0]) if output.uses else "")
    if takes.kind == OPEN:
        return int(value) if float(value).is_integer() else value
    found = convert(exact(value), output.measure, measure(takes.unit))
    if takes.kind == "number":
        return int(found) if found.denominator == 1 else float(found)
    if not takes.unit and found.denominator != 1:
        at_fault = values.field_of(output.uses[0]) if output.uses else ""
        raise BadMessage(f"{takes.name} is {float(found):g}; it counts, so it is a whole number", at_fault)
    return round(found)
