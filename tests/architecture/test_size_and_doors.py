"""House rules that a machine can hold: sizes, one door each, every table marked, docstrings of modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("shared", "sync", "local_mes", "central_hub", "drill", "demo", "campaign")
PLAYS = {"demo", "campaign"}
"""Rooms that play the product and are no part of it."""
MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
FORBIDDEN_NAMES = {"manager", "helper", "helpers", "utils", "util", "data", "info", "misc", "common"}
DOORS = {
    "requests": {"sync/transport.py", "demo/"},
    "asyncua": {"local_mes/level2/opcua", "demo/"},
    "paho": {"local_mes/level2/drivers/mqtt"},
    "pymodbus": {"local_mes/level2/drivers/modbus.py"},
    "snap7": {"local_mes/level2/drivers/s7.py"},
    "apscheduler": {"local_mes/scheduler.py", "central_hub/scheduler.py"},
    "prometheus_client": {"shared/web/metrics.py"},
    "uuid": set(),
    "random": {"demo/", "campaign/"},
}


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted(p for p in (ROOT / room).rglob("*.py") if "versions" not in p.parts)


@pytest.mark.parametrize("path", list(sources()), ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes_names_and_doors(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    name = str(path.relative_to(ROOT))
    assert text.count("\n") <= MODULE_LINES_MAX, f"{name} is over {MODULE_LINES_MAX} lines"
    assert path.stem not in FORBIDDEN_NAMES, f"{name}: the name says nothing"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            assert size <= FUNCTION_LINES_MAX, f"{name}:{node.lineno} {node.name} has {size} lines"
    for module in imported(tree):
        allowed = DOORS.get(module.split(".")[0])
        if allowed is not None:
            assert any(name.startswith(door) for door in allowed), f"{name} imports {module}: it has one door"


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def test_every_module_that_says_something_says_what_it_is() -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in sources()
        if p.read_text().strip() and not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert silent == []


def test_every_table_is_marked() -> None:
    import local_mes.wiring  # noqa: F401
    from shared.db.types import metadata

    kinds = {t.name: t.info.get("kind") for t in metadata.tables.values()}
    assert {k for k in kinds.values()} <= {"projection", "local", "journal"}, kinds
    authored = [t for t in metadata.tables.values() if t.info["kind"] == "projection"]
    assert len(authored) > 15
    assert all(next(iter(t.primary_key.columns)).name == "author" for t in authored)


def test_nodes_own_local_tables_only() -> None:
    offenders = [
        str(p.relative_to(ROOT))
        for room in ("local_mes", "central_hub")
        for p in (ROOT / room).rglob("tables.py")
        if re.search(r"projection_table\(", p.read_text())
    ]
    assert offenders == []


def test_features_do_not_reach_into_each_others_tables() -> None:
    offenders = []
    for room in ("local_mes", "central_hub"):
        for path in (ROOT / room).rglob("*.py"):
            feature = path.relative_to(ROOT / room).parts[0]
            for module in imported(ast.parse(path.read_text())):
                match = re.fullmatch(rf"{room}\.(\w+)\.tables", module)
                if match and match.group(1) != feature and feature not in ("wiring.py", "migrations"):
                    offenders.append(f"{path.relative_to(ROOT)} -> {module}")
    assert offenders == []


def test_the_product_imports_nothing_of_the_demo_and_the_judge_nothing_of_the_product() -> None:
    offenders = [
        f"{path.relative_to(ROOT)} -> {module}"
        for path in sources()
        for module in imported(ast.parse(path.read_text()))
        if (path.relative_to(ROOT).parts[0] not in PLAYS and module.split(".")[0] in PLAYS)
        or (
            path.relative_to(ROOT).parts[:2] in {("demo", "judge"), ("demo", "scenario"), ("demo", "simulator")}
            and module.split(".")[0] in {"shared", "sync", "local_mes", "central_hub"}
        )
    ]
    assert offenders == []
