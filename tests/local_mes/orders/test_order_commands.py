"""Orders and schedules as commands: done once, refused by name, nothing half done."""

from __future__ import annotations

import re

import pytest
from production_bench import Bench

from local_mes.app import ROLES, create_console
from local_mes.orders.service import NewLine, close_line, drop_line, find_next_line, release_schedule
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.fact import Occurred
from shared.orders.tables import schedule_line
from shared.web.accounts import add_person


def plan(bench: Bench, *lines: NewLine, unit: str = "CC1", command: str = "plan") -> list[str]:
    ids: list[str] = release_schedule(bench.plant, unit, lines, actor="planner", command_id=command)["line_ids"]
    return ids


def test_a_schedule_sent_twice_is_there_once(planned: Bench) -> None:
    lines = (NewLine(2, "261838", "710047/10"), NewLine(1, "161842", "stock", aims={"aim_mm": 9300}))
    first = plan(planned, *lines)
    planned.clock.advance(60_000)
    assert plan(planned, *lines) == first
    assert len(planned.rows(schedule_line)) == 2
    with read(planned.plant.node.engine) as conn:
        following = find_next_line(conn, "ALD", "CC1")
    assert following is not None
    assert (following.piece, following.order_item, following.whole("aim_mm")) == ("161842", "stock", 9300)


@pytest.mark.parametrize(
    ("unit", "lines", "error", "said"),
    [
        ("CC9", (NewLine(1, "x"),), NotFound, "ALD has no unit 'CC9'"),
        ("CC1", (), BadInput, "has no lines"),
        ("CC1", (NewLine(1, "x"), NewLine(1, "y")), BadInput, "Position 1 of CC1 is given twice"),
        ("CC1", (NewLine(1, "x", "710047/10"), NewLine(2, "y", "9/9")), BadInput, "'9/9' is not released here"),
    ],
)
def test_a_wrong_schedule_is_refused_whole(
    planned: Bench, unit: str, lines: tuple[NewLine, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        plan(planned, *lines, unit=unit)
    assert planned.rows(schedule_line) == []


def test_a_line_ends_once(planned: Bench) -> None:
    first, second = plan(planned, NewLine(1, "161842"), NewLine(2, "261838"))
    assert drop_line(planned.plant, first, "ladle leaked", actor="lead", command_id="d1")["state"] == "dropped"
    assert drop_line(planned.plant, first, "ladle leaked", actor="lead", command_id="d1")["state"] == "dropped"
    with pytest.raises(Refused, match="is dropped already"):
        drop_line(planned.plant, first, "again", actor="lead", command_id="d2")
    with pytest.raises(NotFound, match="no schedule line 'none'"):
        drop_line(planned.plant, "none", "why", actor="lead", command_id="d3")
    with planned.plant.journal.work() as tx:
        line = find_next_line(tx.conn, "ALD", "CC1")
        assert line is not None
        assert line.line_id == second
        close_line(tx, line, "done", actor="l2", occurred=Occurred(tx.now_ms(), "l2"))
    with planned.plant.journal.work() as tx:
        close_line(tx, line, "done", actor="l2", occurred=Occurred(tx.now_ms(), "l2"))  # known as open: applied again
        recorded = list(tx.recorded)
    assert len(recorded) == 1
    assert {(row.line_id, row.state) for row in planned.rows(schedule_line)} == {(first, "dropped"), (second, "done")}


def test_a_planner_takes_a_line_off_on_the_page(planned: Bench) -> None:
    plan(planned, NewLine(1, "161842", "710047/10", aims={"pieces": 6}))
    with write(planned.plant.node.engine) as conn:
        add_person(conn, planned.clock, "planner.ald", "Planner", ("planner",), "long enough to type", ROLES)
    with create_console(planned.plant).test_client() as browser:
        token = _csrf(browser.get("/sign-in").text)
        browser.post("/sign-in", data={"login": "planner.ald", "password": "long enough to type", "csrf_token": token})
        page = browser.get("/orders/sequence?unit=CC1").text
        assert "pieces 6" in page
        line_id = re.search(r'<option value="([0-9a-f]{32})"', page)
        assert line_id is not None
        form = {"csrf_token": _csrf(page), "command_id": "web", "line_id": line_id.group(1), "reason": ""}
        refused = browser.post("/orders/sequence/drop?unit=CC1", data=form)
        assert (refused.status_code, "Reason is missing" in refused.text) == (422, True)
        done = browser.post(
            "/orders/sequence/drop?unit=CC1", data=form | {"reason": "ladle leaked"}, follow_redirects=True
        )
        assert "was taken off the schedule" in done.text
        assert "ladle leaked" in browser.get("/orders/sequence?state=dropped").text


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)
