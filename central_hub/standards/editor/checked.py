"""What is wrong with a document as it stands, at which field, and what its cases come out as: asked as one types. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from central_hub.standards.editor.shape import Node, shape_of
from central_hub.standards.editor.typed import repeated
from shared.standards.check import case_outcomes, placed_faults
from shared.standards.documents import AnyStandard, parse_document

FAULTS_MAX = 100
"""Faults told at once: nobody mends more at a time."""
SAID = {
    "missing": "is missing",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "too_short": "at least one is needed",
    "literal_error": "is none of what is offered",
    "bool_type": "is neither yes nor no",
    "bool_parsing": "is neither yes nor no",
    "string_type": "is missing",
}


@dataclass(frozen=True)
class Placed:
    """A fault: the field's path, the field in words ("Steps 2 › Classes"), and what is wrong."""

    path: str
    where: str
    text: str


@dataclass(frozen=True)
class CaseRun:
    """A case of a rule as it was run: what must come out, what does, and why."""

    name: str
    wanted: str
    found: str
    why: str

    @property
    def passes(self) -> bool:
        """Whether it comes out as it must."""
        return self.wanted == self.found


@dataclass(frozen=True)
class Checked:
    """A document as understood (None while its fields are not in order), its faults and the cases that were run."""

    document: AnyStandard | None
    faults: Sequence[Placed] = ()
    cases: Sequence[CaseRun] = ()

    @property
    def by_path(self) -> dict[str, str]:
        """Path -> what is wrong there."""
        found: dict[str, str] = {}
        for fault in self.faults:
            found[fault.path] = f"{found[fault.path]}; {fault.text}" if fault.path in found else fault.text
        return found


def check(model: type[BaseModel], values: Mapping[str, Any]) -> Checked:
    """Everything that is wrong with a document's values."""
    node = shape_of(model)
    if twice := repeated(values):
        return Checked(None, [Placed(path, _words(node, path), "this name stands there twice") for path in twice])
    try:
        model.model_validate(values)
    except ValidationError as error:
        return Checked(None, [_placed(node, fault, values) for fault in error.errors()[:FAULTS_MAX]])
    document = parse_document(dict(values))
    faults = [Placed(f.path, _words(node, f.path), f.text) for f in placed_faults(document)[:FAULTS_MAX]]
    cases = [
        CaseRun(
            case.name, case.outcome, found.outcome, found.reason or "; ".join(line.text for line in found.explanation)
        )
        for case, found in case_outcomes(document)
    ]
    return Checked(document, faults, cases)


def _placed(node: Node, fault: ErrorDetails, values: Any) -> Placed:
    path = ".".join(_path(node, fault["loc"], values))
    text = SAID.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    if fault["type"].startswith("string_") and fault["input"] == "":
        text = "is missing"
    elif fault["type"] == "string_pattern_mismatch":
        text = f"{fault['input']!r} is not written as such a name is"
    return Placed(path, _words(node, path), text)


def _path(node: Node, loc: Sequence[int | str], values: Any) -> list[str]:
    """The controls' path of a place in the document: without the tags of shapes, and with the numbers of a map's rows."""
    if not loc:
        return []
    first, rest = loc[0], loc[1:]
    if node.widget == "variant":
        tag = values.get(node.tag_name) if node.tag_name and isinstance(values, dict) else "given"
        return _path(node.variant(tag), rest if node.tag_name and first == str(tag) else loc, values)
    if node.widget == "group":
        field = node.field(str(first))
        inner = values.get(str(first)) if isinstance(values, Mapping) else None
        return [str(first), *(_path(field, rest, inner) if field else [])]
    if node.widget == "map" and isinstance(values, Mapping):
        row = next((n for n, key in enumerate(values) if key == first), 0)
        return [str(row), "value", *(_path(node.item, rest, values.get(str(first))) if node.item else [])]
    inner = values[first] if isinstance(values, list) and isinstance(first, int) and first < len(values) else None
    if node.widget == "grid":
        return [str(part) for part in loc]
    return [str(first), *(_path(node.item, rest, inner) if node.item else [])] if not node.is_scalar else []


def _words(node: Node, path: str) -> str:
    """A path in the form's own labels."""
    words: list[str] = []
    at: Node | None = node
    for part in path.split(".") if path else ():
        if part.isdigit():
            words[-1:] = [f"{words[-1]} {int(part) + 1}"] if words else []
            at = at.item if at is not None and at.widget in ("list", "table") else at
            continue
        at = _inner(at, part)
        words += [at.label] if at is not None and at.label else []
    return " › ".join(words)


def _inner(node: Node | None, part: str) -> Node | None:
    if node is None:
        return None
    if node.widget == "map":
        return node.item if part == "value" else None
    if node.widget == "variant":
        return next((field for _, group in node.variants if (field := group.field(part))), None)
    return node.field(part)
