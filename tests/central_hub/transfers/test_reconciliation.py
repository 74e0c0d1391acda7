"""The hub reconciles the scenario's loads: exactly the cases the data justify, in whatever order facts arrive."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_sync import SealedGroup
from steel_group import HOUR, MINUTE, SteelGroup, rows

from central_hub.transfers.balance import read_balance
from central_hub.transfers.service import reconcile, resolve_case
from local_mes.transfers.service import CorrectDeparture, close_receipt, correct_departure
from shared.clock import FixedClock
from shared.db.engine import read
from shared.errors import BadInput, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.transfers import tables
from shared.transfers.case_queries import find_cases, find_episodes
from shared.transfers.lines import LineFilter, find_lines

DAY_D_MS = 1_773_205_200_000
"""2026-03-11T05:00Z."""
T1 = {
    "161738-1-1": (20_558, 20_670),
    "161738-1-2": (20_569, 20_650),
    "161738-1-3": (20_536, 20_640),
    "161738-2-1": (20_536, 20_580),
    "161738-2-2": (20_536, 20_650),
    "161738-2-3": (20_547, 20_550),
    "161734-1-1": (20_569, 20_620),
    "161734-1-2": (20_547, 20_560),
    "161734-1-3": (20_569, 20_580),
    "161734-2-1": (20_580, 20_600),
    "161734-2-2": (20_547, 20_620),
    "161734-2-3": (20_580, 20_700),
    "161739-1-1": (20_580, 20_650),
    "161739-1-2": (20_536, 20_660),
}
R1 = {
    "B6-10371": (20_320, 20_310),
    "B6-10372": (20_290, 20_300),
    "B6-10373": (20_350, 20_340),
    "B6-10374": (20_320, 20_330),
    "B6-10375": (20_180, None),
    "B6-10376": (20_180, 20_170),
}
K3 = ("B6-10379", 20_180, 19_660)
T2 = [f"4H{n}-1" for n in range(15)]


def cases(group: SteelGroup, **wanted: str) -> list[tuple[str, str]]:
    with read(group.hub.node.engine) as conn:
        return sorted((row.kind, row.piece_number) for row in find_cases(conn, **wanted))


def send_t1_and_r1(group: SteelGroup) -> None:
    for number, (sent, _) in T1.items():
        group.stock("ALD", number, sent)
    group.stock("ALD", "161739-1-3", 20_536)
    for number, (sent, _) in R1.items():
        group.stock("BRK", number, sent, kind="coil")
    group.ship("BRK", "CLD", "RC-260310-4", list(R1), mode="rail")
    group.ship("ALD", "BRK", "RT-260310-2", list(T1))


def receive_t1(group: SteelGroup) -> None:
    for number, (_, came) in T1.items():
        group.pass_time(6 * MINUTE)
        group.receive("BRK", number, came, "RT-260310-2")
    group.receive("BRK", "161739-1-3", 20_600, "RT-260310-2", position="W5")
    close_receipt(group.plants["BRK"], "RT-260310-2", actor="p2", command_id=group.command())


def receive_r1(group: SteelGroup) -> None:
    for number, (_, came) in R1.items():
        if came is not None:
            group.pass_time(5 * MINUTE)
            group.receive("CLD", number, came, "RC-260310-4", scale="CW2")
    close_receipt(group.plants["CLD"], "RC-260310-4", actor="p3", command_id=group.command())


def drive_k3(group: SteelGroup) -> None:
    group.stock("BRK", K3[0], K3[1], kind="coil")
    group.ship("BRK", "CLD", "K3", [K3[0]], mode="truck")
    group.pass_time(5 * HOUR)
    group.sync()
    group.receive("CLD", K3[0], K3[2], "K3", scale="CW2")


def drive_t2_under_a_cut(group: SteelGroup) -> None:
    """The line is cut across the departure and the arrival of a train of 15."""
    for number in T2:
        group.stock("ALD", number, 20_565)
    group.sync()
    group.cut.add("ALD")
    group.ship("ALD", "BRK", "RT-260311-1", T2)
    group.pass_time(9 * HOUR)
    for at, number in enumerate(T2):
        group.pass_time(6 * MINUTE)
        group.receive("BRK", number, 20_620, "RT-260311-1", from_plant="ALD")
        if at % 7 == 0:
            group.sync()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The day played once: the nodes' folders, and the time at its end."""
    folder = tmp_path_factory.mktemp("played")
    clock = FixedClock(DAY_D_MS)
    group = SteelGroup(folder, clock)
    play(group)
    group.close()
    return folder, clock.now_ms()


@pytest.fixture
def scenario(played: tuple[Path, int], tmp_path: Path) -> Iterator[SteelGroup]:
    """The day up to the moment in which the line to the melt shop is still cut; a copy for each test."""
    folder, now_ms = played
    shutil.copytree(folder, tmp_path / "group")
    group = SteelGroup(tmp_path / "group", FixedClock(now_ms), cut={"ALD"}, commands=1_000)
    yield group
    group.close()


def play(group: SteelGroup) -> None:
    """The three contradictions, then a train under a cut line."""
    send_t1_and_r1(group)
    group.pass_time(9 * HOUR)
    group.sync()
    receive_t1(group)
    receive_r1(group)
    group.sync()
    drive_k3(group)
    group.pass_time(HOUR)
    group.sync()
    drive_t2_under_a_cut(group)


THREE = [("mass", "B6-10379"), ("short", "B6-10375"), ("unannounced", "161739-1-3")]


@pytest.mark.fault(90, 91, 92, 94)
def test_exactly_three_cases_and_one_episode_that_closes(scenario: SteelGroup) -> None:
    assert cases(scenario) == THREE
    with read(scenario.hub.node.engine) as conn:
        (waiting,) = find_episodes(conn)
    assert (waiting.plant, waiting.receiver, waiting.shipment_number, waiting.closed) == (
        "ALD",
        "BRK",
        "RT-260311-1",
        False,
    )
    scenario.cut.clear()
    scenario.sync()
    scenario.pass_time(HOUR)
    scenario.sync()
    assert cases(scenario, state="open") == THREE
    with read(scenario.hub.node.engine) as conn:
        (done,) = find_episodes(conn)
        states = {line.state for line in find_lines(conn, LineFilter(q="RT-260311-1"))}
    assert (done.episode_id, done.closed, done.lines) == (waiting.episode_id, True, 15)
    assert states == {"received"}
    assert rows(scenario.plants["BRK"].node.engine, tables.receipt) == [
        row for row in rows(scenario.hub.node.engine, tables.receipt) if row[0] == "BRK"
    ]


def test_nothing_fires_again_on_unchanged_input(scenario: SteelGroup) -> None:
    scenario.cut.clear()
    scenario.sync()
    before = rows(scenario.hub.node.engine, tables.transfer_case)
    done = [reconcile(scenario.hub) for _ in range(3)]
    assert [(r.relayed, r.cases, r.episodes, r.judged) for r in done] == [(0, 0, 0, 0)] * 3
    assert rows(scenario.hub.node.engine, tables.transfer_case) == before


@pytest.mark.fault(90, 91, 92)
def test_no_absence_is_judged_ahead_of_a_watermark(group: SteelGroup) -> None:
    send_t1_and_r1(group)
    group.pass_time(9 * HOUR)
    group.sync()
    group.cut.add("ALD")
    group.cut.add("BRK")
    receive_r1(group)
    receive_t1(group)
    group.pass_time(5 * HOUR)
    group.sync()
    assert cases(group) == []  # CLD closed R1, but BRK, its sender, is not heard of up to then
    group.cut.discard("BRK")
    group.sync()
    assert cases(group) == [("short", "B6-10375")]  # 161739-1-3 needs the melt shop's word
    group.cut.clear()
    group.sync()
    assert cases(group) == [("short", "B6-10375"), ("unannounced", "161739-1-3")]


def test_the_margin_has_to_pass_first(group: SteelGroup) -> None:
    send_t1_and_r1(group)
    group.pass_time(9 * HOUR)
    group.sync()
    receive_t1(group)
    group.pass_time(14 * MINUTE)
    group.sync()
    assert cases(group) == []
    group.pass_time(MINUTE)
    group.sync()
    assert cases(group) == [("unannounced", "161739-1-3")]


@pytest.mark.fault(90)
def test_a_load_overdue_behind_the_receivers_watermark_is_short(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1"])
    group.pass_time(9 * HOUR + 12 * HOUR + 14 * MINUTE)
    group.sync()
    assert cases(group) == []
    group.pass_time(MINUTE)
    group.sync()
    assert cases(group) == [("short", "161738-1-1")]
    group.receive("BRK", "161738-1-1", 20_600, "RT-1")
    group.pass_time(HOUR)
    group.sync()
    assert cases(group) == [("short", "161738-1-1")]


@pytest.mark.fault(101)
def test_a_piece_at_the_wrong_plant_is_told_apart_from_one_nobody_sent(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1"])
    group.pass_time(HOUR)
    group.receive("CLD", "161738-1-1", 20_600, kind="slab")
    group.pass_time(HOUR)
    group.sync()
    assert cases(group) == [("wrong_plant", "161738-1-1")]


def test_declarations_settle_what_they_speak_of(scenario: SteelGroup) -> None:
    scenario.cut.clear()
    scenario.sync()
    ald, brk = scenario.plants["ALD"], scenario.plants["BRK"]
    correct_departure(ald, CorrectDeparture(scenario.command(), "p1", "RT-260310-2", "161739-1-3", "late"))
    correct_departure(brk, CorrectDeparture(scenario.command(), "p2", "RC-260310-4", "B6-10375", "did_not_occur"))
    scenario.pass_time(HOUR)
    scenario.sync()
    with read(scenario.hub.node.engine) as conn:
        states = {line.number: line.state for line in find_lines(conn, LineFilter())}
        now = scenario.clock.now_ms()
        through = {lane.lane: lane for lane in read_balance(conn, now - 30 * HOUR, now)}
    assert (states["161739-1-3"], states["B6-10375"]) == ("received", "did_not_occur")
    assert through["ALD-BRK"].claimed.pieces == 0
    assert through["BRK-CLD"].disputed.pieces == 0
    assert cases(scenario) == THREE  # found once, ended by people


def test_a_balance_as_of_an_earlier_time_still_has_what_was_withdrawn_since(scenario: SteelGroup) -> None:
    scenario.cut.clear()
    scenario.sync()
    brk = scenario.plants["BRK"]
    correct_departure(brk, CorrectDeparture(scenario.command(), "p2", "RC-260310-4", "B6-10375", "did_not_occur"))
    scenario.pass_time(HOUR)
    scenario.sync()
    with read(scenario.hub.node.engine) as conn:
        withdrawn = next(line for line in find_lines(conn, LineFilter()) if line.number == "B6-10375")
        began, ended = withdrawn.departed_at_ms - HOUR, withdrawn.withdrawn_at_ms
        before, after = (
            next(lane.shipped for lane in read_balance(conn, began, at_ms) if lane.lane == "BRK-CLD")
            for at_ms in (ended - 1, ended)
        )
    assert (before.pieces - after.pieces, before.mass_g - after.mass_g) == (1, withdrawn.sender_mass_g)


def test_a_person_ends_a_case_and_both_plants_are_told(scenario: SteelGroup) -> None:
    with read(scenario.hub.node.engine) as conn:
        case = next(row for row in find_cases(conn) if row.kind == "short")
    for resolution, note, kind in (("nonsense", "x", BadInput), ("did_not_occur", " ", BadInput)):
        with pytest.raises(kind):
            resolve_case(scenario.hub, case.case_id, resolution, note, actor="p9", command_id=scenario.command())
    with pytest.raises(NotFound):
        resolve_case(scenario.hub, "0" * 32, "other", "x", actor="p9", command_id=scenario.command())
    done = resolve_case(
        scenario.hub, case.case_id, "did_not_occur", "coil still in CB3 row 2", actor="p9", command_id="c"
    )
    assert resolve_case(scenario.hub, case.case_id, "did_not_occur", "again", actor="p9", command_id="c") == done
    with pytest.raises(Refused):
        resolve_case(scenario.hub, case.case_id, "lost", "no", actor="p9", command_id=scenario.command())
    scenario.sync()
    for plant in ("BRK", "CLD"):
        with read(scenario.plants[plant].node.engine) as conn:
            told = next(row for row in find_cases(conn) if row.case_id == case.case_id)
        assert (told.state, told.resolution, told.resolved_by) == ("resolved", "did_not_occur", "p9")


def test_the_balance_of_the_day(scenario: SteelGroup) -> None:
    scenario.cut.clear()
    scenario.sync()
    now = scenario.clock.now_ms()
    with read(scenario.hub.node.engine) as conn:
        lanes = {lane.lane: lane for lane in read_balance(conn, now - 30 * HOUR, now)}
        early = {lane.lane: lane for lane in read_balance(conn, 0, DAY_D_MS + HOUR)}
    ald, cld = lanes["ALD-BRK"], lanes["BRK-CLD"]
    assert (ald.shipped.pieces, ald.shipped.mass_g) == (29, (287_790 + 15 * 20_565) * 1000)
    assert (ald.received.pieces, ald.on_the_way.pieces, ald.disputed.pieces) == (29, 0, 0)
    assert (ald.claimed.pieces, ald.claimed.mass_g) == (1, 20_600_000)
    assert (cld.shipped.mass_g, cld.received.mass_g) == (141_820_000, 121_640_000)
    assert (cld.disputed.pieces, cld.disputed.mass_g) == (1, 20_180_000)
    assert ald.as_of_ms == now
    for lane in (*lanes.values(), *early.values()):
        assert lane.unexplained_g == 0
    assert (early["ALD-BRK"].on_the_way.pieces, early["ALD-BRK"].on_the_way.mass_g) == (14, 287_790_000)
    assert (early["BRK-CLD"].on_the_way.pieces, early["BRK-CLD"].mass_at_start_g) == (6, 0)


PROJECTED = [tables.shipment, tables.shipment_line, tables.receipt, tables.receipt_close, tables.arrival]


@pytest.mark.fault(63)
def test_every_order_of_arrival_gives_the_same_rows_and_cases(scenario: SteelGroup, tmp_path: Path) -> None:
    """A second hub hears the same three streams in random pieces, judging after each."""
    scenario.cut.clear()
    scenario.sync()
    correct_departure(
        scenario.plants["ALD"], CorrectDeparture(scenario.command(), "p1", "RT-260310-2", "161739-1-3", "late")
    )
    scenario.pass_time(2 * HOUR)
    scenario.sync()
    for seed in range(6):
        second = SteelGroup(tmp_path / str(seed), FixedClock(scenario.clock.now_ms()), plants_of=scenario)
        hear_in_pieces(second, random.Random(seed))
        for table in PROJECTED:
            assert rows(second.hub.node.engine, table) == rows(scenario.hub.node.engine, table)
        told = ("opened_at_ms",)
        expected = rows(scenario.hub.node.engine, tables.transfer_case, without=told)
        assert rows(second.hub.node.engine, tables.transfer_case, without=told) == expected
        assert len(expected) == 3
        second.hub.node.engine.dispose()


def hear_in_pieces(second: SteelGroup, turn: random.Random) -> None:
    left = {"ALD", "BRK", "CLD"}
    while left:
        code = turn.choice(sorted(left))
        if second.up(code, turn.choice((3, 10, 40))) == 0:
            left.discard(code)
        reconcile(second.hub)
    reconcile(second.hub)


def test_the_real_protocol_carries_it_the_same(tmp_path: Path, clock: FixedClock) -> None:
    group = SealedGroup(tmp_path, clock)
    try:
        play(group)
        assert cases(group) == THREE
        group.cut.clear()
        group.sync()
        with read(group.hub.node.engine) as conn:
            (episode,) = find_episodes(conn)
            hashes = {code: content_hash(conn, code) for code in group.plants}
        assert (episode.closed, episode.lines) == (True, 15)
        for code, plant in group.plants.items():
            with read(plant.node.engine) as conn:
                assert content_hash(conn, code) == hashes[code]
    finally:
        group.close()


@pytest.mark.postgres
def test_a_hub_on_postgresql_judges_the_same(tmp_path: Path, clock: FixedClock, postgres_url: str) -> None:
    group = SteelGroup(tmp_path, clock, hub_database=postgres_url)
    try:
        play(group)
        assert cases(group) == THREE
        group.cut.clear()
        group.sync()
        group.pass_time(HOUR)
        group.sync()
        assert cases(group) == THREE
        with read(group.hub.node.engine) as conn:
            (episode,) = find_episodes(conn)
            now = group.clock.now_ms()
            lanes = {lane.lane: lane for lane in read_balance(conn, now - 30 * HOUR, now)}
        assert (episode.closed, episode.lines) == (True, 15)
        assert lanes["BRK-CLD"].disputed.mass_g == 20_180_000
    finally:
        group.close()
