"""What the hub's pages of lanes, balance and of what is on the way show, read in one picture each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection

from central_hub.transfers.balance import DAY_MS, LaneBalance, Sum, read_days
from central_hub.transfers.standing import find_standing
from central_hub.transfers.watermarks import watermarks
from central_hub.transfers.way_domain import SIGN_OF_TIMING, load_lanes, timing
from central_hub.transfers.way_drawing import draw_map
from shared.clock import to_datetime
from shared.transfers.lines import LineFilter, TransferLine, find_lines, find_lines_in_state
from shared.transfers.showing import line_row
from shared.web.context import node, reading
from shared.web.formats import MONTHS
from shared.web.listing import Column
from shared.web.paging import Page, Paging, cut

STANDING = ("in_transit", "arrived", "short", "refused")
ALL = "all"
BALANCE_DAYS = 14
"""Days of the balance on its page: what a month's first fortnight is settled by; the API gives any stretch."""
SUMS = (
    "at_start",
    "shipped",
    "received",
    "returned",
    "on_the_way",
    "disputed",
    "written_off",
    "claimed",
    "remainder",
)
BALANCE_COLUMNS = tuple(
    Column(key, key)
    for key in ("day_ms", "lane", "as_of_ms", *(f"{name}_{unit}" for name in SUMS for unit in ("pieces", "mass_g")))
)
SORTS: dict[str, Callable[[TransferLine], Any]] = {
    "departed_at_ms": lambda line: line.departed_at_ms,
    "eta_ms": lambda line: line.eta_ms,
    "sender_mass_g": lambda line: line.sender_mass_g,
}


def read_lines(paging: Paging) -> Page[Any]:
    """What stands between plants, the oldest first or as sorted; with a state, or `all`, every line by load."""
    sender, _, receiver = paging.wants("lane").partition("-")
    wanted = LineFilter(sender=sender, receiver=receiver, q=paging.wants("q"))
    state, now_ms = paging.wants("state"), node().clock.now_ms()
    with reading() as conn:
        through = watermarks(conn)
        if state == ALL:
            page = cut(find_lines(conn, wanted, after=paging.after, limit=paging.limit + 1), paging, "key")
        elif state in STANDING or not state:
            page = _page_of(
                _sorted([line for line in find_standing(conn) if _fits(line, wanted, state)], paging), paging
            )
        else:
            lines = find_lines_in_state(conn, wanted, state, after=paging.after, limit=paging.limit + 1)
            page = cut(lines, paging, "key")
    return Page([_row(line, timing(line, through, now_ms), now_ms) for line in page], page.next)


def read_way(conn: Connection) -> dict[str, Any]:
    """The map of what is on the way: plants with their marks, lanes with what they carry."""
    now_ms, through = node().clock.now_ms(), watermarks(conn)
    lanes = load_lanes(find_standing(conn), through, now_ms)
    return {"lanes": lanes, "way": draw_map(sorted(through), lanes), "through": through}


def read_fortnight(conn: Connection) -> list[tuple[int, list[LaneBalance]]]:
    """The balances of the last days, the youngest first."""
    now_ms = node().clock.now_ms()
    return read_days(conn, now_ms - (BALANCE_DAYS - 1) * DAY_MS, now_ms)


def _fits(line: TransferLine, wanted: LineFilter, state: str) -> bool:
    q = wanted.q.lower()
    numbers = (line.number, line.shipment_number, line.vehicle, line.carrier)
    return (
        wanted.sender in ("", line.sender)
        and wanted.receiver in ("", line.receiver)
        and state in ("", line.state)
        and (not q or any(q in number.lower() for number in numbers))
    )


def _sorted(lines: list[TransferLine], paging: Paging) -> list[TransferLine]:
    key = SORTS.get(paging.sort, SORTS["departed_at_ms"])
    return sorted(lines, key=lambda line: (key(line), line.key), reverse=paging.descending)


def _page_of(lines: list[TransferLine], paging: Paging) -> Page[TransferLine]:
    """The page behind the cursor; from the beginning when the line it names has ended since."""
    at = next((n for n, line in enumerate(lines, 1) if line.key == paging.after), 0)
    shown = lines[at : at + paging.limit]
    return Page(shown, shown[-1].key if len(lines) > at + paging.limit else None)


def _row(line: TransferLine, how: str, now_ms: int) -> dict[str, Any]:
    ended = line.received_at_ms or line.returned_at_ms or line.lost_at_ms
    age_ms = None if line.withdrawn else (ended or now_ms) - line.departed_at_ms
    return line_row(line) | {"timing": how, "timing_state": SIGN_OF_TIMING[how], "age_ms": age_ms}


def balance_rows(days: list[tuple[int, list[LaneBalance]]]) -> Iterator[dict[str, Any]]:
    """A row a day and lane, as a spreadsheet wants it: pieces and grams."""
    for day_ms, lanes in days:
        for lane in lanes:
            sums = {name: getattr(lane, name) for name in SUMS}
            figures = {f"{name}_pieces": one.pieces for name, one in sums.items()}
            figures |= {f"{name}_mass_g": one.mass_g for name, one in sums.items()}
            yield {"day_ms": day_ms, "lane": lane.lane, "as_of_ms": lane.as_of_ms} | figures


def chosen_day(days: list[tuple[int, list[LaneBalance]]], chosen: int | None) -> dict[str, Any]:
    """All days with the group's sums, and the lanes of one of them: the one asked for, else the youngest."""
    by_day = dict(days)
    day_ms = chosen if chosen in by_day else days[0][0]
    totals = [(day, {name: _total(lanes, name) for name in SUMS}, lanes) for day, lanes in days]
    days_moved = [day for day in totals if day[2]]
    return {"days": days_moved, "day_ms": day_ms, "lanes": by_day[day_ms], "words_of": _day_words}


def _day_words(day_ms: int) -> str:
    day = to_datetime(day_ms)
    return f"{day.day} {MONTHS[day.month - 1]}"


def _total(lanes: list[LaneBalance], name: str) -> Sum:
    sums = [getattr(lane, name) for lane in lanes]
    return Sum(sum(one.pieces for one in sums), sum(one.mass_g for one in sums))
