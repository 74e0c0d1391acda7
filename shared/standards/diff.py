"""What differs between two versions, field by field, in the document's own terms rather than lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from shared.standards.documents import AnyStandard

_NAMES = ("id", "name", "number", "grade", "element", "at", "sender_basis", "role")
"""Fields by which an element of a list is recognised, so that an inserted one does not shift all that follow."""


@dataclass(frozen=True)
class Change:
    """One field: its path with names instead of positions, what it said and what it says."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any


def differences(old: AnyStandard | None, new: AnyStandard) -> list[Change]:
    """All fields that differ, in the order of the new document; the version itself is not one of them."""
    before = old.model_dump(mode="json", exclude={"version"}) if old else {}
    return list(_walk("", before, new.model_dump(mode="json", exclude={"version"})))


def value_text(value: Any) -> str:
    """A changed value in words: parts of a document as "name value" pairs, nothing as a dash."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {value_text(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(value_text(inner) for inner in value)
    return str(value)


def _walk(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _walk_keys(path, before, after)
    elif isinstance(before, list) and isinstance(after, list) and (_named(before) or _named(after)):
        yield from _walk_keys(path, _by_name(before), _by_name(after))
    elif before != after:
        yield Change(path, "changed", before, after)


def _walk_keys(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for key in [*after, *(key for key in before if key not in after)]:
        inner = f"{path}.{key}" if path else key
        if key not in before:
            yield Change(inner, "added", None, after[key])
        elif key not in after:
            yield Change(inner, "removed", before[key], None)
        else:
            yield from _walk(inner, before[key], after[key])


def _named(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, dict) and _name(value) is not None for value in values)


def _by_name(values: list[Any]) -> dict[str, Any]:
    return {str(_name(value)): value for value in values}


def _name(value: dict[str, Any]) -> str | None:
    found = next((value[name] for name in _NAMES if name in value), None)
    return None if found is None else str(found)
