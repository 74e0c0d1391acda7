"""A plant killed in the middle of taking in standards has the old set or the new one, never a part of either."""

from __future__ import annotations

import signal
import subprocess
import sys
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


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    ("point", "when", "nth", "left"),
    [
        ("local_mes.standards.adopt:save_trusted", "after", 1, OLD_SET),
        ("local_mes.standards.adopt:save_trusted", "after", 3, OLD_SET),
        ("local_mes.standards.adopt:note_look", "after", 1, OLD_SET),
        ("local_mes.standards.adopt:_record", "after", 1, OLD_SET),
        ("shared.journal.journal:Journal.notify", "before", 1, NEW_SET),
    ],
)
def test_killed_while_installing(group: Any, point: str, when: str, nth: int, left: list[tuple[str, int]]) -> None:
    group.release(*OLD)
    group.sync()
    group.release("R-GISLIT-v7", "KPI-YLD-v2")
    group.pull()
    assert group.in_force() == OLD_SET
    folder = group.plant.node.settings.folder
    died = subprocess.run(
        [
            sys.executable,
            str(HERE / "adopt_and_die.py"),
            *(str(ROOT / "tests" / "support"), str(folder), str(MODEL), str(group.clock.now_ms())),
            *(point, when, str(nth)),
        ],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr[-2000:]
    assert group.in_force() == left
    assert adopt_pending(group.plant) == (left == OLD_SET)
    assert group.in_force() == NEW_SET
