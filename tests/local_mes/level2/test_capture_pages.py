"""Captures started, stopped, downloaded and deleted by page; replay by page in a plant made for it, and nowhere else."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import level2_operations  # noqa: F401  registers the operations of the test model
import pytest
from level2_line import Line
from level2_peers import Site, cut
from sqlalchemy import insert
from test_spool_pruning import DAY_MS, hub_confirms, kept, pruned_now
from test_telegram_replay import FAST, journal, running, told_by_level2

from local_mes.app import create_console
from local_mes.level2 import capture as capture_module
from local_mes.level2.capture import Captured, capture, read_capture
from local_mes.level2.captures import DAYS_MAX
from local_mes.level2.link_state import find_states
from local_mes.level2.replay import ClockFile, replay
from local_mes.level2.spool_tables import pruned
from local_mes.plant import Plant
from shared.clock import FileClock, FixedClock
from shared.db.engine import write
from shared.errors import Refused
from sync.peers import trust_peer

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in

MakeSite = Callable[..., Site]
PAGE = "/level2/links/CC1/capture"


@pytest.fixture
def line(make_site: MakeSite, clock: FixedClock) -> Iterator[Line]:
    made = Line(make_site(), clock)
    yield made
    made.plant.node.engine.dispose()
    made.plant.spool.dispose()


@pytest.fixture
def engineer(line: Line) -> Person:
    return sign_in(create_console(line.plant), line.plant.node, "engineer", "engineer")


def file_of(person: Person, capture_id: int) -> list[Captured]:
    answer = person.client.get(f"/level2/captures/{capture_id}.jsonl")
    assert answer.status_code == 200
    return read_capture(answer.data.splitlines())[1]


def test_a_capture_is_started_stopped_downloaded_and_deleted(line: Line, engineer: Person, clock: FixedClock) -> None:
    line.comes("CC1060", cut(1))
    clock.advance(1000)
    assert engineer.post(PAGE, PAGE, start="1").status_code == 302
    assert engineer.post(PAGE, PAGE, start="1").status_code == 409
    line.comes("CC1060", cut(2))
    assert "engineer" in engineer.page(PAGE)
    assert [m.fields["cut"] for m in file_of(engineer, 1)] == [2]
    clock.advance(1000)
    engineer.post(PAGE, PAGE, capture_id="1", stop="1")
    line.comes("CC1060", cut(3))
    assert [m.fields["cut"] for m in file_of(engineer, 1)] == [2]
    operator = sign_in(create_console(line.plant), line.plant.node, "op", "operator")
    assert operator.client.get("/level2/captures/1.jsonl").status_code == 403
    engineer.post(PAGE, PAGE, capture_id="1", drop="1")
    assert engineer.client.get("/level2/captures/1.jsonl").status_code == 404


def test_what_belongs_to_a_capture_stays_in_the_spool_and_one_that_is_forgotten_ends(
    line: Line, engineer: Person, clock: FixedClock
) -> None:
    line.comes("CC1060", cut(1))
    clock.advance(1000)
    engineer.post(PAGE, PAGE, start="1")
    for number in range(2, 9):
        line.comes("CC1060", cut(number))
    line.run()
    pruned_now(line)
    clock.advance(31 * DAY_MS)
    line.comes("CC1060", cut(9))
    hub_confirms(line)
    assert pruned_now(line) == 1
    assert kept(line) == list(range(2, 10))
    assert len(file_of(engineer, 1)) == 7, f"it ended after {DAYS_MAX} days"
    engineer.post(PAGE, PAGE, capture_id="1", drop="1")
    assert pruned_now(line) == 6


def test_a_plant_that_makes_steel_takes_no_replay(line: Line, engineer: Person) -> None:
    assert "runs on the machine" in engineer.page("/level2/replay")
    assert 'class="form"' not in engineer.page("/level2/replay")
    address = "/level2/replay"
    assert engineer.post(address, PAGE, name="x.jsonl", speed="10").status_code == 409
    object.__setattr__(line.plant.settings, "clock_file", line.site.folder / "clock.json")
    with write(line.plant.node.engine) as conn:
        trust_peer(conn, "HUB", b"k" * 32, 0)
    assert "is enrolled with a hub" in engineer.page(address)
    assert engineer.post(address, PAGE, name="x.jsonl", speed="10").status_code == 409
    lead = sign_in(create_console(line.plant), line.plant.node, "lead", "lead")
    assert lead.client.get(address).status_code == 403


def test_a_slow_download_is_whole_and_holds_nothing_of_the_spool(
    line: Line, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of a download was one long look at the spool: its log could not be emptied while it lasted."""
    monkeypatch.setattr(capture_module, "PAGE", 3)
    begin = clock.now_ms()
    for number in range(1, 9):
        line.comes("CC1060", cut(number))
    spool, end = line.plant.spool, clock.now_ms() + 1
    slow = capture(spool, "ALD", ("CC1",), begin, end)
    begun = [next(slow), next(slow)]
    line.comes("CC1060", cut(9))
    with spool.connect() as conn:
        assert conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").first()[0] == 0, "nobody reads"
    _, found = read_capture([*begun, *slow])
    assert [one.fields["cut"] for one in found] == list(range(1, 9))
    late = capture(spool, "ALD", (), begin, end)
    begun = [next(late), next(late)]
    with write(spool) as conn:
        conn.execute(insert(pruned).values(link="CC1", ordinal=3, received_ms=begin, rows=3, at_ms=end))
    with pytest.raises(Refused, match="no longer has every message"):
        list(late)


def until_ended(person: Person) -> str:
    end = time.monotonic() + 150
    while "ended" not in (text := person.page("/level2/replay")):
        assert time.monotonic() < end
        time.sleep(0.05)
    return text


def test_replayed_by_page_the_journal_is_the_same_as_by_command(tmp_path: Path) -> None:
    messages = told_by_level2()[:40]
    before = messages[0].received_ms - 60_000
    with running(tmp_path / "first", FixedClock(before)) as (plant, target):
        replay(target, messages, FAST)
        lines = b"".join(capture(plant.spool, "ALD", (), before, messages[-1].received_ms + 60_000))
        first = journal(plant)
    hands = ClockFile(tmp_path / "clock.json")
    hands.show(before, 1, before)
    with running(tmp_path / "second", FileClock(hands.file), ring=True) as (plant, _):
        object.__setattr__(plant.settings, "clock_file", hands.file)
        person = sign_in(create_console(plant), plant.node, "engineer", "engineer")
        assert send(person, plant, lines.replace(b'"plant":"ALD"', b'"plant":"BRK"')).status_code == 422
        assert send(person, plant, lines).status_code == 302
        assert "40 of 40 messages" in until_ended(person)
        assert find_states(plant.spool)["ALD-MELT"].peer, "what came over OPC UA came so again, not by the spool"
        second = journal(plant)
        folder = plant.settings.folder / "captures"
        folder.mkdir()
        (folder / "day.jsonl").write_bytes(lines)
        assert "day.jsonl" in person.page("/level2/replay")
        assert send(person, plant, b"", name="../day.jsonl").status_code == 404
    assert len(first) > 30
    assert second == first


def send(person: Person, plant: Plant, content: bytes, name: str = "") -> object:
    token = person.page("/level2/replay").partition('name="csrf_token" value="')[2].partition('"')[0]
    file = {"file": (io.BytesIO(content), "day.jsonl")} if content else {}
    form = {"csrf_token": token, "speed": "1000000", "name": name} | file
    return person.client.post("/level2/replay", data=form, content_type="multipart/form-data")
