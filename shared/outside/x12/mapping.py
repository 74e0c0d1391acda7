"""A message's mapping: which segment carries what, in which order, as a data file (docs/outside.md explains each field).

A node is a segment (`segment`, `elements`, `optional`) or a loop (`each` names a list, `node` its segments). An element is
a `const`, a `field` of what is told with the form it is written in (`as`), a running `count`, or is left out (`skip`).
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from shared.errors import NotFound
from shared.outside.x12.values import TEXT_MAX

FOLDER = Path(__file__).parent
Form = Literal["text", "whole", "kg", "mm", "percent", "date", "time"]


class Element(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One element of a segment; exactly one of const, field, count, skip. means: for people, stands in the documentation."""

    means: str = ""
    const: str | None = None
    field: str = ""
    form: Form = msgspec.field(default="text", name="as")
    count: str = ""
    skip: bool = False
    most: int = TEXT_MAX
    """Characters that are read of it; more break the message."""


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment, or a loop over a list."""

    segment: str = ""
    elements: tuple[Element, ...] = ()
    optional: bool = False
    each: str = ""
    node: tuple[Node, ...] = ()


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message: its number, the code of its functional group, which way it goes, and its segments."""

    message: str
    title: str
    group: str
    way: Literal["out", "in"]
    about: str
    node: tuple[Node, ...]


@lru_cache
def load_mapping(message: str, way: str) -> Mapping:
    """The mapping of a message, such as 856 out; NotFound names those that are there."""
    file = FOLDER / f"{message}-{way}.toml"
    if not message.isalnum() or not file.is_file():
        known = ", ".join(name for name in mappings() if name.endswith(way))
        raise NotFound("x12.no_mapping", f"There is no message {message} {way}.", todo=f"Use one of: {known}.")
    return msgspec.convert(tomllib.loads(file.read_text()), Mapping)


def mappings() -> list[str]:
    """Names of all mapping files, such as 856-out."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def rows_of(mapping: Mapping) -> list[tuple[str, str, str, str]]:
    """Element by element: (place, field or constant, form, meaning), for the documentation."""
    return list(_rows(mapping.node, ""))


def _rows(nodes: tuple[Node, ...], loop: str) -> Any:
    for node in nodes:
        if node.each:
            yield from _rows(node.node, f"{loop}{node.each}/")
            continue
        for at, element in enumerate(node.elements, start=1):
            if not element.skip:
                yield f"{loop}{node.segment}{at:02d}", _source(element), element.form, element.means


def _source(element: Element) -> str:
    if element.const is not None:
        return f"`{element.const}`" if element.const else "empty"
    return element.field or f"number {element.count}"
