"""Orders and schedules as rows."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select

from shared.clock import FixedClock
from shared.db.engine import read
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Journal
from shared.orders import projection
from shared.orders.facts import OrderReleased, ScheduleLine, ScheduleLineClosed, ScheduleReleased
from shared.orders.queries import find_line, find_line_by_number, find_lines, find_next_line, find_order, find_orders
from shared.orders.tables import schedule_line


def order(item: str, customer: str = "Merrin Ducting", mass_g: int = 740_000_000) -> OrderReleased:
    return OrderReleased(
        item=item,
        customer=customer,
        product="DX51D+Z275",
        grade="L06",
        thickness_um=800,
        width_um=1_250_000,
        mass_g=mass_g,
        route="R-GI",
        due="2026-03-25",
    )


def line(line_id: str, position: int, piece: str, number: str = "") -> ScheduleLine:
    return ScheduleLine(
        line_id=line_id,
        position=position,
        piece=piece,
        order_item="710047/10",
        number=number,
        aims={"length_mm": 9300, "grade": "L06"},
    )


def record(journal: Journal, *payloads: Payload) -> None:
    with journal.work() as tx:
        for payload in payloads:
            tx.record(Draft(payload=payload, subjects=("s",), actor="erp", occurred=Occurred(tx.now_ms(), "manual")))


def test_a_later_release_replaces_the_order_item(make_journal: Callable[..., Journal]) -> None:
    journal = make_journal("ALD", projection.register)
    record(journal, order("710047/10"), order("710051/10", "Tarrant Steel Service"), order("710047/10", mass_g=1))
    with read(journal.engine) as conn:
        found = find_order(conn, "ALD", "710047/10")
        assert found is not None
        assert (found.mass_g, found.customer) == (1, "Merrin Ducting")
        assert [o.item for o in find_orders(conn, "ALD", limit=1)] == ["710047/10", "710051/10"]  # one more than asked
        assert [o.item for o in find_orders(conn, text="tarrant")] == ["710051/10"]
        assert [o.item for o in find_orders(conn, after="710047/10")] == ["710051/10"]
        assert find_order(conn, "BRK", "710047/10") is None


def test_lines_run_in_the_order_they_were_released_and_close(
    make_journal: Callable[..., Journal], clock: FixedClock
) -> None:
    journal = make_journal("ALD", projection.register)
    record(journal, ScheduleReleased(unit="CC1", lines=(line("b", 2, "261838"), line("a", 1, "161842", "N-1"))))
    clock.advance(1000)
    record(journal, ScheduleReleased(unit="CC1", lines=(line("c", 1, "161843"),)))
    with read(journal.engine) as conn:
        assert [x.piece for x in find_lines(conn, "ALD", "CC1")] == ["161842", "261838", "161843"]
        assert [x.piece for x in find_lines(conn, "ALD", after="a")] == ["261838", "161843"]
        first = find_next_line(conn, "ALD", "CC1")
        assert first is not None
        assert (first.line_id, first.whole("length_mm"), first.text("grade")) == ("a", 9300, "L06")
        assert first.whole("none") is None
    record(
        journal,
        ScheduleLineClosed(line_id="a", unit="CC1", result="done"),
        ScheduleLineClosed(line_id="b", unit="CC1", result="dropped", reason="ladle leaked"),
        ScheduleLineClosed(line_id="nobody", unit="CC1", result="done"),
    )
    with read(journal.engine) as conn:
        following = find_next_line(conn, "ALD", "CC1")
        assert following is not None
        assert following.line_id == "c"
        assert [(x.line_id, x.state) for x in find_lines(conn, "ALD", state="dropped")] == [("b", "dropped")]
        closed = find_line(conn, "ALD", "CC1", "161842")
        assert closed is not None
        assert closed.state == "done"
        planned = find_line_by_number(conn, "ALD", "CC1", "N-1")
        assert planned is not None
        assert planned.line_id == "a"
        assert conn.execute(select(func.count()).select_from(schedule_line)).scalar() == 3


def test_a_piece_scheduled_again_is_found_by_its_open_line(make_journal: Callable[..., Journal]) -> None:
    journal = make_journal("ALD", projection.register)
    record(journal, ScheduleReleased(unit="CC1", lines=(line("a", 1, "161842"), line("b", 2, "161842"))))
    record(journal, ScheduleLineClosed(line_id="a", unit="CC1", result="done"))
    with read(journal.engine) as conn:
        found = find_line(conn, "ALD", "CC1", "161842")
        assert found is not None
        assert found.line_id == "b"
        assert find_line(conn, "ALD", "CC1", "999999") is None
