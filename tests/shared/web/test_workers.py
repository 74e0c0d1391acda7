"""Several processes of one node: each its number, together against whoever must be alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import BadSetup
from shared.web.server import hold_folder
from shared.web.workers import hold_beside


@pytest.fixture(autouse=True)
def nobody_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.web.server.PREDECESSOR_S", 0.1)


def test_workers_run_beside_each_other_and_keep_out_who_must_be_alone(tmp_path: Path) -> None:
    one, two = hold_beside(tmp_path, 0), hold_beside(tmp_path, 1)
    assert (one.first, two.first) == (True, False)
    with pytest.raises(BadSetup, match="Worker 1 of the node"):
        hold_beside(tmp_path, 1)
    one.close()
    with pytest.raises(BadSetup, match="Another process"):
        hold_folder(tmp_path)
    two.close()
    hold_folder(tmp_path).close()


def test_no_worker_begins_beside_a_process_that_is_alone(tmp_path: Path) -> None:
    alone = hold_folder(tmp_path)
    with pytest.raises(BadSetup, match="alone"):
        hold_beside(tmp_path, 0)
    alone.close()
    assert hold_beside(tmp_path, 0).first
