"""One unit's parameter changed in the text of a model file: everything else, comments too, stays as people wrote it. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from local_mes.plant_model import errors

Value = bool | int | float | str
_HEADER = re.compile(r"^\s*\[")
_CODE = re.compile(r"^\s*code\s*=\s*[\"']([^\"']+)[\"']")
_PARAMETERS = re.compile(r"^\s*\[unit\.parameters\]")


def set_parameters(text: str, unit: str, values: Mapping[str, Value | None]) -> str:
    """The text with a unit's parameters set, None: taken out; BadInput where the text does not allow it safely."""
    for name, value in values.items():
        changed = _set(text, unit, name, value)
        if changed is None or not _is_only_that(text, changed, unit, name, value):
            raise errors.by_hand(unit, name)
        text = changed
    return text


def _set(text: str, unit: str, name: str, value: Value | None) -> str | None:
    lines = text.splitlines()
    block = _block(lines, unit)
    if block is None:
        return None
    begin, end = block
    table = next((n for n in range(begin, end) if _PARAMETERS.match(lines[n])), None)
    if table is None:
        return (
            _joined([*lines[:end], "  [unit.parameters]", f"  {name} = {_toml(value)}", "", *lines[end:]])
            if (value is not None)
            else text
        )
    last = next((n for n in range(table + 1, end) if _HEADER.match(lines[n])), end)
    at = next((n for n in range(table + 1, last) if re.match(rf"^\s*{re.escape(name)}\s*=", lines[n])), None)
    if at is None:
        written = max(n for n in range(table, last) if lines[n].strip())
        new = [] if value is None else [f"{_indent(lines[written])}{name} = {_toml(value)}"]
        return _joined([*lines[: written + 1], *new, *lines[written + 1 :]])
    return _joined([*lines[:at], *([] if value is None else [_line(lines[at], name, value)]), *lines[at + 1 :]])


def _block(lines: list[str], unit: str) -> tuple[int, int] | None:
    """First line of a unit's entry, and the first that is no more of it (empty lines before the next belong to that)."""
    starts = [n for n, line in enumerate(lines) if line.strip().startswith("[[")]
    for n, start in enumerate(starts):
        end = starts[n + 1] if n + 1 < len(starts) else len(lines)
        end = next((at for at in range(start + 1, end) if re.match(r"^\s*\[(?!\[|unit\.)", lines[at])), end)
        codes = [found[1] for line in lines[start:end] if (found := _CODE.match(line))]
        if lines[start].strip().startswith("[[unit]]") and codes[:1] == [unit]:
            while end > start + 1 and not lines[end - 1].strip():
                end -= 1
            return start, end
    return None


def _line(old: str, name: str, value: Value) -> str:
    """The line with its new value, and its comment where it was."""
    comment = re.search(r"\s+#.*$", old.partition("=")[2])
    return f"{_indent(old)}{name} = {_toml(value)}{comment[0] if comment else ''}"


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _toml(value: Value | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _is_only_that(before: str, after: str, unit: str, name: str, value: Value | None) -> bool:
    """Whether the two texts differ in this one parameter and in nothing else."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    mine: list[dict[str, Any]] = [u for u in old.get("unit", ()) if u.get("code") == unit]
    if len(mine) != 1:
        return False
    parameters = mine[0].setdefault("parameters", {})
    parameters.pop(name, None)
    if value is not None:
        parameters[name] = value
    if not parameters:
        del mine[0]["parameters"]
    return old == new
