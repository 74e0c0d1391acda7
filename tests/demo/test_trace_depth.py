"""The judge's figure of how deep a trace goes."""

from __future__ import annotations

from demo.judge.summary import depth_of

WAY = [("heat", "slab", False), ("slab", "coil", False), ("coil", "strip", False), ("strip", "slit", False)]
PROVISIONAL = [("heat", "slab", False), ("slab", "coil", False), ("coil", "guest", True), ("guest", "strip", False)]


def test_a_piece_taken_in_before_its_papers_does_not_end_the_way() -> None:
    assert depth_of(WAY) == 4
    assert depth_of([*PROVISIONAL, ("strip", "slit", False)]) == 4
    assert depth_of([("guest", "coil", True) if edge[2] else edge for edge in PROVISIONAL]) == 3
    assert depth_of([]) == 0
