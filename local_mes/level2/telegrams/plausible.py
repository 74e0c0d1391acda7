"""What is plausible: limits, allowed values and needed fields of the layout, each miss with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def check(layout: Layout, values: Mapping[str, Any]) -> list[Implausible]:
    """All fields outside what the layout allows; empty when the message may be interpreted."""
    return list(_check_fields(layout.fields, values, ""))


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
