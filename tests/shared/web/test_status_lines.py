"""The sentences of the header for a hub without room and for a disk that fills."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.disk import Disk
from shared.web import status
from shared.web.status import disk_line, hub_line

MEBI = 1 << 20


def test_a_hub_without_room_is_told_apart_from_one_that_is_away() -> None:
    full = hub_line(None, 312, full_since="14:05")
    assert full.text == "The hub has no room since 14:05. 312 facts waiting. Nothing is lost."
    assert hub_line("14:05", 312).text.startswith("Hub away since 14:05.")
    assert (full.state, hub_line(None, 0).state) == ("attention", "normal")


@pytest.mark.parametrize(
    ("free", "state", "words"),
    [
        (21, None, ""),
        (20, "attention", "80 % of the disk is taken, 20 MiB are free. Make room soon."),
        (10, "attention", "90 % of the disk is taken, 10 MiB are free. Only facts are written now"),
        (5, "alarm", "95 % of the disk is taken, 5 MiB are free. Recording goes on until 98 %."),
        (2, "alarm", "98 % of the disk is taken, 2 MiB are free. Nothing more is recorded until there is room."),
    ],
)
def test_the_disk_is_silent_until_80_percent_and_then_says_what_its_level_means(
    free: int, state: str | None, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(status, "look", lambda _folder: Disk(100 * MEBI, free * MEBI))
    lines = disk_line(tmp_path)
    assert [line.state for line in lines] == ([state] if state else [])
    assert all(words in line.text for line in lines)
