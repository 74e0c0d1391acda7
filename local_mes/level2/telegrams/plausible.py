"""What is plausible: limits, allowed values and needed fields of the layout, each miss with its reason.

Nearly every value is in order, so each field has a quick question made once; only a value that fails it is looked at
in full, for the sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from local_mes.level2.telegrams.layout import Field, Layout


@dataclass(frozen=True)
class Implausible:
    """One field at fault: its path (`slabs[2].width_mm`) and the sentence for the person who mends it."""

    field: str
    reason: str


_KINDS: dict[str, tuple[Any, str]] = {
    "number": (int | float, "no number"),
    "text": (str, "no text"),
    "group": (list, "no list"),
}
_Question = Callable[[Any], bool]
_QUESTIONS: WeakKeyDictionary[Layout, list[tuple[str, _Question]]] = WeakKeyDictionary()


def check(layout: Layout, values: Mapping[str, Any]) -> list[Implausible]:
    """All fields outside what the layout allows; empty when the message may be interpreted."""
    questions = _QUESTIONS.get(layout)
    if questions is None:
        questions = _QUESTIONS[layout] = _questions(layout.fields)
    if all(surely(values.get(name)) for name, surely in questions):
        return []
    return list(_check_fields(layout.fields, values, ""))


def _questions(fields: Sequence[Field]) -> list[tuple[str, _Question]]:
    return [(f.name, _rows_question(f) if f.type == "group" else _question(f)) for f in fields]


def _question(f: Field) -> _Question:
    """Whether a value is surely in order. A no only means: look."""
    if f.type in _KINDS:
        return lambda _value: False  # an event's value may be of any kind
    if f.values:
        allowed = frozenset(f.values)
        return lambda value: type(value) in (int, str) and value in allowed and (value != "" or not f.required)
    low = float("-inf") if f.low is None else f.low
    high = float("inf") if f.high is None else f.high
    return lambda value: value != "" if type(value) is str else type(value) in (int, float) and low <= value <= high


def _rows_question(f: Field) -> _Question:
    if f.type in _KINDS and not (f.count or f.times):
        return lambda _value: False  # an event's list may be none
    inner = _questions(f.fields)
    return lambda rows: (
        type(rows) is list
        and all(type(row) is dict and all(surely(row.get(name)) for name, surely in inner) for row in rows)
    )


def _check_fields(fields: Sequence[Field], values: Mapping[str, Any], path: str) -> Iterator[Implausible]:
    for f in fields:
        where, value = f"{path}{f.name}", values.get(f.name)
        reason = _wrong_kind(f, value) or ("" if f.type == "group" else _reason(f, value))
        if reason:
            yield Implausible(where, f"{where} {reason}")
        elif f.type == "group":
            for i, row in enumerate(value or ()):
                yield from _check_fields(f.fields, row, f"{where}[{i}].")


def _wrong_kind(f: Field, value: Any) -> str:
    """Of events only: a telegram's decoder yields no other kinds than its layout says."""
    if f.type not in _KINDS:
        return ""
    if value is None:
        return "is empty" if f.type == "group" and not f.optional else ""
    kind, words = _KINDS[f.type]
    if not isinstance(value, kind) or isinstance(value, bool):
        return f"is {value!r}, which is {words}"
    if f.type == "group" and not (len(value) <= f.max_count and all(isinstance(row, Mapping) for row in value)):
        return f"is no list of at most {f.max_count} rows"
    return ""


def _reason(f: Field, value: Any) -> str:
    if value is None or value == "":
        return "is empty" if f.required or (value is None and not f.optional) else ""
    if f.values and value not in f.values:
        return f"is {value!r}, allowed: {', '.join(str(v) or 'empty' for v in f.values)}"
    unit = f" {f.unit}" if f.unit else ""
    if f.low is not None and isinstance(value, int | float) and value < f.low:
        return f"is {value}{unit}, below {f.low}{unit}"
    if f.high is not None and isinstance(value, int | float) and value > f.high:
        return f"is {value}{unit}, above {f.high}{unit}"
    return ""
