"""What is on the way as map and list, lanes, and the group's balance day by day: from real facts of three plants."""

from __future__ import annotations

from typing import Any

import pytest
from browse import Person, sign_in
from sqlalchemy import event, insert, select
from steel_group import HOUR, SteelGroup

from central_hub.app import create_portal
from central_hub.transfers.balance import DAY_MS, read_balance, read_days
from central_hub.transfers.service import resolve_case
from central_hub.transfers.standing import find_since, find_standing
from local_mes.transfers.service import CorrectDeparture, close_receipt, correct_departure
from shared.db.engine import read, write
from shared.transfers.case_queries import find_cases
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.tables import receipt


@pytest.fixture
def logistics(group: SteelGroup) -> Person:
    return sign_in(create_portal(group.hub), group.hub.node, "logistics.group", "logistics")


@pytest.fixture
def trucks(group: SteelGroup) -> SteelGroup:
    """Four coils leave BRK; one is taken in, one is short, one never left, one is on the way; a fifth nobody announced."""
    for number in ("B6-1", "B6-2", "B6-3", "B6-4", "B6-5"):
        group.stock("BRK", number, 20_000, kind="coil")
    group.ship("BRK", "CLD", "RC-1", ["B6-1", "B6-2", "B6-3"], mode="truck")
    group.pass_time(HOUR)
    group.sync()
    group.receive("CLD", "B6-1", 20_030, "RC-1", scale="CW2")
    group.receive("CLD", "B6-5", 19_990, "RC-1", scale="CW2")
    close_receipt(group.plants["CLD"], "RC-1", actor="p3", command_id="close")
    correct_departure(group.plants["BRK"], CorrectDeparture("d", "p", "RC-1", "B6-3", "did_not_occur", "in CB3"))
    group.ship("BRK", "CLD", "RC-2", ["B6-4"], mode="truck", vehicle="truck 7")
    group.pass_time(HOUR)
    group.sync()
    return group


def numbers(lines: list[Any]) -> list[str]:
    return sorted(line.number for line in lines)


def test_what_stands_is_what_every_line_says_that_it_stands(trucks: SteelGroup) -> None:
    for _ in range(2):  # before and after the floors have passed over the load
        with read(trucks.hub.node.engine) as conn:
            every = find_lines(conn, LineFilter())
            standing = find_standing(conn)
            assert numbers(standing) == numbers([x for x in every if x.state in ("in_transit", "arrived", "short")])
            assert "B6-2" in numbers(standing)
            assert numbers(find_since(conn, 0)) == numbers(every)
        trucks.pass_time(90 * DAY_MS)
        trucks.sync()
    with read(trucks.hub.node.engine) as conn:
        assert numbers(find_since(conn, trucks.clock.now_ms() - DAY_MS)) == ["B6-2", "B6-4"]


def test_the_balance_closes_day_by_day_and_names_what_keeps_the_books_apart(trucks: SteelGroup) -> None:
    with read(trucks.hub.node.engine) as conn:
        now = trucks.clock.now_ms()
        (lane,) = read_balance(conn, now - DAY_MS, now)
        assert (lane.shipped.pieces, lane.received.pieces, lane.on_the_way.pieces) == (3, 1, 1)
        assert (lane.disputed.pieces, lane.claimed.pieces, lane.unexplained_g) == (1, 1, 0)
        named = {one.number: one for one in lane.named}
        assert (named["B6-2"].pieces, named["B6-2"].mass_g) == (1, 20_000_000)
        assert (named["B6-5"].pieces, named["B6-5"].mass_g) == (-1, -19_990_000)
        assert (lane.remainder.pieces, lane.remainder.mass_g) == (0, 10_000)
        kinds = {case.case_id: case.kind for case in find_cases(conn)}
        assert kinds[named["B6-2"].case_id] == "short"
        assert kinds[named["B6-5"].case_id] == "unannounced"
        case = named["B6-2"].case_id
    resolve_case(trucks.hub, case, "lost", "searched for two days", actor="p", command_id="lost")
    correct_departure(trucks.plants["BRK"], CorrectDeparture("e", "p", "RC-1", "B6-5", "late", "on the same truck"))
    trucks.pass_time(DAY_MS)
    trucks.sync()
    with read(trucks.hub.node.engine) as conn:
        days = read_days(conn, now, trucks.clock.now_ms())
    (today,), (before,) = days[0][1], days[1][1]
    assert (before.shipped.pieces, before.received.pieces, before.written_off.pieces) == (4, 2, 1)
    assert [one.number for one in before.named] == ["B6-4"]  # overdue since, and nowhere
    assert (before.disputed.pieces, today.at_start.pieces, today.disputed.pieces) == (1, 1, 1)
    for lane in (today, before):
        ends = (lane.received, lane.returned, lane.on_the_way, lane.disputed, lane.written_off)
        assert lane.at_start.pieces + lane.shipped.pieces == sum(end.pieces for end in ends)
        assert lane.unexplained_g == 0


def test_a_piece_taken_in_twice_is_named(trucks: SteelGroup) -> None:
    now = trucks.clock.now_ms()
    with write(trucks.hub.node.engine) as conn:
        (once,) = conn.execute(select(receipt).where(receipt.c.printed_number == "B6-1")).mappings()
        conn.execute(insert(receipt).values(dict(once) | {"author": "ALD", "receipt_id": "f" * 32}))
        lanes = {lane.lane: lane for lane in read_balance(conn, now - DAY_MS, now)}
    assert [(one.number, one.pieces, one.mass_g) for one in lanes["BRK-ALD"].named] == [("B6-1", -1, -20_030_000)]
    assert lanes["BRK-CLD"].received.pieces == 1


def test_the_pages_show_map_lanes_balance_and_their_tables(logistics: Person, trucks: SteelGroup) -> None:
    page = logistics.page("/transfers/")
    for text in ("BRK → CLD", "1 piece, 20.0 t", "1 short", "complete to", "truck 7", "in time"):
        assert text in page
    assert "B6-1<" not in page
    assert "B6-1<" in logistics.page("/transfers/?state=all")
    assert "B6-3<" in logistics.page("/transfers/?state=did_not_occur")
    assert "B6-4<" not in logistics.page("/transfers/?state=short")
    assert "B6-2<" not in logistics.page("/transfers/?q=truck")
    csv = logistics.client.get("/transfers/?format=csv&sort=-eta_ms").text.splitlines()
    assert [row.split(",")[2] for row in csv[1:]] == ["B6-4", "B6-2"]
    first = logistics.page("/transfers/?limit=1")
    assert "B6-2<" in first
    assert "B6-4<" in logistics.page(first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&"))
    lanes = logistics.page("/transfers/lanes")
    assert 'href="/transfers/lanes/BRK-CLD"' in lanes
    lane = logistics.page("/transfers/lanes/BRK-CLD")
    for text in ("BRK scale to CLD CW2", "too few to say", "Median transit time", "1 h 00"):
        assert text in lane
    logistics.page("/transfers/lanes/CLD-ALD", 404)
    balance = logistics.page("/transfers/balance")
    for text in ("Lines behind the remainder", "B6-5", "on no list", "Open the case"):
        assert text in balance
    rows = logistics.client.get("/transfers/balance?format=csv").text.splitlines()
    assert rows[0].startswith("day_ms,lane,as_of_ms,at_start_pieces")
    assert ",BRK-CLD," in rows[1]


def test_late_is_overdue_only_where_the_receiver_is_complete_past_it(logistics: Person, trucks: SteelGroup) -> None:
    trucks.cut.add("CLD")
    trucks.pass_time(3 * DAY_MS)
    trucks.sync()
    page = logistics.page("/transfers/?state=in_transit")
    assert "no word" in page
    assert "overdue" not in page.split("<table")[1]
    trucks.cut.clear()
    trucks.sync()
    assert "overdue" in logistics.page("/transfers/?state=in_transit").split("<table")[1]


def test_pages_take_the_same_number_of_statements_however_long_they_are(logistics: Person, group: SteelGroup) -> None:
    counts = []
    for load in range(2):
        pieces = [f"B6-{load}{n}" for n in range(3 + 9 * load)]
        for number in pieces:
            group.stock("BRK", number, 20_000, kind="coil")
        group.ship("BRK", "CLD", f"RC-{load}", pieces, mode="truck")
        group.sync()
        addresses = ("/transfers/", "/transfers/?state=all", "/transfers/lanes", "/transfers/balance")
        counts.append([_statements(logistics, group, address) for address in addresses])
    assert counts[0] == counts[1]


def _statements(person: Person, group: SteelGroup, address: str) -> int:
    said: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(group.hub.node.engine, "before_cursor_execute", note)
    person.page(address)
    event.remove(group.hub.node.engine, "before_cursor_execute", note)
    return len(said)
