"""What was typed as a document's plain values, and back. Pure.

A control's name is the field's path ("rule.check.grades.0.limits.1.element"). What cannot be read as what the field
wants stays as it was typed: the check names the field, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from central_hub.standards.editor.shape import Node

Tree = dict[str, Any]
ROWS_MAX = 2_000
"""Rows of one list; a document that has more is brought as a file."""
AGAIN = " (again)"
"""After a name that stands twice in one map: both rows are kept, and the document is not in order."""
FIELDS_MAX = 4_000
"""Controls of one page: what a browser still draws at once. A larger document is written as YAML."""


def values_of(node: Node, typed: Mapping[str, list[str]]) -> dict[str, Any]:
    """The document's values of a form's fields: name -> what was typed there."""
    tree: Tree = {}
    for name, texts in typed.items():
        parts, at = name.split("."), tree
        for part in parts[:-1]:
            inner = at.setdefault(part, {})
            at = inner if isinstance(inner, dict) else {}
        at[parts[-1]] = texts
    found = _group(node, tree)
    return found


def shown(node: Node, value: Any) -> str:
    """A number, yes or no, or a text as it is typed: a text that would be read as something else stands in quotes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text if not isinstance(value, str) or _loose(node, text.strip()) == text else f'"{text}"'


def repeated(values: Any, path: str = "") -> list[str]:
    """Paths of the rows whose name stands twice in their map."""
    rows = list(
        values.items() if isinstance(values, Mapping) else enumerate(values) if isinstance(values, list) else ()
    )
    found = [f"{path}{n}.value" for n, (key, _) in enumerate(rows) if str(key).endswith(AGAIN)]
    return found + [inner for key, value in rows for inner in repeated(value, f"{path}{key}.")]


def count_of(value: Any) -> int:
    """How many controls a document's values take."""
    if isinstance(value, Mapping):
        return sum(1 + count_of(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return sum(map(count_of, value)) or 1
    return 1


def _group(node: Node, tree: Any) -> dict[str, Any]:
    tree = tree if isinstance(tree, dict) else {}
    found = {field.name: _value(field, tree.get(field.name)) for field in node.fields}
    asked = {field.name for field in node.fields if field.needed and field.nullable}
    return {name: value for name, value in found.items() if value is not None or name in asked}


def _value(node: Node, tree: Any) -> Any:
    if node.is_scalar:
        return _scalar(node, [text for text in tree if isinstance(text, str)] if isinstance(tree, list) else [])
    if node.widget == "variant":
        return _variant(node, tree)
    if node.widget == "group":
        return _group(node, tree)
    if node.widget == "map":
        return _map(node, tree)
    rows = _rows(tree)
    if node.widget == "grid":
        return [[_loose(node, _one(row.get(key))) for key in sorted(row, key=_number)] for row in rows]
    return [_value(node.item, row) for row in rows] if node.item else []


def _variant(node: Node, tree: Any) -> Any:
    tree = tree if isinstance(tree, dict) else {}
    tag = _one(tree.get("@"))
    if not node.tag_name:
        return _group(node.variant("given"), tree) if tag == "given" else None
    tag = tag if tag in dict(node.variants) else node.variants[0][0]
    return {node.tag_name: tag, **_group(node.variant(tag), tree)}


def _map(node: Node, tree: Any) -> dict[str, Any]:
    found = {}
    for row in _rows(tree):
        key = _one(row.get("key")).strip()
        while key.endswith(AGAIN):
            key = key.removesuffix(AGAIN)
        while key in found:
            key += AGAIN
        if key and node.item is not None:
            found[key] = _value(node.item, row.get("value"))
    return found


def _rows(tree: Any) -> list[Tree]:
    """The rows of a list by their numbers, however many were taken out between."""
    numbered: Iterable[tuple[str, Any]] = tree.items() if isinstance(tree, dict) else ()
    kept = sorted((int(key), row) for key, row in numbered if key.isdigit() and len(key) < 7 and isinstance(row, dict))
    return [row for _, row in kept][:ROWS_MAX]


def _scalar(node: Node, texts: list[str]) -> Any:
    if node.widget == "flag":
        return bool([text for text in texts if text])
    if node.widget == "several":
        return [text for text in texts if text]
    text = _one(texts).replace("\r\n", "\n").strip()
    if node.widget == "words":
        return [word for part in text.replace("\n", ",").split(",") if (word := part.strip())]
    if not text:
        is_text = node.widget in ("text", "long", "scalar") and not node.nullable
        return "" if is_text and (node.needed or node.default == "") else None
    if node.widget == "number":
        return _whole(text)
    return _loose(node, text) if node.widget == "scalar" else text


def _whole(text: str) -> int | str:
    plain = text.replace(",", "").replace(" ", "").replace("\u202f", "")
    return int(plain) if plain.removeprefix("-").isdecimal() and len(plain) < 19 else text


def _loose(node: Node, text: str) -> int | str | bool | None:
    """A whole number, yes or no, or a text; what stands in quotes is a text, whatever it looks like."""
    if not text and node.nullable:
        return None
    if text in ("yes", "no"):
        return text == "yes"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return _whole(text) if text.strip("-").isdecimal() else text


def _one(texts: Any) -> str:
    return str(texts[0]) if isinstance(texts, list) and texts else ""


def _number(key: str) -> int:
    return int(key) if key.isdigit() else 0
