"""The demo gives the product's commands to a process that lasts, and passes its own words on when it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.product import Commands
from demo.runfolder import NotPossible


def test_one_process_runs_command_after_command(tmp_path: Path) -> None:
    with Commands(tmp_path / "log") as product:
        for name in ("first", "second"):
            said = product.run("standards", "keygen", "--out", str(tmp_path / name), "--name", name)
            assert name in said
            assert (tmp_path / name / f"{name}.pem").exists()


def test_a_refusal_comes_with_the_words_of_the_product_and_ends_the_process(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.toml"
    with Commands(tmp_path / "log") as product:
        for _ in range(2):
            with pytest.raises(NotPossible, match="There is no settings file"):
                product.run("plant", "init", "--config", str(nowhere))
