"""Whoever may not interrupt a sequence is told while one is being cast."""

from __future__ import annotations

from pathlib import Path

import pytest
from melt_shop_player import HEATS_4417, MINUTE, START_MS, Sequence, end_event, heat_events, ladle_events, play
from production_bench import Bench, make_bench

from local_mes.production.at_rest import LADLE_MS, check_at_rest, running_sequences
from shared.clock import FixedClock
from shared.db.engine import read
from shared.errors import Refused

SEQUENCE = Sequence("4417", HEATS_4417)


def running(bench: Bench, later_ms: int = MINUTE) -> list[str]:
    with read(bench.plant.node.engine) as conn:
        return running_sequences(conn, bench.plant.model, bench.clock.now_ms() + later_ms)


def test_a_caster_stands_before_a_sequence_and_after_its_end(tmp_path: Path, clock: FixedClock) -> None:
    clock.set(START_MS - 5 * 60 * MINUTE)
    bench = make_bench("ALD", tmp_path, clock)
    bench.order("710047/10", "DX51D+Z275-M-A coil", "R-GI")
    assert running(bench) == []
    play(bench, sorted([*heat_events(SEQUENCE, 0), *ladle_events(SEQUENCE, 0)], key=lambda event: event[0]))
    heat = HEATS_4417[0]
    assert running(bench) == [f"CC1 casts sequence 4417, heat {heat}"]
    with read(bench.plant.node.engine) as conn, pytest.raises(Refused, match="casts sequence 4417"):
        check_at_rest(conn, bench.plant.model, clock.now_ms())
    assert running(bench, LADLE_MS) == [], "an end that was never told holds an upgrade up for ever"
    play(bench, [end_event(SEQUENCE)])
    assert running(bench, -60 * MINUTE) == running(bench) == []
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()
