"""The plant's signals: one name for each thing the floor tells, whatever message, node, topic or register it comes by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from local_mes.level2.links import Link
from local_mes.level2.mapping.files import LookupLine, SignalLine, bad_mapping
from local_mes.level2.operations import BadMessage
from local_mes.model.domain import PlantModel
from shared.rules.measures import Measure, UnitError, measure
from shared.rules.port import TEXT_CHARS_MAX, InputValue, ValueType

ANY_UNIT = "*"
_CODE = re.compile(r"^[A-Z0-9][A-Za-z0-9-]{0,31}$")
_SIGNAL = re.compile(r"^[a-z][a-z0-9_]{0,63}$")
_WORDS: Mapping[str, bool] = {"true": True, "y": True, "1": True, "false": False, "n": False, "0": False}


@dataclass(frozen=True)
class Signal:
    """One signal. name is area/line/unit/signal; variable its last part, as expressions call it.

    sources  (message, field) of the link that tell it; in_rows the list it is in a row of, "" for none
    """

    name: str
    link: str
    sources: tuple[tuple[str, str], ...]
    type: ValueType
    measure: Measure
    low: float | None = None
    high: float | None = None
    default: InputValue | None = None
    lookup: str = ""
    table: LookupLine | None = None
    description: str = ""
    in_rows: str = ""

    @property
    def variable(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def unit(self) -> str:
        """The unit in the name; `*` where the message says it."""
        return self.name.split("/")[2]

    def find_field(self, message: str) -> str | None:
        """The field of this message that tells the signal, or None."""
        return next((field for told, field in self.sources if is_of(told, message)), None)

    def read(self, raw: Any, field: str) -> InputValue | None:
        """What is told as a value of the signal's type; None for nothing. BadMessage where it is not what it should be."""
        if raw is None or raw == "":
            raw = self.default
        elif self.table is not None:
            raw = self._looked_up(raw, field)
        if raw is None:
            return None if self.type != "text" else ""
        value = _typed(raw, self.type)
        if value is None:
            raise BadMessage(f"{self.name} is {raw!r}, which is no {self.type}", field)
        self._check(value, field)
        return value

    def _looked_up(self, raw: Any, field: str) -> InputValue | None:
        assert self.table is not None
        found = self.table.values.get(str(raw).strip(), self.table.otherwise)
        if found is None:
            raise BadMessage(f"{self.name} is {raw!r}, which the lookup {self.lookup!r} does not know", field)
        return found

    def _check(self, value: InputValue, field: str) -> None:
        if isinstance(value, str):
            if len(value) > TEXT_CHARS_MAX:
                raise BadMessage(f"{self.name} is longer than {TEXT_CHARS_MAX} characters", field)
            return
        unit = f" {self.measure.name}" if self.measure.name else ""
        if self.low is not None and value < self.low:
            raise BadMessage(f"{self.name} is {value}{unit}, below {self.low:g}{unit}", field)
        if self.high is not None and value > self.high:
            raise BadMessage(f"{self.name} is {value}{unit}, above {self.high:g}{unit}", field)


@dataclass(frozen=True)
class Namespace:
    """Every signal by its name; more than one link may tell the same."""

    by_name: Mapping[str, tuple[Signal, ...]]

    def find(self, name: str, link: str) -> Signal | None:
        """The signal as this link tells it."""
        return next((one for one in self.by_name.get(name, ()) if one.link == link), None)

    def find_elsewhere(self, name: str, link: str) -> Signal | None:
        """The signal as another link tells it, in the model's order; as this one where no other does."""
        told = self.by_name.get(name, ())
        return next((one for one in told if one.link != link), None) or self.find(name, link)


def is_of(told: str, message: str) -> bool:
    """Whether a message's name is the one told: itself, or `*.Tap` for the Tap of any unit."""
    return told == message or (told.startswith("*.") and told[2:] == message.rpartition(".")[2] and "." in message)


def make_signal(
    line: SignalLine, link: Link, model: PlantModel, lookups: Mapping[str, LookupLine], file: str
) -> Signal:
    """A signal of a file's line; BadSetup says what is wrong with it."""
    sources = tuple(_sources(line, link))
    why = _name_fault(line.name, model) or _source_fault(line, sources) or _value_fault(line, lookups)
    if why:
        raise bad_mapping(file, f"signal {line.name!r}: {why}")
    default = _typed(line.default, line.type) if line.default is not None else None
    rows = {field.partition("[]")[0] for _, field in sources if "[]." in field}
    return Signal(
        line.name,
        link.code,
        sources,
        line.type,
        measure(line.unit),
        line.min,
        line.max,
        default,
        line.lookup,
        lookups.get(line.lookup),
        line.description,
        rows.pop() if rows else "",
    )


def _source_fault(line: SignalLine, sources: tuple[tuple[str, str], ...]) -> str:
    if not sources:
        return "say its `message`, or the `node`, `topic` or `register` that the link's settings watch"
    if (line.name.split("/")[2] == ANY_UNIT) != all(message.startswith("*.") for message, _ in sources):
        return "the unit is * where, and only where, the message is that of any unit (`*.Tap`)"
    return ""


def _name_fault(name: str, model: PlantModel) -> str:
    parts = name.split("/")
    if len(parts) != 4:
        return "a name is area/line/unit/signal"
    area, line, unit, signal = parts
    if not _CODE.match(line):
        return f"{line!r} is no code of a line"
    if not _SIGNAL.match(signal):
        return f"the signal {signal!r} must be small letters, digits and underscores, beginning with a letter"
    if area not in {one.code for one in model.area}:
        return f"the plant model has no area {area!r}"
    if unit == ANY_UNIT:
        return ""
    found = next((one for one in model.unit if one.code == unit), None)
    if found is None:
        return f"the plant model has no unit {unit!r}"
    return "" if found.area == area else f"the unit {unit} lies in area {found.area}, not in {area}"


def _value_fault(line: SignalLine, lookups: Mapping[str, LookupLine]) -> str:
    table = lookups.get(line.lookup)
    if line.lookup and table is None:
        return f"there is no [lookup.{line.lookup}]"
    try:
        measure(line.unit)
    except UnitError as error:
        return str(error)
    if line.type != "number" and (line.unit or line.min is not None or line.max is not None):
        return f"a {line.type} has no unit, min or max"
    if line.default is not None and _typed(line.default, line.type) is None:
        return f"its default {line.default!r} is no {line.type}"
    given = (*table.values.values(), *((table.otherwise,) if table.otherwise is not None else ())) if table else ()
    wrong = [value for value in given if _typed(value, line.type) is None]
    return f"the lookup {line.lookup!r} gives {wrong[0]!r}, which is no {line.type}" if wrong else ""


def _typed(raw: Any, kind: ValueType) -> InputValue | None:
    """The value as the type, None where it is not of it. Text that is a number counts as one: files tell all as text."""
    if kind == "text":
        return _text(raw)
    if kind == "flag":
        return raw if isinstance(raw, bool) else _WORDS.get(str(raw).strip().lower())
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        number = float(raw.replace(",", ".")) if isinstance(raw, str) else raw
    except ValueError:
        return None
    if number != number or number in (float("inf"), float("-inf")):  # no measurement
        return None
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _text(raw: Any) -> str | None:
    """A number that names something is a text: 161843, and so is 161843.0 of a peer that knows no other numbers."""
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return raw.strip() if isinstance(raw, str) else None if isinstance(raw, (bool, list, dict)) else str(raw)


def exact(value: InputValue) -> Fraction:
    """A number as it was written, not as a double holds it."""
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def _sources(line: SignalLine, link: Link) -> Iterator[tuple[str, str]]:
    """Message and field, as written or as the link's settings say for a node, a topic or a register."""
    field = line.field or line.name.rpartition("/")[2]
    yield from ((message, field) for message in (line.message, *line.messages) if message)
    watched, topics, messages = (_tables(link.settings.get(key)) for key in ("signals", "topics", "messages"))
    for one in watched if line.node else ():
        yield from ((str(one.get("message")), told) for told in _fields_of(one, line.node))
    for one in topics if line.topic else ():
        if one.get("filter") == line.topic and "{" not in str(one.get("message")):
            yield str(one.get("message")), line.field or "value"
    for name in [str(one.get("name")) for one in watched if line.register and one.get("source") == line.register]:
        telling = [one for one in messages if name in (one.get("trigger"), *one.get("fields", ()))]
        yield from ((str(one.get("message")), name) for one in telling)


def _tables(found: Any) -> list[Mapping[str, Any]]:
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _fields_of(watched: Mapping[str, Any], node: str) -> Iterator[str]:
    """The fields of a data node's message that carry a node: its own value, or one read beside it."""
    if watched.get("node") == node:
        yield "value"
    yield from (str(name) for name, beside in (watched.get("fields") or {}).items() if beside == node)
