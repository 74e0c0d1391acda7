"""A standard tried in a staging copy of the plant: a captured day is played without it and with it, and compared."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browse import sign_in
from melt_shop_player import HEATS_4417, MINUTE, START_MS, Sequence, heat_events, play
from production_bench import Bench, make_bench
from sqlalchemy import delete

from local_mes.app import create_console
from local_mes.staging import copying, trial
from local_mes.staging.copying import SCRATCH, Day, check_room, make_copy, read_day
from local_mes.staging.service import Standing, Trials
from local_mes.standards import own
from local_mes.standards.tables import standards_trust
from shared import disk
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import Refused
from shared.journal.content_hash import content_hash
from shared.standards.documents import parse_document
from shared.storage import NoRoom

FROM_MS, TO_MS = START_MS - 120 * MINUTE, START_MS + 60 * MINUTE
PATIENCE_S = 200  # a process of its own, also where it gets a tenth of a processor
SEQUENCE = Sequence("4417", HEATS_4417)


def rule(limit: str = "0.20", **changes: Any) -> Any:
    check = {"kind": "expression", "variables": [{"name": "Cu", "unit": "%"}], "condition": f"Cu <= {limit}"}
    return parse_document(
        {
            "kind": "quality_rule",
            "id": "ALD-QR-CU",
            "version": 1,
            "title": "Our own limit of copper",
            "owner": "quality of Aldermoor",
            "takes_hold": "at_once",
            "rule": {"when": ["sample_final"], "check": check, "otherwise": {"action": "hold"}},
            **changes,
        }
    )


@pytest.fixture
def played(tmp_path: Path, clock: FixedClock) -> Iterator[Bench]:
    """A day of two heats, of which the second has 0.27 % copper; orders are released before them and between."""
    clock.set(FROM_MS)
    bench = make_bench("ALD", tmp_path, clock)
    bench.adopt("QR-RES-01-v2.json", "QR-CHE-01-v5.json")
    bench.order("710047/10", "DX51D+Z275-M-A coil", "R-GI")
    events = sorted([*heat_events(SEQUENCE, 0), *heat_events(SEQUENCE, 2)], key=lambda event: event[0])
    for n in range(0, len(events), 10):
        play(bench, events[n : n + 10])
        bench.order(f"710047/{20 + n}", "DX51D+Z275-M-A coil", "R-GI")
    yield bench
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()


@pytest.mark.timeout(600)  # the day is played first, and then waited for
def test_a_captured_day_is_played_in_a_copy_without_it_and_with_it(played: Bench) -> None:
    plant = played.plant
    day = plant.model.calendar.production_day(START_MS)
    engineer = sign_in(create_console(plant), plant.node, "ewa.e", "engineer")
    for document in (rule(), rule("0.90", needs=["galvaniser"], id="ALD-QR-ZN")):
        own.write(plant, document.model_dump(mode="json"), "ewa", document.id)
    with read(plant.node.engine) as conn:
        before = content_hash(conn, "ALD")
    address = "/standards/own/ALD-QR-CU/1/staged"
    lacking = engineer.post("/standards/own/ALD-QR-ZN/1/staged", "/standards/own/ALD-QR-ZN/1/staged", day=day)
    assert lacking.status_code == 409
    assert engineer.post(address, address, day=day).status_code == 302
    end = time.monotonic() + PATIENCE_S
    while "Stop it" in (page := engineer.page(address)) and time.monotonic() < end:
        time.sleep(0.2)
    assert "messages played" in page
    found = engineer.client.application.extensions["strandline.staging"].standing.result
    assert found["alike_ppm"] == 1_000_000, "the day as it was comes out as it was"
    assert found["after"]["decisions"] == found["before"]["decisions"] + 2 > 2
    changed = {(d["what"], d["rule"], d["piece"], d["was"], d["now"]) for d in found["differences"]}
    assert changed == {
        ("decisions", "ALD-QR-CU", "161842", "", "pass"),
        ("decisions", "ALD-QR-CU", "161843", "", "hold"),
        ("holds", "ALD-QR-CU", "161843", "", "held"),
    }
    assert any("Cu = 0.27 % > 0.2 %" in d["why"] for d in found["differences"])
    assert found["types"] == []
    with read(plant.node.engine) as conn:
        assert content_hash(conn, "ALD") == before, "nothing of it reached the plant"
    assert not list(plant.settings.folder.glob(f"{SCRATCH}*"))
    with write(plant.node.engine) as conn:
        conn.execute(delete(standards_trust))  # the bench's root is none
    put = engineer.post(f"{address}/deploy", address, reason="copper rises")
    assert put.status_code == 302
    assert "in a staging copy" in engineer.page("/standards/own/ALD-QR-CU/1")


def test_a_trial_is_bounded(played: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="no message any more"):
        read_day(played.plant, 0, 1)
    for name, what in (("MESSAGES_MAX", "messages"), ("FACTS_MAX", "facts")):
        with monkeypatch.context() as patch:
            patch.setattr(copying, name, 1)
            with pytest.raises(Refused, match=f"more than 1 {what}"):
                read_day(played.plant, FROM_MS + 1, TO_MS)


def test_a_line_of_another_kind_on_a_trials_output_does_not_keep_trials_from_beginning(tmp_path: Path) -> None:
    said = (
        "a warning",
        "[]",
        '{"event": "a log line"}',
        '{"stage": "copying", "done": 1, "total": 2}',
        '{"failed": "so"}',
    )
    program = f"import sys; sys.stdin.readline(); print(*{said!r}, sep=chr(10))"
    command = [sys.executable, "-I", "-S", "-c", program]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    (tmp_path / f"{SCRATCH}killed").mkdir()
    trials = Trials(Standing("ALD-QR-CU", 1, runs=True))
    trials._follow(child, {}, tmp_path)
    assert trials.standing == Standing("ALD-QR-CU", 1, stage="copying", done=1, total=2, why="so")
    assert not list(tmp_path.iterdir()), "what a killed one leaves is taken away"


def test_a_trial_leaves_the_plants_disk_its_room(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = make_bench("ALD", tmp_path, clock).plant
    own.write(plant, rule().model_dump(mode="json"), "ewa", "c1")
    own.write(plant, rule(version=2).model_dump(mode="json"), "ewa", "c2")
    clock.advance(1)
    day = Day(clock.now_ms(), clock.now_ms(), (), ())
    monkeypatch.setattr(trial, "read_day", lambda *_: day)
    total = 1 << 40
    looks: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(disk, "look", lambda _: disk.Disk(total, looks.pop()))
        for free in ([total // 10 + 4096], [total // 11, total // 2]):  # less than the copies need; it fills meanwhile
            looks += free
            with pytest.raises(NoRoom):
                trial.try_on(plant, rule(), day.from_ms, day.to_ms, lambda *_: None)
            assert not looks
            assert not list(plant.settings.folder.glob(f"{SCRATCH}*"))
    check_room(plant)
    monkeypatch.setattr(copying, "ENTRIES_AT_ONCE", 1)
    seen: list[int] = []
    kept = plant.node.engine.pool.checkedout()

    def told(_stage: str, done: int, _total: int) -> None:
        with sqlite3.connect(tmp_path / "copy" / "node.sqlite") as other:
            seen.append(other.execute("SELECT count(*) FROM standard_version").fetchone()[0])
        assert done == len(seen)
        assert plant.node.engine.pool.checkedout() == kept, "the live plant's log need not wait"

    copy = make_copy(plant, tmp_path / "copy", day, told)
    assert seen == [1, 2], "each batch is kept before the next"
    with read(copy.node.engine) as conn:
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 0
    for engine in (copy.node.engine, copy.spool, plant.node.engine, plant.spool):
        engine.dispose()
