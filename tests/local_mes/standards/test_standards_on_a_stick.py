"""Standards carried to a plant without a network: the same verification, whoever brings them and however late."""

from __future__ import annotations

from typing import Any

import pytest

from local_mes.standards.service import adopt_pending, trust_state
from shared.db.engine import read
from sync.bundles.export import export, road_down
from sync.bundles.take import take
from sync.errors import Malformed

DAY_MS = 86_400_000


def carry(group: Any, file: Any) -> int:
    with file.open("rb") as source:
        new = take(group.plant.node, source).new_entries
    group.ground.applying.apply_all()
    return new


def test_a_release_on_a_stick_is_adopted_and_an_old_one_is_taken_though_its_word_has_expired(
    group: Any, tmp_path: Any
) -> None:
    group.release("QR-CHE-01-v5", "QR-RES-01-v2")
    (first,) = export(road_down(group.hub.node, "ALD"), tmp_path / "first.bundle")
    assert carry(group, first.file) > 0
    assert adopt_pending(group.plant) is True
    group.release("KPI-YLD-v2")
    (late,) = export(road_down(group.hub.node, "ALD"), tmp_path / "late.bundle")
    group.clock.advance(40 * DAY_MS)
    carry(group, late.file)
    adopt_pending(group.plant)
    assert group.in_force() == [("KPI-YLD", 2), ("QR-CHE-01", 5), ("QR-RES-01", 2)]
    with read(group.plant.node.engine) as conn:
        state = trust_state(conn, group.plant)
    assert state is not None
    assert state.stale, "newer is installed, but nobody has confirmed it for 40 days"
    carry(group, first.file)
    assert adopt_pending(group.plant) is False


def test_a_stick_that_was_changed_brings_no_standard(group: Any, tmp_path: Any) -> None:
    group.release("QR-CHE-01-v5")
    (made,) = export(road_down(group.hub.node, "ALD"), tmp_path / "a.bundle")
    raw = bytearray(made.file.read_bytes())
    raw[-20] ^= 1
    made.file.write_bytes(bytes(raw))
    with pytest.raises(Malformed, match="Nothing was taken"):
        carry(group, made.file)
    assert adopt_pending(group.plant) is False
    assert group.in_force() == []
