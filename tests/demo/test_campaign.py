"""The campaign's own words: which seeds, and what it makes of a day that went wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from demo.campaign import main

ROOT = Path(__file__).parents[2]


def test_seeds_that_are_none_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo.campaign", "--seeds", "9..1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "'9..1' is neither a range" in done.stderr


def test_a_day_that_cannot_be_played_is_a_violation_and_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("demo.campaign.python", lambda *_: [sys.executable, "-c", "raise SystemExit('no such road')"])
    monkeypatch.setattr(sys, "argv", ["demo.campaign", "--seeds", "3,5", "--hub-db", "none"])
    assert main() == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "2 days, 2 violations"
    assert all("VIOLATION" in line and "no such road" in line and str(tmp_path) in line for line in said[:2])
    assert len(list(tmp_path.glob("strandline-campaign-*"))) == 1


def test_days_that_contents_the_judge_are_counted_and_cleaned_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told = '{"content": true, "findings": [], "plants": {"ALD": {"recorded": 7}, "BRK": {"recorded": 5}}}'
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("demo.campaign.python", lambda *_: [sys.executable, "-c", f"print('''{told}''')"])
    monkeypatch.setattr(sys, "argv", ["demo.campaign", "--seeds", "1..3", "--hub-db", "none"])
    assert main() == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "3 days, 0 violations"
    assert ["12 facts  content" in line for line in said[:3]] == [True] * 3
    assert list(tmp_path.iterdir()) == []
