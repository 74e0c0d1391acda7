"""A plant killed in the middle of taking in standards has the old set or the new one, never a part of either."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_mes.standards.service import adopt_pending

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
MODEL = ROOT / "demo" / "plants" / "ald" / "model.toml"
OLD = ("QR-CHE-01-v5", "QR-RES-01-v2")
OLD_SET = [("QR-CHE-01", 5), ("QR-RES-01", 2)]
NEW_SET = [("KPI-YLD", 2), *OLD_SET, ("R-GISLIT", 7)]
QUICK, LONG = 5, 200


@pytest.fixture(scope="module")
def die() -> Iterator[Callable[..., int]]:
    """Have a plant die at a point; says how it ended."""
    command = [sys.executable, str(HERE / "adopt_and_die.py"), str(ROOT / "tests" / "support")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, text=True, **pipes) as forking:
        assert forking.stdin is not None
        assert forking.stdout is not None
        orders, ends = forking.stdin, forking.stdout

        def die_at(*order: object) -> int:
            orders.write(json.dumps(order) + "\n")
            orders.flush()
            return int(ends.readline())

        yield die_at
        orders.close()


@pytest.mark.fault(23)
@pytest.mark.parametrize("cycles", [QUICK, pytest.param(LONG, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
@pytest.mark.parametrize(
    ("point", "when", "nth", "left"),
    [
        ("local_mes.standards.adopt:save_trusted", "after", 1, OLD_SET),
        ("local_mes.standards.adopt:save_trusted", "after", 3, OLD_SET),
        ("local_mes.standards.adopt:note_look", "after", 1, OLD_SET),
        ("local_mes.standards.adopt:record", "after", 1, OLD_SET),
        ("shared.journal.journal:Journal.notify", "before", 1, NEW_SET),
    ],
)
def test_killed_while_installing(
    group: Any,
    die: Callable[..., int],
    tmp_path: Path,
    point: str,
    when: str,
    nth: int,
    left: list[tuple[str, int]],
    cycles: int,
) -> None:
    group.release(*OLD)
    group.sync()
    group.release("R-GISLIT-v7", "KPI-YLD-v2")
    group.pull()
    assert group.in_force() == OLD_SET
    folder, before = group.plant.node.settings.folder, tmp_path / "before"
    group.plant.node.engine.dispose()
    shutil.copytree(folder, before)
    for _ in range(cycles):
        if group.in_force() != OLD_SET:  # what is installed stays so: once more from before it
            group.plant.node.engine.dispose()
            shutil.rmtree(folder)
            shutil.copytree(before, folder)
        assert die(str(folder), str(MODEL), group.clock.now_ms(), point, when, nth) == -signal.SIGKILL
        assert group.in_force() == left
    assert adopt_pending(group.plant) == (left == OLD_SET)
    assert group.in_force() == NEW_SET
