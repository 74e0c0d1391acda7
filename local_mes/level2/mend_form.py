"""A message's fields as a form of single values, and back: paths such as `slabs[2].width_mm` name them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_mes.level2.errors import still_wrong
from local_mes.level2.telegrams.layout import Field, Layout


@dataclass(frozen=True)
class Leaf:
    """One value of the form. at_fault marks the field the message went to repair for."""

    path: str
    value: Any
    unit: str = ""
    description: str = ""
    allowed: str = ""
    at_fault: bool = False

    @property
    def is_number(self) -> bool:
        """Whether a number belongs here."""
        return isinstance(self.value, int | float) and not isinstance(self.value, bool)


def leaves(fields: Any, layout: Layout | None, fault: str) -> list[Leaf]:
    """All single values in the order they were sent."""
    return [_leaf(path, value, layout, fault) for path, value in _walk(fields, "")]


def read_form(form: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with what the form says in place of each single value; a field the form lacks stays."""
    mended: dict[str, Any] = copy.deepcopy(dict(fields))
    for path, value in _walk(fields, ""):
        text = form.get(f"field-{path}")
        if text is not None:
            _put(mended, path, _convert(path, text.strip(), value))
    return mended


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _walk(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _walk(inner, f"{path}[{i}]")
    else:
        yield path, value


def _leaf(path: str, value: Any, layout: Layout | None, fault: str) -> Leaf:
    f = _find_field(layout, path)
    if f is None:
        return Leaf(path, value, at_fault=path == fault)
    if f.values:
        allowed = ", ".join(str(v) or "empty" for v in f.values)
    else:
        allowed = f"{f.low:,} to {f.high:,}" if f.low is not None and f.high is not None else ""
    return Leaf(path, value, f.unit, f.description, allowed, at_fault=path == fault)


def _find_field(layout: Layout | None, path: str) -> Field | None:
    fields = layout.fields if layout else ()
    found: Field | None = None
    for name in path.split("."):
        found = next((f for f in fields if f.name == name.partition("[")[0]), None)
        fields = found.fields if found else ()
    return found


def _put(fields: Any, path: str, value: Any) -> None:
    steps: list[str | int] = []
    for part in path.split("."):
        name, *indices = part.replace("]", "").split("[")
        steps += [name, *(int(i) for i in indices)]
    for step in steps[:-1]:
        fields = fields[step]
    fields[steps[-1]] = value


def _convert(path: str, text: str, before: Any) -> Any:
    """The text as the kind of value that was there: a number stays a number, nothing may become either."""
    if isinstance(before, bool):
        return text.lower() in ("true", "yes", "1")
    if isinstance(before, str):
        return text
    if text == "":
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        if before is None:
            return text
        raise still_wrong(f"{path}: {text!r} is no number.") from None
    return number
