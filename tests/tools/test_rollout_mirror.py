"""Where the rollout's hosts get Debian from: the mirror of this machine's own apt, in either way of writing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.rollout.machines import own_mirror


@pytest.mark.parametrize(
    ("file", "text", "mirror"),
    [
        (
            "sources.list",
            "# old\ndeb [signed-by=/k] http://mirror.test/debian bookworm main\n",
            "http://mirror.test/debian",
        ),
        (
            "sources.list.d/d.sources",
            "Types: deb\nURIs: https://two.test/debian\nSuites: bookworm\n",
            "https://two.test/debian",
        ),
        ("sources.list", "# deb http://commented.test/debian bookworm main\n", ""),
    ],
)
def test_the_mirror_is_the_machines_own(tmp_path: Path, file: str, text: str, mirror: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / file).write_text(text)
    assert own_mirror(tmp_path) == mirror
