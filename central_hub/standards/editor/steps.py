"""What the form's buttons do to a document's values: one row more, one less, one up; names out of an expression. Pure."""

from __future__ import annotations

import copy
from typing import Any

from shared.rules.tokens import names
from shared.rules.vocabulary import variables_of


def step(values: dict[str, Any], do: str) -> dict[str, Any]:
    """The values after a button; do: "add:PATH", "drop:PATH.N", "up:PATH.N", "names"; anything else changes nothing."""
    changed = copy.deepcopy(values)
    what, _, path = do.partition(":")
    if what == "names":
        _declare(changed)
    elif what == "add":
        _add(changed, path.split("."))
    elif what in ("drop", "up"):
        *above, number = path.split(".")
        _move(_at(changed, above), number, what)
    return changed


def offered(values: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Name, type, unit and meaning of everything that the events of a rule offer, as the values stand."""
    rule = values.get("rule")
    events = rule.get("when") if isinstance(rule, dict) else None
    every = [variables_of(str(event)) for event in events or ()]
    common = [v for v in every[0].values() if all(v.name in other for other in every)] if every else []
    return [(v.name, v.type, v.unit, v.meaning) for v in common]


def _declare(values: dict[str, Any]) -> None:
    """The names that a rule's expressions use, with the type and unit that its events give them."""
    rule = values.get("rule")
    check = rule.get("check") if isinstance(rule, dict) else None
    if not isinstance(check, dict) or check.get("kind") != "expression":
        return
    used = names(f"{check.get('applies') or ''} {check.get('condition') or ''}")
    known = {name: (kind, unit) for name, kind, unit, _ in offered(values)}
    check["variables"] = [
        {"name": name, "type": known[name][0], "unit": known[name][1]} for name in used if name in known
    ]


def _add(values: Any, path: list[str]) -> None:
    """A row more at the end of a list, of a map or of a grid's rows."""
    holder = _at(values, path[:-1])
    if not isinstance(holder, dict):
        return
    rows = holder.setdefault(path[-1], [])
    if isinstance(rows, dict):
        rows.setdefault("", None)
    elif isinstance(rows, list):
        width = len(rows[-1]) if rows and isinstance(rows[-1], list) else 0
        columns = values.get("columns")
        width = len(columns) if isinstance(columns, list) and path == ["rows"] else width
        rows.append([""] * width if width else {})


def _move(rows: Any, number: str, what: str) -> None:
    if isinstance(rows, dict) and number.isdigit() and int(number) < len(rows):
        del rows[list(rows)[int(number)]]
    if not isinstance(rows, list) or not number.isdigit() or int(number) >= len(rows):
        return
    row = rows.pop(int(number))
    if what == "up":
        rows.insert(max(0, int(number) - 1), row)


def _at(values: Any, path: list[str]) -> Any:
    """What lies at a path of controls; None where nothing does."""
    for part in path:
        if isinstance(values, list) and part.isdigit() and int(part) < len(values):
            values = values[int(part)]
        elif isinstance(values, dict) and part.isdigit() and int(part) < len(values):
            values = {"value": list(values.values())[int(part)]}
        elif isinstance(values, dict):
            values = values.get(part)
        else:
            return None
    return values
