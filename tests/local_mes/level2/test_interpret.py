"""Spooled messages become facts once, in whatever order they came, and none holds up another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from level2_line import Line
from level2_peers import Site, cut, until
from sqlalchemy import func, insert, select, update

from local_mes.level2.interpret import Interpreter, oldest_open_ms
from local_mes.level2.links import load_links
from local_mes.level2.operations import Told, Work
from local_mes.level2.queries import open_figures
from local_mes.level2.tables import repair, spool_position, spool_waiting
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import BadSetup
from shared.journal.tables import fact
from shared.material.facts import MaterialMoved

MakeSite = Callable[..., Site]


@pytest.fixture
def line(make_site: MakeSite, clock: FixedClock) -> Line:
    return Line(make_site(), clock)


def test_a_message_becomes_facts_with_its_time_its_link_and_derived_ids(line: Line) -> None:
    line.comes("CC1060", cut())
    line.clock.advance(400)
    line.run()
    first, second = line.facts()
    assert first.actor == "l2:CC1"
    assert (first.occurred.at_ms, first.occurred.source, first.occurred.offset_min) == (1773205200000, "l2:CC1", 60)
    assert first.subjects == ("slab:161843-2-3",)
    assert first.payload.material_id != second.payload.material_id
    assert oldest_open_ms(line.plant) is None


def test_interpreting_the_spool_again_records_nothing_new(line: Line) -> None:
    for number in range(1, 6):
        line.comes("CC1060", cut(number))
    line.run()
    before = [f.fact_id for f in line.facts()]
    with write(line.plant.node.engine) as conn:
        conn.execute(update(spool_position).values(spool_id=1))
    Interpreter(line.plant, line.plan).step()
    assert [f.fact_id for f in line.facts()] == before
    assert len(before) == 10


def test_a_follower_that_is_refused_takes_nothing_of_its_message_back(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    def refused(work: Work, _told: Told) -> None:
        work.record(MaterialMoved(material_id=work.new_id(), place="kept"), ("slab:1",))
        work.record(MaterialMoved(material_id=work.new_id(), place="NUL \x00"), ("slab:1",))

    def mistaken(_work: Work, _told: Told) -> None:
        raise KeyError("coil")

    followers = [refused, mistaken, lambda _work, told: heard.append(told.received.name)]
    monkeypatch.setattr("local_mes.level2.attempt.FOLLOWERS", followers)
    line.comes("CC1060", cut())
    line.run()
    assert sorted(line.places()) == ["YA", "YA1"]
    assert line.rows(repair) == []
    assert heard == ["CC1060"]


def test_a_lost_spool_begins_anew_and_gives_new_facts(line: Line) -> None:
    line.comes("CC1060", cut(1))
    line.comes("CC1070", {"slab": "161843-2-9", "ok": "Y"})
    line.run()
    line.plant.spool.dispose()
    for file in line.site.folder.glob("spool.sqlite*"):
        file.unlink()
    line.interpreter = Interpreter(line.plant, line.plan)
    line.comes("CC1060", cut(2))
    line.run()
    assert len(line.facts()) == 4
    assert line.rows(spool_waiting) == []
    assert "spool it lay in is lost" in line.rows(repair)[0].reason


def test_more_messages_than_one_step_takes_are_all_interpreted(line: Line) -> None:
    for number in range(1, 100):
        line.comes("CC1060", cut(number))
        line.comes("CC1060", cut(number, heat="161844"))
    line.run()
    assert len(line.facts()) == 396


def test_what_came_too_early_waits_and_is_done_after_what_it_builds_on(line: Line) -> None:
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    line.run()
    assert line.places() == []
    assert [row.reason for row in line.rows(spool_waiting)] == ["slab 161843-2-3 is not known"]
    assert oldest_open_ms(line.plant) == line.clock.now_ms()
    line.clock.advance(60_000)
    line.comes("CC1060", cut(2))  # another slab does not help
    line.comes("CC1060", cut(3))
    line.run()
    assert sorted(line.places()) == ["MK1", "YA", "YA", "YA1", "YA1"]
    assert line.rows(spool_waiting) == []
    assert oldest_open_ms(line.plant) is None


def test_a_plant_says_when_all_was_tried_although_something_waits(line: Line) -> None:
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    told = partial(open_figures, line.plant, line.interpreter.is_at_rest)
    assert told() == {"spool_open": 1, "repairs_open": 0, "spool_at_rest": 0}
    stop = threading.Event()
    thread = threading.Thread(target=line.interpreter.run, args=(stop,))
    thread.start()
    try:
        asyncio.run(until(lambda: told()["spool_at_rest"] == 1))
        assert told()["spool_open"] == 1
    finally:
        stop.set()
        thread.join(40)


def test_what_lies_far_behind_in_a_backlog_came_in_time_all_the_same(line: Line) -> None:
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    for number in range(1, 100):
        line.comes("CC1060", cut(number, heat="161844"))
    line.clock.advance(500_000)
    line.comes("CC1060", cut(3))  # within the window of 600 s
    line.clock.advance(7_200_000)  # the plant's process was away for two hours
    line.run()
    assert line.rows(repair) == []
    assert "MK1" in line.places()


def test_what_an_edge_sends_late_has_its_window_from_then_on(line: Line) -> None:
    came = line.clock.now_ms()
    line.clock.advance(86_400_000)
    here, line.clock = line.clock, FixedClock(came)  # as an edge that was cut off received it yesterday
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    line.run()
    here.advance(300_000)
    line.run()
    assert line.rows(repair) == []
    line.comes("CC1060", cut(3))
    line.run()
    assert "MK1" in line.places()


def test_messages_that_wait_behind_many_others_are_tried_too(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_mes.level2.interpret.WAITING_MAX", 2)
    for number in range(1, 7):
        line.comes("CC1070", {"slab": f"161843-2-{number}", "ok": "Y"})
    line.run()
    assert len(line.rows(spool_waiting)) == 6
    line.comes("CC1060", cut(6))
    line.run()
    line.run()
    assert [row.reason for row in line.rows(spool_waiting)] == [f"slab 161843-2-{n} is not known" for n in range(1, 6)]


def test_what_it_waits_for_may_come_from_elsewhere(line: Line) -> None:
    from shared.journal.fact import Draft, Occurred
    from shared.material.facts import MaterialMoved

    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    line.run()
    with line.plant.journal.work() as tx:
        tx.record(
            Draft(
                MaterialMoved(material_id="m", place="YA"),
                ("slab:161843-2-3",),
                "somebody",
                Occurred(line.clock.now_ms(), "manual"),
            )
        )
    line.run()
    assert line.rows(spool_waiting) == []


def test_after_the_reorder_window_it_is_for_a_person_and_the_rest_goes_on(line: Line) -> None:
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    line.run()
    line.clock.advance(601_000)
    line.comes("CC1060", cut(4))
    line.run()
    (row,) = line.rows(repair)
    assert (row.state, row.message) == ("open", "CC1070")
    assert "161843-2-3 is not known" in row.reason
    assert len(line.facts()) == 2
    assert oldest_open_ms(line.plant) == row.received_ms


def test_a_clock_that_jumps_does_not_end_a_wait_at_once(line: Line) -> None:
    line.interpreter = Interpreter(line.plant, line.plan, grace_s=60)
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    line.run()
    line.clock.advance(7_200_000)
    line.interpreter.step()
    line.comes("CC1060", cut(3))
    line.run()
    assert line.rows(repair) == []
    assert "MK1" in line.places()


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        (cut(width_head_mm=12800), "width_head_mm", "above 1700"),
        (cut(kind="X"), "kind", "allowed: N, C, S"),
        (cut(heat=""), "heat", "empty"),
        (cut(kind="S"), "kind", "Samples are not cut here."),
        (cut(kind="C"), "", "KeyError"),
    ],
)
def test_what_cannot_be_right_is_for_a_person_and_leaves_no_trace(
    line: Line, fields: dict[str, Any], field: str, reason: str
) -> None:
    line.comes("CC1060", fields)
    line.comes("CC1060", cut(5))
    line.run()
    (row,) = line.rows(repair)
    assert (row.field, row.state) == (field, "open")
    assert reason in row.reason
    assert {f.subjects for f in line.facts()} == {("slab:161843-2-5",)}


def test_a_message_that_is_mapped_to_nothing_is_for_a_person(line: Line) -> None:
    line.comes("CC1080", {"sequence": "4417", "crops_kg": 1, "tundish_rest_kg": 2})
    line.run()
    assert "no operation" in line.rows(repair)[0].reason


@pytest.mark.parametrize(("offset_ms", "source"), [(20_000, "l2:CC1"), (95_000, "l2:CC1 corrected +95 s")])
def test_a_wrong_clock_is_corrected_beyond_half_a_minute(line: Line, offset_ms: int, source: str) -> None:
    now = line.clock.now_ms()
    line.comes("CC1060", cut(), offset_ms=offset_ms)
    line.run()
    occurred = line.facts()[0].occurred
    assert occurred.source == source
    assert occurred.at_ms == (now if offset_ms > 30_000 else now - offset_ms)


def test_a_time_that_is_none_is_the_time_it_came(line: Line) -> None:
    line.comes("CC1060", cut(), claimed="20261399999999999")
    line.run()
    assert line.facts()[0].occurred.at_ms == line.clock.now_ms()
    assert line.facts()[0].occurred.source == "l2:CC1 received"


def test_the_position_and_the_facts_are_one_transaction(line: Line) -> None:
    line.comes("CC1060", cut())
    with line.plant.node.engine.connect() as conn:
        conn.exec_driver_sql("CREATE TRIGGER stop BEFORE INSERT ON spool_position BEGIN SELECT RAISE(ABORT, 'x'); END")
        conn.exec_driver_sql("COMMIT")
    with pytest.raises(Exception, match="x"):
        line.interpreter.step()
    with read(line.plant.node.engine) as conn:
        assert conn.execute(select(func.count()).select_from(fact)).scalar_one() == 0
    with line.plant.node.engine.connect() as conn:
        conn.exec_driver_sql("DROP TRIGGER stop")
        conn.exec_driver_sql("COMMIT")
    line.run()
    assert len(line.facts()) == 2


def test_a_model_that_names_no_operation_is_refused(line: Line) -> None:
    text = line.site.settings.model.read_text()
    line.site.settings.model.write_text(text.replace('"test_cut"', '"test_cutt"'))
    with pytest.raises(BadSetup, match="test_cutt"):
        Interpreter(line.plant, load_links(line.site.settings))


def test_oldest_open_is_the_first_unread_message(line: Line) -> None:
    first = line.clock.now_ms()
    line.comes("CC1060", cut(1))
    line.clock.advance(1000)
    line.comes("CC1060", cut(2))
    assert oldest_open_ms(line.plant) == first
    with write(line.plant.node.engine) as conn:
        conn.execute(insert(spool_position).values(spool=line.interpreter._spool, spool_id=1))
    assert oldest_open_ms(line.plant) == first + 1000
