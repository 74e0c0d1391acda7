"""The demo says in one paragraph why it does not start, ends with 2, and leaves nothing half done."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def demo(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "demo", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr.strip()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = f"import demo.runfolder as r; r.WEB_PORTS['HUB'] = {port}; import demo.__main__ as m, sys; sys.exit(m.main())"
        done = subprocess.run(
            [sys.executable, "-c", code, "--dir", str(tmp_path / "run")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert f"Port {port}, which the demo needs for HUB, is taken" in done.stderr
    assert "--ports auto" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run" / "hub").exists()


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("here is something else")
    code, said = demo("--dir", str(file / "run"), "--ports", "auto")
    assert code == 2
    assert "cannot be used for the demo" in said
    assert "--dir" in said


def test_fresh_leaves_a_folder_alone_that_is_no_run(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("years of work")
    code, said = demo("--dir", str(tmp_path), "--fresh", "--ports", "auto")
    assert code == 2
    assert "no demo run" in said
    assert precious.read_text() == "years of work"


def test_a_speed_that_nothing_can_follow(tmp_path: Path) -> None:
    code, said = demo("--dir", str(tmp_path / "run"), "--speed", "6000")
    assert code == 2
    assert "--once" in said
