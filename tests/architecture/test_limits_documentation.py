"""docs/operations.md, "Limits": every bound of the code stands there with its value and its reason."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = (
    "sync.limits",
    "sync.admission",
    "sync.compare_messages",
    "sync.comparing",
    "sync.nightly",
    "shared.disk",
    "shared.storage",
    "shared.db.engine",
    "shared.journal.fact",
    "shared.journal.segment_file",
    "shared.journal.archive",
    "shared.web.server",
    "shared.transfers.case_rules",
    "central_hub.transfers.lane_domain",
    "central_hub.transfers.telling",
    "shared.passports.keys",
    "shared.standards.workflow_kind",
)
OTHER_THAN_LIMITS = {"EXIT_CODE", "LEVEL", "PROTOCOL", "PROTOCOL_OLDEST", "NIGHT_HOUR", "HIDE"}


def bounds(module: str) -> Iterator[tuple[str, int | float]]:
    """Numbers of a module that have words of reason after them."""
    body = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text()).body
    made = importlib.import_module(module)
    for statement, reason in pairwise(body):
        explained = isinstance(reason, ast.Expr) and isinstance(reason.value, ast.Constant)
        if not isinstance(statement, ast.Assign) or not explained:
            continue
        for target in statement.targets:
            value = getattr(made, target.id, None) if isinstance(target, ast.Name) else None
            if isinstance(value, int | float) and target.id not in OTHER_THAN_LIMITS:
                yield target.id, value


def rows() -> dict[str, str]:
    text = (ROOT / "docs" / "operations.md").read_text()
    part = text[text.index("## Limits") :].split("\n## ")[0]
    found = [line for line in part.splitlines() if line.startswith("| `")]
    return {match.group(1): line for line in found if (match := re.match(r"\| `(\w+)` \|", line))}


@pytest.mark.parametrize("module", MODULES)
def test_every_limit_is_listed_with_its_value_unit_and_reason(module: str) -> None:
    listed = rows()
    for name, value in bounds(module):
        assert name in listed, f"{module}.{name} is not in docs/operations.md"
        cells = [cell.strip() for cell in listed[name].strip("|").split("|")]
        expected = f"{value:g}" if isinstance(value, float) else str(value)
        assert cells[1].split(" ")[0].replace(",", "") == expected, name
        assert len(cells) == 3
        assert all(cells)


def test_nothing_is_listed_that_is_no_limit() -> None:
    known = {name for module in MODULES for name, _ in bounds(module)}
    assert set(rows()) == known
