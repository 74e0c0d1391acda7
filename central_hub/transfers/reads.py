"""What the hub's pages of lanes and of what is on the way show, read in one picture each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from central_hub.transfers.balance import LaneBalance, read_balance, start_of_day
from shared.transfers.lines import LineFilter, find_lines, find_lines_in_state
from shared.transfers.showing import line_row
from shared.web.context import node, reading
from shared.web.paging import Page, Paging, cut


def read_lines(paging: Paging) -> Page[Any]:
    """Lines of all lanes, the youngest load first."""
    sender, _, receiver = paging.wants("lane").partition("-")
    wanted = LineFilter(sender=sender, receiver=receiver, q=paging.wants("q"))
    with reading() as conn:
        if paging.wants("state"):
            lines = find_lines_in_state(conn, wanted, paging.wants("state"), after=paging.after, limit=paging.limit + 1)
        else:
            lines = find_lines(conn, wanted, after=paging.after, limit=paging.limit + 1)
    return cut([line_row(line) for line in lines], paging, "key")


def read_today(conn: Connection) -> list[LaneBalance]:
    """The balance of the day so far."""
    now_ms = node().clock.now_ms()
    return read_balance(conn, start_of_day(now_ms), now_ms)
